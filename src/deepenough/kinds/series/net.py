"""What the nets of series share: the way from series to a trained net, and the model that predicts and is saved.

Needs that this module answers:

* A learner's own file says only what is its own: the reader, how finely it reads, and how it is trained.
* A net sees each series by its own scale and by the common one, how it changes from step to step, where values are
  missing, and how high, lively and long it is.
* One series is answered in milliseconds, in one thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from deepenough.kinds.series.inputs import Signals
from deepenough.kinds.series.recording import averaged
from deepenough.kinds.series.scaling import Scaling
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.nets import weights
from deepenough.nets.outputs import Outputs

if TYPE_CHECKING:
    import torch

    from deepenough.nets.signals import SignalNet

NEEDS = ("torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.signals", "deepenough.nets.supervised")
SERIES_EPOCHS = 40_000
"""Series x epochs of a fit, at most, so that a fit on many series ends; but never fewer than a few epochs."""
FEWEST_EPOCHS = 6.0
UNCHECKED_EPOCHS = 15.0
"""Epochs, at most, where no inner rows can say when it is enough."""
AT_ONCE = 2_048
"""Series that are made ready at once while predicting."""

AnyModel = TypeVar("AnyModel", bound="NetModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    reader, settings: name of a reader in `nets.signals` and its arguments. recipe: arguments of `nets.loop.Recipe`.
    most_steps: longer series are averaged down. most_stretches: how many stretches a series is cut into, at most.
    vector: width of a stretch's vector; 0: the reader sees the steps themselves. dropout: share of numbers left out in
    a step. smoothing: share of a label that is spread over all classes in training.
    """

    reader: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    most_steps: int = 1_024
    most_stretches: int = 1_024
    vector: int = 0
    dropout: float = 0.2
    smoothing: float = 0.0


@dataclass(frozen=True)
class Sight:
    """How a net sees series. gaps: whether it is told where values are missing."""

    scaling: Scaling
    gaps: bool

    @classmethod
    def fit(cls, signals: Signals, most_steps: int) -> Self:
        """Learn from training series."""
        inside = np.arange(signals.values.shape[2]) < signals.lengths[:, None]
        gaps = bool((np.isnan(signals.values) & inside[:, None]).any())
        return cls(Scaling.fit(signals, most_steps), gaps)

    def __call__(self, signals: Signals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Steps, float32, shape (n, T, inputs), 0 behind an end; lengths, at least 1; and facts of each series."""
        values, lengths = self.scaling.values(signals), self.scaling.lengths(signals)
        seen = [self.scaling.own(values), self.scaling.common(values), self.scaling.changes(values)]
        if self.gaps:
            seen.append(np.isnan(averaged(signals.values, self.scaling.factor)).astype(np.float32))
        steps = np.concatenate(seen, axis=1).transpose(0, 2, 1)[:, : max(1, int(lengths.max(initial=1)))]
        inside = np.arange(steps.shape[1]) < lengths[:, None]
        return np.where(inside[:, :, None], steps, np.float32(0)), np.maximum(lengths, 1), self.scaling.facts(signals)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"scaling": self.scaling.to_json(), "gaps": self.gaps}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(Scaling.from_json(facts["scaling"]), facts["gaps"])


class NetModel(Model):
    """A trained net with all that prediction needs. `trace` holds (seconds, inner loss) of its training."""

    trace: tuple[tuple[float, float], ...] = ()

    def __init__(self, sight: Sight, net: SignalNet, architecture: Mapping[str, Any], target: Outputs) -> None:
        self.sight, self.net, self.architecture, self.target = sight, net, architecture, target

    def predict(self, inputs: Signals) -> np.ndarray:
        from deepenough.nets import supervised

        parts = []
        for start in range(0, len(inputs), AT_ONCE):
            seen = self.sight(inputs.take(np.arange(start, min(len(inputs), start + AT_ONCE))))
            parts.append(supervised.outputs(self.net, given(seen, "cpu"), np.arange(len(seen[0]))))
        nothing = np.zeros((1, 0, self.architecture["outputs"]), dtype=np.float32)
        return self.target.answer(np.concatenate([nothing, *parts], axis=1))

    def save(self, folder: Path) -> None:
        weights.save(weights.of(self.net), self.architecture, folder)
        facts = {"sight": self.sight.to_json(), "target": vars(self.target)}
        (folder / "series.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        from deepenough.nets import signals

        learnt, architecture = weights.load(folder)
        facts = json.loads((folder / "series.json").read_text(encoding="utf-8"))
        net = signals.build(architecture)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        return cls(Sight.from_json(facts["sight"]), net.eval(), architecture, Outputs(**facts["target"]))


def given(
    seen: tuple[np.ndarray, np.ndarray, np.ndarray], device: str
) -> Callable[[np.ndarray], tuple[torch.Tensor, ...]]:
    """How series that are seen become what the net takes; no longer than the longest of a batch."""
    import torch

    steps, lengths, facts = seen

    def tensors(rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        longest = int(lengths[rows].max(initial=1))
        arrays = (steps[rows, :longest], lengths[rows], facts[rows])
        return tuple(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays)

    return tensors


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    from deepenough.nets import blocks, loop, signals, supervised

    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    counts = examples.weights_of(outer)
    sight = Sight.fit(examples.inputs.take(outer), design.most_steps)
    seen = sight(examples.inputs)
    target = Outputs.of(examples.targets[outer], examples.n_classes, counts)
    standard = target.standard(examples.targets)
    start = target.start(standard[outer], counts)
    architecture = {
        "inputs": seen[0].shape[2],
        "front": {"stretch": -(-sight.scaling.steps // design.most_stretches), "vector": design.vector}
        if design.vector
        else None,
        "facts": seen[2].shape[1],
        "class": design.reader,
        "reader": dict(design.settings),
        "outputs": len(start),
        "dropout": design.dropout,
    }
    recipe = loop.Recipe(**_in_reason(design.recipe, len(outer), bool(len(examples.inner))))
    with supervised.seeded(seed, limits):
        net = signals.build(architecture)
        net.head.start_from(start)
        trained = supervised.train(
            net,
            given(seen, limits.device),
            standard,
            examples,
            target,
            recipe,
            limits,
            seed,
            design.smoothing,
        )
    blocks.forget(net)
    fitted = model(sight, net.to("cpu"), architecture, target)
    fitted.planned, fitted.trace = trained.planned, tuple(trained.trace)
    return fitted


def _in_reason(recipe: Mapping[str, Any], rows: int, checked: bool) -> dict[str, Any]:
    """The recipe, its epochs cut where series are many, or where no inner rows can say when it is enough."""
    epochs = min(float(recipe["epochs"]), max(FEWEST_EPOCHS, SERIES_EPOCHS / rows))
    batch = next((size for most, size in ((2_000, 32), (10_000, 64)) if rows < most), 128)
    return {"batch": batch, **recipe, "epochs": epochs if checked else min(epochs, UNCHECKED_EPOCHS)}


def warm_up(learner: Learner, n_classes: int | None) -> None:
    """Fit and predict on a few drawn series, so that what torch loads lazily is loaded."""
    values = np.random.default_rng(0).normal(size=(32, 1, 24))
    targets = values[:, 0, 0] if n_classes is None else np.arange(32) % n_classes
    signals = Signals(values, ("value",))
    learner.fit(Examples(signals, targets, n_classes, np.arange(8)), Limits(), seed=0).predict(signals)
