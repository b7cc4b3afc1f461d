"""A pretrained net of pictures whose last blocks are trained on."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deepenough.kinds import noise, tuned
from deepenough.kinds.image import pretrained
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.in_time import Pace, in_turn, inner_answers, until
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.nets import weights
from deepenough.nets.outputs import Outputs
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch

    from deepenough.nets.last_blocks import LastBlocks

SEEING = 0.5
"""Share of the time for what the frozen blocks make of the pictures."""
A_PASS = 0.6
"""What a pass over the pictures costs for each block that is trained, where seeing them costs 1."""


class TunedModel(Model):
    """The last blocks as they were trained, behind the frozen ones. stamp: of the weights that these are."""

    needs = pretrained.NEEDS

    def __init__(self, side: int, last: LastBlocks, target: Outputs, stamp: str) -> None:
        self.side, self.last, self.target, self.stamp = side, last, target, stamp

    def predict(self, inputs: Pictures) -> np.ndarray:
        import torch

        seen = np.zeros((1, len(inputs), self.last.head.weight.shape[2]), dtype=np.float32)
        with torch.inference_mode(), few_threads(len(inputs)):
            for start in range(0, len(inputs), pretrained.BATCH):
                rows = np.arange(start, min(start + pretrained.BATCH, len(inputs)))
                states = _below(inputs.read(rows), pretrained.size_of(inputs, self.side), len(self.last.blocks))
                seen[:, rows] = self.last(torch.from_numpy(states).float()).numpy()
        return self.target.answer(seen)

    def save(self, folder: Path) -> None:
        outputs = self.last.head.weight.shape[2]
        facts = {"blocks": len(self.last.blocks), "outputs": outputs, "side": self.side, "stamp": self.stamp}
        weights.save(weights.of(self.last), facts, folder)
        (folder / "target.json").write_text(json.dumps(vars(self.target)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        from deepenough.nets.last_blocks import LastBlocks

        learnt, facts = weights.load(folder)
        pretrained.same_weights(facts["stamp"])
        last = LastBlocks(pretrained.load(pretrained.SIDE, pretrained.SIDE).module, facts["blocks"], facts["outputs"])
        last.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        target = Outputs(**json.loads((folder / "target.json").read_text(encoding="utf-8")))
        return cls(facts["side"], last.eval(), target, facts["stamp"])


@dataclass(frozen=True)
class PretrainedTuned(Learner):
    """A pretrained net of pictures of which the last block is trained on, with a weighted sum of what it says.

    EfficientNet-Lite0 (after Tan and Le, 2019, arXiv 1905.11946), fine-tuned at a small rate (Yosinski et al., 2014,
    arXiv 1411.1792; Howard and Ruder, 2018, arXiv 1801.06146). What the blocks below make of a picture is computed
    once. It starts from the weighted sum that fits the frozen net, and stays there if the inner rows are not better
    predicted, or if there is no time for a pass.

    Time grows with pictures x pixels x (1 + blocks x epochs / 2), some 5 milliseconds a picture of 96 pixels and pass
    on one core; memory with pictures x 3 kilobytes (of 96 pixels). A bad choice under a short budget, and for a few
    dozen pictures, of which the weighted sum knows all that there is to know.

    blocks: trained on, the last ones of 16, at most 4. side: pixels of the longer side that it sees.
    pictures: learnt from, at most.
    rate: highest learning rate of AdamW; the sum's is ten times as high. epochs: most passes over the pictures.
    """

    blocks: int = 1
    side: int = pretrained.SIDE
    pictures: int = 5_000
    rate: float = 2e-4
    epochs: int = 5

    needs = pretrained.NEEDS
    preload = (*pretrained.PRELOAD, "deepenough.nets.supervised", "deepenough.nets.last_blocks")
    priority = 40
    pretrained = pretrained.PRETRAINED

    def fit(self, examples: Examples, limits: Limits, seed: int) -> TunedModel:
        """See as many pictures as there is time for, fit the sum, and train on if there is time for a pass."""
        from deepenough.nets import supervised
        from deepenough.nets.last_blocks import LastBlocks

        order, size = in_turn(examples)[: self.pictures], pretrained.size_of(examples.inputs, self.side)
        net = pretrained.load(*size)
        with supervised.seeded(seed, limits):
            seen = Seen.of(examples.inputs.take(order), size, self.blocks, until(limits, SEEING))
            rows = order[: len(seen.states)]
            some = dataclasses.replace(examples.take(rows), inner=np.flatnonzero(np.isin(rows, examples.inner)))
            target = Outputs.of(examples.targets, examples.n_classes, examples.weights)
            start = target.start(target.standard(examples.targets), examples.weights)
            last = LastBlocks(net.module, self.blocks, len(start))
            last.head.start_from(start)
            trained = 0.0
            if len(rows):
                tuned.start_from_sum(last.head, seen.vectors(last), some, limits)
                if limits.seconds_left() >= 1.2 * seen.seconds * A_PASS * self.blocks:  # there is time for a pass
                    trained = tuned.trained_on(last, seen.given, some, target, self.recipe(), limits, seed)
            found = (
                supervised.outputs(last, seen.given, some.inner) if len(some.inner) else np.zeros((1, 0, len(start)))
            )
        model = TunedModel(self.side, last.eval(), target, net.stamp)
        known = np.argsort(rows[some.inner])
        model.inner_predictions = inner_answers(examples, rows[some.inner][known], target.answer(found)[known])
        work = A_PASS * self.blocks * self.epochs
        model.planned = len(rows) / len(order) * (1 + work * trained) / (1 + work)
        return model

    def recipe(self) -> Mapping[str, Any]:
        """Arguments of `nets.loop.Recipe`."""
        return {"epochs": self.epochs, "batch": 32, "rate": self.rate, "warm": 0.1, "flat": 0.3}

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "blocks": lambda rng: int(rng.choice([1, 3])),
            "rate": lambda rng: float(np.exp(rng.uniform(np.log(5e-5), np.log(1e-3)))),
        }

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(epochs=1), Pictures, n_classes)


@dataclass
class Seen:
    """What the frozen blocks made of pictures. states: float16, shape (n, filters, rows, columns). seconds: it took."""

    states: np.ndarray
    seconds: float

    @classmethod
    def of(cls, inputs: Pictures, size: tuple[int, int], blocks: int, seconds_left: Callable[[], float]) -> Self:
        """Of as many of the first pictures as there is time for."""
        pace, started = Pace(seconds_left), time.monotonic()
        found: list[np.ndarray] = []
        done = 0
        while done < len(inputs):
            rows = np.arange(done, min(done + pace.chunk, len(inputs)))
            if not pace.allows(len(rows)):
                break
            with pace.over(len(rows)):
                found.append(_below(inputs.read(rows), size, blocks))
            done += len(rows)
        empty = np.zeros((0, 1, 1, 1), dtype=np.float16)
        return cls(np.concatenate(found) if found else empty, time.monotonic() - started)

    def given(self, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        """States as the last blocks take them."""
        import torch

        return (torch.from_numpy(self.states[rows]).float(),)

    def vectors(self, last: LastBlocks) -> np.ndarray:
        """What the whole net says before it is trained on, float32, shape (n, width)."""
        import torch

        with torch.inference_mode():
            parts = np.array_split(np.arange(len(self.states)), max(1, len(self.states) // pretrained.BATCH))
            return np.concatenate([last.vectors(*self.given(rows)).numpy() for rows in parts])


def _below(pixels: np.ndarray, size: tuple[int, int], blocks: int) -> np.ndarray:
    """What the frozen blocks make of pictures, float16, shape (n, filters, rows, columns)."""
    import torch

    from deepenough.nets.last_blocks import below

    net = pretrained.load(*size).module
    found = []
    with torch.inference_mode():
        for start in range(0, len(pixels), pretrained.BATCH):
            seen = pretrained.as_seen(pixels[start : start + pretrained.BATCH], size)
            found.append(below(net, blocks, seen).numpy().astype(np.float16))
    return np.concatenate(found)
