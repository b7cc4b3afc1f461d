"""What the text's nets share: the way from documents to a trained net, and the model that predicts and is saved.

Needs that this module answers:

* A learner's own file says only what is its own: the reader of a sequence, and how it is trained.
* Batches hold documents of like length, so that little is padded; under a clock documents are shortened until the net
  can pass over all of them a few times.
* One document is answered in milliseconds, in one thread, by no more than it takes to read it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from deepenough.kinds.text.inputs import Texts
from deepenough.kinds.text.tokens import Coded, Tokens
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.nets import weights
from deepenough.nets.outputs import Outputs
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch

    from deepenough.nets.sequences import WordNet

NEEDS = ("torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.sequences", "deepenough.nets.supervised")
BATCH = 128
"""Documents at once where nothing is trained."""
AT_ONCE = 4_096
"""Documents that are held as words at once while predicting."""
PASSES = 4.0
"""Under a clock documents are shortened until there is time for so many passes over them."""
SHORTEST = 32
"""Words of a document, below which it isn't shortened."""
DOCUMENT_EPOCHS = 12_000
"""Documents x epochs of a fit, at most, so that a fit on many documents ends; but never fewer than a few epochs."""
FEWEST_EPOCHS = 4.0
UNCHECKED_EPOCHS = 10.0
"""Epochs, at most, where no inner rows can say when it is enough."""

AnyModel = TypeVar("AnyModel", bound="TextNetModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    reader, settings: name of a reader in `nets.sequences` and its arguments. recipe: arguments of `nets.loop.Recipe`.
    words: read of a document, at most. vector: width of a word's vector. dropout: share of numbers left out in a step.
    smoothing: share of a label that is spread over all classes in training.
    """

    reader: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    words: int = 256
    vector: int = 64
    dropout: float = 0.3
    smoothing: float = 0.0


class TextNetModel(Model):
    """A trained net with all that prediction needs. `trace` holds (seconds, inner loss) of its training."""

    trace: tuple[tuple[float, float], ...] = ()

    def __init__(self, tokens: Tokens, net: WordNet, architecture: Mapping[str, Any], target: Outputs) -> None:
        self.tokens, self.net, self.architecture, self.target = tokens, net, architecture, target

    def predict(self, inputs: Texts) -> np.ndarray:
        with few_threads(len(inputs)):
            parts = [
                self._answered(self.tokens.code(inputs.texts[start : start + AT_ONCE]))
                for start in range(0, max(1, len(inputs)), AT_ONCE)
            ]
        return np.concatenate(parts)

    def _answered(self, coded: Coded) -> np.ndarray:
        from deepenough.nets import supervised

        if not len(coded):
            return self.target.answer(np.zeros((1, 0, self.architecture["outputs"]), dtype=np.float32))
        order = np.argsort(coded.lengths, kind="stable")
        found = supervised.outputs(self.net, given(coded, "cpu"), order, BATCH)
        answers = np.empty_like(found)
        answers[:, order] = found
        return self.target.answer(answers)

    def save(self, folder: Path) -> None:
        weights.save(weights.of(self.net), self.architecture, folder)
        facts = {"tokens": self.tokens.to_json(), "target": vars(self.target)}
        (folder / "words.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        from deepenough.nets import sequences

        learnt, architecture = weights.load(folder)
        facts = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        net = sequences.build(architecture)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        return cls(Tokens.from_json(facts["tokens"]), net.eval(), architecture, Outputs(**facts["target"]))


def given(coded: Coded, device: str) -> Callable[[np.ndarray], tuple[torch.Tensor, ...]]:
    """How documents' numbers become what the net takes."""
    import torch

    def tensors(rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        return tuple(torch.from_numpy(array).to(device) for array in coded.batch(rows))

    return tensors


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    from deepenough.nets import blocks, loop, sequences, supervised

    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    counts = examples.weights_of(outer)
    tokens = Tokens.fit(examples.inputs.take(outer).texts, design.words)
    coded = tokens.code(examples.inputs.texts)
    target = Outputs.of(examples.targets[outer], examples.n_classes, counts)
    standard = target.standard(examples.targets)
    start = target.start(standard[outer], counts)
    architecture = {
        "rows": tokens.rows,
        "width": design.vector,
        "class": design.reader,
        "reader": dict(design.settings),
        "outputs": len(start),
        "dropout": design.dropout,
    }
    recipe = loop.Recipe(**_in_reason(design.recipe, len(outer), bool(len(examples.inner))))
    with supervised.seeded(seed, limits):
        net = sequences.build(architecture)
        net.head.start_from(start)
        net.to(limits.device)
        most = _words_in_time(net, coded, outer, recipe, limits)
        tokens, coded = Tokens(tokens.words, tokens.places, most), coded.shortened(most)
        trained = supervised.train(
            net,
            given(coded, limits.device),
            standard,
            examples,
            target,
            recipe,
            limits,
            seed,
            design.smoothing,
            lengths=coded.lengths,
        )
    blocks.forget(net)
    fitted = model(tokens, net.to("cpu"), architecture, target)
    fitted.planned, fitted.trace = trained.planned, tuple(trained.trace)
    return fitted


def _in_reason(recipe: Mapping[str, Any], rows: int, checked: bool) -> dict[str, Any]:
    """The recipe, its epochs cut where documents are many, or where no inner rows can say when it is enough."""
    epochs = min(float(recipe["epochs"]), max(FEWEST_EPOCHS, DOCUMENT_EPOCHS / rows))
    batch = next((size for most, size in ((500, 16), (3_000, 32), (12_000, 64)) if rows < most), 128)
    return {"batch": batch, **recipe, "epochs": epochs if checked else min(epochs, UNCHECKED_EPOCHS)}


def _words_in_time(net: WordNet, coded: Coded, outer: np.ndarray, recipe: Any, limits: Limits) -> int:
    """Words of a document, at most, so that there is time for a few passes over all; by a step that is timed."""
    most = int(coded.lengths.max(initial=1))
    left = limits.seconds_left()
    if left == float("inf"):
        return most
    rows = outer[np.argsort(-coded.lengths[outer], kind="stable")][: recipe.batch]
    tensors = given(coded, limits.device)(rows)
    started = time.monotonic()
    net(*tensors).square().mean().backward()
    net.zero_grad(set_to_none=True)
    each = (time.monotonic() - started) / float(tensors[3].max() * len(rows))  # of a word of a padded document
    lengths = coded.lengths[outer]
    while most > SHORTEST and PASSES * each * float(np.minimum(lengths, most).sum()) > 0.8 * left:
        most = max(SHORTEST, most * 3 // 4)
    return most


def warm_up(learner: Learner, n_classes: int | None) -> None:
    """Fit and predict on a few drawn documents, so that what torch loads lazily is loaded."""
    rng = np.random.default_rng(0)
    documents = tuple(" ".join(f"word{number}" for number in rng.integers(0, 30, 12)) for _ in range(32))
    targets = rng.normal(size=32) if n_classes is None else np.arange(32) % n_classes
    texts = Texts(documents)
    learner.fit(Examples(texts, targets, n_classes, np.arange(8)), Limits(), seed=0).predict(texts)
