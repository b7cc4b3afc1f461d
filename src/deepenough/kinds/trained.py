"""From units to a trained net, and the model that predicts and is saved: what kinds share whose nets see files.

Needs that this module answers:

* A kind says how its inputs become tensors, and what a net is told before it trains; the rest is the same for all.
* Inputs are read from where they lie, a batch at a time; a million units take no more memory than a thousand.
* One unit is answered in milliseconds, in one thread.
"""

from __future__ import annotations

import importlib
import json
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np

from deepenough.learner import Examples, Limits, Model
from deepenough.nets import weights
from deepenough.nets.outputs import Outputs
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch
    from torch import nn

FEWEST_EPOCHS = 6.0
UNCHECKED_EPOCHS = 15.0
"""Epochs, at most, where no inner rows can say when it is enough."""

AnyModel = TypeVar("AnyModel", bound="TrainedModel")
Given = Callable[[np.ndarray], "tuple[torch.Tensor, ...]"]


class TrainedModel(Model):
    """A trained net with all that prediction needs. `trace` holds (seconds, inner loss) of its training.

    nets: the module that builds the net of an architecture. batch: units at once where nothing is trained.
    most_epochs: units x epochs of a fit, at most, so that a fit on many ends; but never fewer than a few epochs.
    passes: under a clock units are shrunk until there is time for so many passes over them.
    """

    nets: ClassVar[str]
    batch: ClassVar[int] = 64
    most_epochs: ClassVar[int] = 40_000
    passes: ClassVar[float] = 5.0
    trace: tuple[tuple[float, float], ...] = ()

    def __init__(self, net: nn.Module, architecture: Mapping[str, Any], target: Outputs) -> None:
        self.net, self.architecture, self.target = net, architecture, target

    @classmethod
    @abstractmethod
    def given(cls, inputs: Any, architecture: Mapping[str, Any], device: str) -> Given:
        """How rows of the inputs become what the net takes, on its device."""

    @classmethod
    def built(cls, architecture: Mapping[str, Any]) -> Any:
        """The net, untrained."""
        return importlib.import_module(cls.nets).build(architecture)

    def predict(self, inputs: Any) -> np.ndarray:
        from deepenough.nets import supervised

        if not len(inputs):
            return self.target.answer(np.zeros((1, 0, self.architecture["outputs"]), dtype=np.float32))
        with few_threads(len(inputs)):
            given = self.given(inputs, self.architecture, "cpu")
            return self.target.answer(supervised.outputs(self.net, given, np.arange(len(inputs)), self.batch))

    def save(self, folder: Path) -> None:
        weights.save(weights.of(self.net), self.architecture, folder)
        (folder / "target.json").write_text(json.dumps(vars(self.target)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        learnt, architecture = weights.load(folder)
        net = cls.built(architecture)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        target = Outputs(**json.loads((folder / "target.json").read_text(encoding="utf-8")))
        return cls(net.eval(), architecture, target)


def fit(
    model: type[AnyModel],
    examples: Examples,
    limits: Limits,
    seed: int,
    architecture: dict[str, Any],
    recipe: Mapping[str, Any],
    smoothing: float,
    told: Callable[[Any, np.ndarray, int], None],
) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones.

    architecture: of the net, without its `outputs`. recipe: arguments of `nets.loop.Recipe`. smoothing: share of a
    label that is spread over all classes. told: what is done with the net, the outer rows and the size of a batch
    before it trains; it may change the architecture.
    """
    from deepenough.nets import blocks, loop, supervised

    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    counts = examples.weights_of(outer)
    target = Outputs.of(examples.targets[outer], examples.n_classes, counts)
    standard = target.standard(examples.targets)
    start = target.start(standard[outer], counts)
    architecture["outputs"] = len(start)
    plan = loop.Recipe(**_in_reason(recipe, len(outer), bool(len(examples.inner)), model.most_epochs))
    with supervised.seeded(seed, limits):
        net = model.built(architecture)
        net.head.start_from(start)
        told(net, outer, plan.batch)
        given = model.given(examples.inputs, architecture, limits.device)
        trained = supervised.train(net, given, standard, examples, target, plan, limits, seed, smoothing)
    blocks.forget(net)
    fitted = model(net.to("cpu"), architecture, target)
    fitted.planned, fitted.trace = trained.planned, tuple(trained.trace)
    return fitted


def _in_reason(recipe: Mapping[str, Any], rows: int, checked: bool, most: int) -> dict[str, Any]:
    """The recipe, its epochs cut where units are many, or where no inner rows can say when it is enough."""
    epochs = min(float(recipe["epochs"]), max(FEWEST_EPOCHS, most / rows))
    batch = next((size for most, size in ((1_000, 16), (4_000, 32)) if rows < most), 64)
    return {"batch": batch, **recipe, "epochs": epochs if checked else min(epochs, UNCHECKED_EPOCHS)}


def too_slow(net: nn.Module, tensors: tuple[torch.Tensor, ...], units: float, limits: Limits) -> float:
    """How many times as much as the time left so many units take to train on, by a step that is timed; below 1 there
    is time enough. tensors: of one batch, on the net's device."""
    left = limits.seconds_left()
    if left == float("inf"):
        return 0.0
    net.train()
    for _ in range(2):  # the first step loads what torch loads lazily
        started = time.monotonic()
        net(*tensors).square().mean().backward()
        each = (time.monotonic() - started) / len(tensors[0])
        net.zero_grad(set_to_none=True)
    return each * units / (0.8 * left) if left > 0 else float("inf")
