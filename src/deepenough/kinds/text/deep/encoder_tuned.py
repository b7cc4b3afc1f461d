"""A pretrained sentence encoder whose last layers are trained on."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deepenough.kinds import tuned
from deepenough.kinds.in_time import Pace, in_turn, inner_answers, until
from deepenough.kinds.text import encoder, net
from deepenough.kinds.text.inputs import Texts
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.nets import weights
from deepenough.nets.outputs import Outputs
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch

    from deepenough.nets.bert import Last

READING = 0.5
"""Share of the time for what the frozen layers make of the documents."""


class TunedModel(Model):
    """The last layers as they were trained, behind the frozen ones. stamp: of the weights that these are."""

    needs = encoder.NEEDS

    def __init__(self, tokens: int, last: Last, target: Outputs, stamp: str) -> None:
        self.tokens, self.last, self.target, self.stamp = tokens, last, target, stamp

    def predict(self, inputs: Texts) -> np.ndarray:
        import torch

        base, layers = encoder.load(), len(self.last.layers)
        said = [encoder.read(text, self.tokens) for text in inputs.texts]
        found = np.zeros((1, len(said), self.last.head.weight.shape[2]), dtype=np.float32)
        with torch.inference_mode(), few_threads(len(said)):
            for places, numbers, there in encoder.batches(base.tokens(said, self.tokens)):
                x = base.net.up_to(encoder.LAYERS - layers, numbers, there)
                found[:, places] = self.last(x, there).numpy()
        return self.target.answer(found)

    def save(self, folder: Path) -> None:
        outputs = self.last.head.weight.shape[2]
        architecture = {"layers": len(self.last.layers), "outputs": outputs, "tokens": self.tokens, "stamp": self.stamp}
        weights.save(weights.of(self.last), architecture, folder)
        (folder / "target.json").write_text(json.dumps(vars(self.target)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        from deepenough.nets.bert import Last

        learnt, facts = weights.load(folder)
        encoder.same_weights(facts["stamp"])
        last = Last(encoder.load().net, facts["layers"], facts["outputs"])
        last.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        target = Outputs(**json.loads((folder / "target.json").read_text(encoding="utf-8")))
        return cls(facts["tokens"], last.eval(), target, facts["stamp"])


@dataclass(frozen=True)
class EncoderTuned(Learner):
    """A pretrained sentence encoder of which the last layer is trained on, with a weighted sum of what it says.

    all-MiniLM-L6-v2 (Reimers and Gurevych, 2019, arXiv 1908.10084; Wang et al., 2020, arXiv 2002.10957), fine-tuned at
    a small rate (Howard and Ruder, 2018, arXiv 1801.06146). What the layers below make of a document is computed once:
    a pass over the documents costs a sixth of the encoder, and that layer's gradient. It starts from the weighted sum
    that fits the frozen encoder, and stays there if the inner rows are not better predicted, or if there is no time for
    a pass.

    Time grows with documents x tokens x (6 + 3 x layers x epochs), some .05 milliseconds each on one core; memory with
    documents x tokens x 384 x 2 bytes. A bad choice under a short budget, for long documents and for jargon.

    layers: trained on, the last ones of 6. tokens: read of a document, at most. documents: learnt from, at most.
    rate: highest learning rate of AdamW; the sum's is ten times as high. epochs: most passes over the documents.
    """

    layers: int = 1
    tokens: int = 64
    documents: int = 2_000
    rate: float = 1e-4
    epochs: int = 3

    needs = encoder.NEEDS
    preload = (*encoder.PRELOAD, "deepenough.nets.supervised")
    priority = 90
    pretrained = encoder.PRETRAINED

    def fit(self, examples: Examples, limits: Limits, seed: int) -> TunedModel:
        """Read as many documents as there is time for, fit the sum, and train on if there is time for a pass."""
        from deepenough.nets import supervised
        from deepenough.nets.bert import Last

        order = in_turn(examples)[: self.documents]
        with supervised.seeded(seed, limits):
            read = Read.of(examples.inputs.take(order).texts, self.tokens, self.layers, until(limits, READING))
            rows = order[: len(read.states)]
            some = dataclasses.replace(examples.take(rows), inner=np.flatnonzero(np.isin(rows, examples.inner)))
            target = Outputs.of(examples.targets, examples.n_classes, examples.weights)
            start = target.start(target.standard(examples.targets), examples.weights)
            last = Last(encoder.load().net, self.layers, len(start))
            last.head.start_from(start)
            trained = 0.0
            if len(rows):
                tuned.start_from_sum(last.head, read.vectors, some, limits)
                if limits.seconds_left() >= 1.2 * read.seconds * 3 * self.layers / 6:  # there is time for a pass
                    trained = tuned.trained_on(
                        last, read.given, some, target, self.recipe(), limits, seed, lengths=read.lengths
                    )
            found = (
                supervised.outputs(last, read.given, some.inner) if len(some.inner) else np.zeros((1, 0, len(start)))
            )
        model = TunedModel(self.tokens, last.eval(), target, encoder.load().stamp)
        known = np.argsort(rows[some.inner])
        model.inner_predictions = inner_answers(examples, rows[some.inner][known], target.answer(found)[known])
        work = 3 * self.layers * self.epochs  # of training, where reading is 6
        model.planned = len(rows) / len(order) * (6 + work * trained) / (6 + work)
        return model

    def recipe(self) -> Mapping[str, Any]:
        """Arguments of `nets.loop.Recipe`."""
        return {"epochs": self.epochs, "batch": 16, "rate": self.rate, "warm": 0.1, "flat": 0.3}

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        net.warm_up(cls(epochs=1), n_classes)


@dataclass
class Read:
    """What the frozen layers made of documents. states: of each document, float16, shape (tokens, 384).

    vectors: what the whole frozen encoder says, float32, shape (n, 384). seconds: that it took.
    """

    states: list[np.ndarray]
    vectors: np.ndarray
    seconds: float

    @classmethod
    def of(cls, texts: Sequence[str], tokens: int, layers: int, seconds_left: Callable[[], float]) -> Self:
        """Of as many of the first documents as there is time for."""
        pace, started = Pace(seconds_left), time.monotonic()
        states: list[np.ndarray] = []
        vectors: list[np.ndarray] = []
        while len(states) < len(texts):
            chunk = [encoder.read(text, tokens) for text in texts[len(states) : len(states) + pace.chunk]]
            if not pace.allows(len(chunk)):
                break
            with pace.over(len(chunk)):
                new_states, new_vectors = _read(chunk, tokens, layers)
            states += new_states
            vectors.append(new_vectors)
        whole = np.concatenate(vectors) if vectors else np.zeros((0, encoder.WIDTH), dtype=np.float32)
        return cls(states, whole, time.monotonic() - started)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each document."""
        return np.array([len(state) for state in self.states], dtype=np.int64)

    def given(self, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        """Documents' states padded, and which are present."""
        import torch

        lengths = self.lengths[rows]
        padded = np.zeros((len(rows), int(lengths.max()), encoder.WIDTH), dtype=np.float32)
        for place, row in enumerate(rows.tolist()):
            padded[place, : lengths[place]] = self.states[row]
        return torch.from_numpy(padded), torch.from_numpy(np.arange(padded.shape[1]) < lengths[:, None])


def _read(texts: Sequence[str], tokens: int, layers: int) -> tuple[list[np.ndarray], np.ndarray]:
    """States below the last layers, and the whole encoder's vectors, in the order of the texts."""
    import torch

    from deepenough.nets.bert import sentence_vectors

    base = encoder.load()
    numbers = base.tokens(texts, tokens)
    states: list[np.ndarray] = [np.empty(0)] * len(texts)
    vectors = np.zeros((len(texts), encoder.WIDTH), dtype=np.float32)
    with torch.inference_mode():
        for places, padded, there in encoder.batches(numbers):
            x = base.net.up_to(encoder.LAYERS - layers, padded, there)
            for place, state in zip(places.tolist(), x.numpy(), strict=True):
                states[place] = state[: len(numbers[place])].astype(np.float16)
            for layer in base.net.layers[encoder.LAYERS - layers :]:
                x = layer(x, there)
            vectors[places] = sentence_vectors(x, there).numpy()
    return states, vectors
