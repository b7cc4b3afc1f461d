"""What the nets of files share: the way from pictures or clips to a trained net, and the model that is saved.

Needs that this module answers:

* A learner's own file says only what is its own: the body, how inputs are varied, and how it is trained.
* Pixels are read from where they lie, a batch at a time; a million inputs take no more memory than a thousand.
* Under a clock inputs are shrunk until there is time for a few passes over them.
* One input is answered in milliseconds, in one thread.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar

import numpy as np

from deepenough.learner import Examples, Limits, Model
from deepenough.nets import weights
from deepenough.nets.outputs import Outputs
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch

FEWEST_EPOCHS = 6.0
UNCHECKED_EPOCHS = 15.0
"""Epochs, at most, where no inner rows can say when it is enough."""


class Pixels(Protocol):
    """Inputs of pixels, whose shape ends in height, width and channels."""

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def take(self, rows: np.ndarray) -> Self: ...

    def read(self, rows: np.ndarray | slice = ...) -> np.ndarray: ...


AnyModel = TypeVar("AnyModel", bound="NetModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    body, settings: name of a body in the model's room of nets and its arguments. recipe: arguments of
    `nets.loop.Recipe`. augment: arguments of `nets.augment.Augment`. dropout: share of numbers left out in a step.
    smoothing: share of a label that is spread over all classes in training.
    """

    body: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    augment: Mapping[str, Any] = field(default_factory=dict)
    dropout: float = 0.2
    smoothing: float = 0.0


class NetModel(Model):
    """A trained net with all that prediction needs. `trace` holds (seconds, inner loss) of its training.

    room: module whose `build` makes the net of its architecture. batch: inputs at once where nothing is trained.
    passes: under a clock inputs are shrunk until there is time for so many passes over them; smallest: pixels of the
    shorter side, below which they aren't. most_epochs: inputs x epochs of a fit, at
    most, so that a fit on many ends; but never fewer than a few epochs. measured: inputs whose channels are measured.
    """

    room: ClassVar[str]
    batch: ClassVar[int]
    passes: ClassVar[float]
    smallest: ClassVar[int]
    most_epochs: ClassVar[int]
    measured: ClassVar[int]
    trace: tuple[tuple[float, float], ...] = ()

    def __init__(self, net: Any, architecture: Mapping[str, Any], target: Outputs) -> None:
        self.net, self.architecture, self.target = net, architecture, target

    def predict(self, inputs: Pixels) -> np.ndarray:
        from deepenough.nets import supervised

        if not len(inputs):
            return self.target.answer(np.zeros((1, 0, self.architecture["outputs"]), dtype=np.float32))
        rows = np.arange(len(inputs))
        with few_threads(len(inputs)):
            return self.target.answer(supervised.outputs(self.net, given(inputs, "cpu"), rows, self.batch))

    def save(self, folder: Path) -> None:
        weights.save(weights.of(self.net), self.architecture, folder)
        (folder / "target.json").write_text(json.dumps(vars(self.target)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        learnt, architecture = weights.load(folder)
        net = cls.build(architecture)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        target = Outputs(**json.loads((folder / "target.json").read_text(encoding="utf-8")))
        return cls(net.eval(), architecture, target)

    @classmethod
    def build(cls, architecture: Mapping[str, Any]) -> Any:
        """The net, made of plain values."""
        return importlib.import_module(cls.room).build(architecture)


def given(inputs: Pixels, device: str) -> Callable[[np.ndarray], tuple[torch.Tensor, ...]]:
    """How inputs become what the net takes: their pixels."""
    import torch

    def tensors(rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        return (torch.from_numpy(inputs.read(rows)).to(device),)

    return tensors


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    from deepenough.nets import blocks, loop, supervised

    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    counts = examples.weights_of(outer)
    target = Outputs.of(examples.targets[outer], examples.n_classes, counts)
    standard = target.standard(examples.targets)
    start = target.start(standard[outer], counts)
    inputs: Any = examples.inputs
    architecture = {
        "channels": inputs.shape[-1],
        "class": design.body,
        "body": dict(design.settings),
        "outputs": len(start),
        "dropout": design.dropout,
        "shrink": 1,
        "augment": dict(design.augment),
    }
    recipe = loop.Recipe(**_in_reason(design.recipe, len(outer), bool(len(examples.inner)), model.most_epochs))
    with supervised.seeded(seed, limits):
        net = model.build(architecture)
        net.head.start_from(start)
        _standardise(net, inputs.take(outer), model.measured)
        net.to(limits.device)
        net.shrink = architecture["shrink"] = _shrunk_in_time(net, inputs, outer, recipe, limits, model)
        trained = supervised.train(
            net,
            given(inputs, limits.device),
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


def _in_reason(recipe: Mapping[str, Any], rows: int, checked: bool, most: int) -> dict[str, Any]:
    """The recipe, its epochs cut where inputs are many, or where no inner rows can say when it is enough."""
    epochs = min(float(recipe["epochs"]), max(FEWEST_EPOCHS, most / rows))
    batch = next((size for fewer, size in ((1_000, 16), (4_000, 32)) if rows < fewer), 64)
    return {"batch": batch, **recipe, "epochs": epochs if checked else min(epochs, UNCHECKED_EPOCHS)}


def _standardise(net: Any, inputs: Pixels, measured: int) -> None:
    """Tell the net mean and deviation of each channel."""
    import torch

    some = inputs.read(np.arange(0, len(inputs), max(1, len(inputs) // measured))) / np.float32(255)
    axes = tuple(range(some.ndim - 1))
    deviation = some.std(axis=axes)
    net.mean.copy_(torch.from_numpy(some.mean(axis=axes)[:, None, None]))
    net.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-3, deviation, 1)[:, None, None].astype(np.float32)))


def _shrunk_in_time(
    net: Any, inputs: Pixels, outer: np.ndarray, recipe: Any, limits: Limits, model: type[NetModel]
) -> int:
    """Pixels a side that become one, so that there is time for a few passes over all; by a step that is timed."""
    left = limits.seconds_left()
    if left == float("inf"):
        return 1
    shorter, shrink = min(inputs.shape[-3:-1]), 1
    tensors = given(inputs, limits.device)(outer[: recipe.batch])
    net.train()
    for _ in range(2):  # the first step loads what torch loads lazily
        started = time.monotonic()
        net(*tensors).square().mean().backward()
        each = (time.monotonic() - started) / len(tensors[0])
        net.zero_grad(set_to_none=True)
    while shorter / (shrink + 1) >= model.smallest and model.passes * each * len(outer) / shrink**2 > 0.8 * left:
        shrink += 1
    return shrink
