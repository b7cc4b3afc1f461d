"""What the nets of pictures share: the way from pictures to a trained net, and the model that predicts and is saved.

Needs that this module answers:

* A learner's own file says only what is its own: the body, how pictures are varied, and how it is trained.
* Pixels are read from where they lie, a batch at a time; a million pictures take no more memory than a thousand.
* Under a clock pictures are shrunk until there is time for a few passes over them.
* One picture is answered in milliseconds, in one thread.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from deepenough.kinds.image import decode
from deepenough.kinds.image.inputs import Pictures
from deepenough.learner import Examples, Limits, Model
from deepenough.nets import weights
from deepenough.nets.outputs import Outputs
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch

    from deepenough.nets.pictures import PictureNet

NEEDS = (*decode.NEEDS, "torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.pictures", "deepenough.nets.supervised")
BATCH = 64
"""Pictures at once where nothing is trained."""
PASSES = 5.0
"""Under a clock pictures are shrunk until there is time for so many passes over them."""
SMALLEST = 20
"""Pixels of the shorter side, below which pictures aren't shrunk."""
PICTURE_EPOCHS = 40_000
"""Pictures x epochs of a fit, at most, so that a fit on many ends; but never fewer than a few epochs."""
FEWEST_EPOCHS = 6.0
UNCHECKED_EPOCHS = 15.0
"""Epochs, at most, where no inner rows can say when it is enough."""
MEASURED = 500
"""Pictures whose channels are measured."""

AnyModel = TypeVar("AnyModel", bound="NetModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    body, settings: name of a body in `nets.pictures` and its arguments. recipe: arguments of `nets.loop.Recipe`.
    augment: arguments of `nets.augment.Augment`. dropout: share of numbers left out in a step. smoothing: share of a
    label that is spread over all classes in training.
    """

    body: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    augment: Mapping[str, Any] = field(default_factory=dict)
    dropout: float = 0.2
    smoothing: float = 0.0


class NetModel(Model):
    """A trained net with all that prediction needs. `trace` holds (seconds, inner loss) of its training."""

    trace: tuple[tuple[float, float], ...] = ()

    def __init__(self, net: PictureNet, architecture: Mapping[str, Any], target: Outputs) -> None:
        self.net, self.architecture, self.target = net, architecture, target

    def predict(self, inputs: Pictures) -> np.ndarray:
        from deepenough.nets import supervised

        if not len(inputs):
            return self.target.answer(np.zeros((1, 0, self.architecture["outputs"]), dtype=np.float32))
        with few_threads(len(inputs)):
            return self.target.answer(supervised.outputs(self.net, given(inputs, "cpu"), np.arange(len(inputs)), BATCH))

    def save(self, folder: Path) -> None:
        weights.save(weights.of(self.net), self.architecture, folder)
        (folder / "target.json").write_text(json.dumps(vars(self.target)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        from deepenough.nets import pictures

        learnt, architecture = weights.load(folder)
        net = pictures.build(architecture)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        target = Outputs(**json.loads((folder / "target.json").read_text(encoding="utf-8")))
        return cls(net.eval(), architecture, target)


def given(pictures: Pictures, device: str) -> Callable[[np.ndarray], tuple[torch.Tensor, ...]]:
    """How pictures become what the net takes: their pixels."""
    import torch

    def tensors(rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        return (torch.from_numpy(pictures.read(rows)).to(device),)

    return tensors


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    from deepenough.nets import blocks, loop, pictures, supervised

    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    counts = examples.weights_of(outer)
    target = Outputs.of(examples.targets[outer], examples.n_classes, counts)
    standard = target.standard(examples.targets)
    start = target.start(standard[outer], counts)
    architecture = {
        "channels": examples.inputs.shape[2],
        "class": design.body,
        "body": dict(design.settings),
        "outputs": len(start),
        "dropout": design.dropout,
        "shrink": 1,
        "augment": dict(design.augment),
    }
    recipe = loop.Recipe(**_in_reason(design.recipe, len(outer), bool(len(examples.inner))))
    with supervised.seeded(seed, limits):
        net = pictures.build(architecture)
        net.head.start_from(start)
        _standardise(net, examples.inputs.take(outer))
        net.to(limits.device)
        net.shrink = architecture["shrink"] = _shrunk_in_time(net, examples.inputs, outer, recipe, limits)
        trained = supervised.train(
            net,
            given(examples.inputs, limits.device),
            standard,
            examples,
            target,
            recipe,
            limits,
            seed,
            design.smoothing,
        )
    blocks.forget(net)
    fitted = model(net.to("cpu"), architecture, target)
    fitted.planned, fitted.trace = trained.planned, tuple(trained.trace)
    return fitted


def _in_reason(recipe: Mapping[str, Any], rows: int, checked: bool) -> dict[str, Any]:
    """The recipe, its epochs cut where pictures are many, or where no inner rows can say when it is enough."""
    epochs = min(float(recipe["epochs"]), max(FEWEST_EPOCHS, PICTURE_EPOCHS / rows))
    batch = next((size for most, size in ((1_000, 16), (4_000, 32)) if rows < most), 64)
    return {"batch": batch, **recipe, "epochs": epochs if checked else min(epochs, UNCHECKED_EPOCHS)}


def _standardise(net: PictureNet, pictures: Pictures) -> None:
    """Tell the net mean and deviation of each channel."""
    import torch

    some = pictures.read(np.arange(0, len(pictures), max(1, len(pictures) // MEASURED))) / np.float32(255)
    deviation = some.std(axis=(0, 1, 2))
    net.mean.copy_(torch.from_numpy(some.mean(axis=(0, 1, 2))[:, None, None]))
    net.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-3, deviation, 1)[:, None, None].astype(np.float32)))


def _shrunk_in_time(net: PictureNet, pictures: Pictures, outer: np.ndarray, recipe: Any, limits: Limits) -> int:
    """Pixels a side that become one, so that there is time for a few passes over all; by a step that is timed."""
    left = limits.seconds_left()
    if left == float("inf"):
        return 1
    shorter, shrink = min(pictures.shape[:2]), 1
    tensors = given(pictures, limits.device)(outer[: recipe.batch])
    net.train()
    for _ in range(2):  # the first step loads what torch loads lazily
        started = time.monotonic()
        net(*tensors).square().mean().backward()
        each = (time.monotonic() - started) / len(tensors[0])
        net.zero_grad(set_to_none=True)
    while shorter / (shrink + 1) >= SMALLEST and PASSES * each * len(outer) / shrink**2 > 0.8 * left:
        shrink += 1
    return shrink
