"""What the forecast's nets share: the way from windows to a trained net, and the model that predicts and is saved.

Needs that this module answers:

* A learner's own file says only what is its own: the net, and how it is trained.
* The latest windows say when it is enough; where windows are few the net is then trained again with them, because what
  is latest tells most of what comes.
* Windows count as they are judged: by how far they are off in the unit of their series, not in their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from deepenough.kinds.answers import fit_twice
from deepenough.kinds.forecast.inputs import Layout, Windows
from deepenough.kinds.forecast.sight import Seen, Sight
from deepenough.kinds.forecast.spread import Spread
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.nets import weights

if TYPE_CHECKING:
    import torch

    from deepenough.nets.paths import PathOutputs
    from deepenough.nets.temporal import PathNet

NEEDS = ("torch", "safetensors")
PRELOAD = (
    "torch",
    "safetensors.numpy",
    "deepenough.nets.temporal",
    "deepenough.nets.paths",
    "deepenough.nets.supervised",
)
BATCH = 256
"""Windows at once where nothing is trained."""
FEW = 500
"""Below so many windows everything is kept small and short."""
VISITS = 150.0
"""Passes over the values of a series that a fit plans, at most. Measured on hourly bicycles: a plan of 100 came to a
loss of .52, one of 1,600 to .61, though the latest windows said when to stop."""
FEWEST_STEPS, MOST_WINDOWS, UNCHECKED = 150, 400_000, 20.0
"""Steps of a fit, at least; windows x epochs, at most; epochs, at most, where no inner windows can say when to stop."""
FEW_READ, MOST_READ = 24, 40
"""Steps of the history that a net takes one after the other, where windows are few and where they aren't; each of them
may be several put side by side."""

AnyModel = TypeVar("AnyModel", bound="PathModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    net, settings: name of a net in `nets.temporal` and its arguments. recipe: arguments of `nets.loop.Recipe`.
    length: steps of history that are read; 0: by the season and the horizon.
    patience: how many times as long as usual a plan is, for what learns slowly at a small price.
    """

    net: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    length: int = 0
    patience: float = 1.0


class PathModel(Model):
    """A trained net with all that prediction needs. `trace` holds (seconds, inner loss) of its training."""

    trace: tuple[tuple[float, float], ...] = ()
    best_epochs: float = 0.0

    def __init__(self, sight: Sight, net: PathNet, architecture: Mapping[str, Any], outputs: PathOutputs) -> None:
        self.sight, self.net, self.architecture, self.outputs = sight, net, architecture, outputs

    def predict(self, inputs: Windows) -> np.ndarray:
        from deepenough.nets import supervised

        parts = []
        for start in range(0, len(inputs), BATCH):
            rows = np.arange(start, min(start + BATCH, len(inputs)))
            seen = Seen(self.sight, inputs.take(rows))
            found = supervised.outputs(self.net, given(seen, "cpu"), np.arange(len(rows)), BATCH)
            parts.append(self.outputs.answer(found, seen.reference(), seen.unit, inputs.layout.least))
        return (
            np.concatenate(parts)
            if parts
            else np.zeros((0, self.architecture["shape"]["steps"], len(self.outputs.levels)))
        )

    def save(self, folder: Path) -> None:
        weights.save(weights.of(self.net), self.architecture, folder)
        facts = {"sight": self.sight.to_json(), "outputs": asdict(self.outputs)}
        (folder / "sight.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        from deepenough.nets import temporal
        from deepenough.nets.paths import PathOutputs

        learnt, architecture = weights.load(folder)
        facts = json.loads((folder / "sight.json").read_text(encoding="utf-8"))
        net = temporal.build(architecture)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        outputs = PathOutputs(tuple(facts["outputs"]["levels"]), facts["outputs"]["stretch"])
        return cls(Sight.from_json(facts["sight"]), net.eval(), architecture, outputs)


def given(seen: Seen, device: str) -> Any:
    """How windows become what a net takes."""
    import torch

    def tensors(rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        return tuple(torch.from_numpy(array).to(device) for array in seen.arrays(rows))

    return tensors


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net, its epoch chosen on the inner windows; where they are few, again on all for as many epochs."""
    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    few = examples.inputs.take(outer)
    sight = Sight.fit(few, examples.targets[outer], design.length or few.layout.look)
    seen = Seen(sight, examples.inputs)

    def fitted(rows: np.ndarray, first: AnyModel | None) -> AnyModel:
        if first is None:
            return _fitted(seen, examples, limits, seed, design, model, None)
        told = replace(examples, inner=np.empty(0, dtype=np.int64))
        return _fitted(seen, told, limits, seed, design, model, first)

    return fit_twice(examples, limits, fitted)


def _fitted(
    seen: Seen,
    examples: Examples,
    limits: Limits,
    seed: int,
    design: Design,
    model: type[AnyModel],
    first: AnyModel | None,
) -> AnyModel:
    """Once, on the rows that are not inner; with the epochs and the stretch that a first fit chose."""
    from deepenough.nets import blocks, loop, supervised, temporal
    from deepenough.nets.paths import PathOutputs

    assert examples.paths is not None
    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    outputs, reference = PathOutputs(examples.paths.levels), seen.reference()
    standard = outputs.standard(_not_of_inner(examples), reference, seen.unit)
    zero, ones = np.zeros_like(reference[outer]), np.ones(len(outer))
    offsets = Spread.fit(zero, standard[outer].astype(np.float64), ones, outputs.levels).offsets
    told = replace(examples, weights=_counts(seen, examples))
    epochs = None if first is None else first.best_epochs
    recipe = _in_reason(design, len(outer), standard.shape[1], len(examples.inner) > 0, epochs)
    with supervised.seeded(seed, limits):
        shape = temporal.Shape(*_widths(seen), *offsets.shape)
        architecture = temporal.architecture_of(design.net, shape, design.settings)
        net = temporal.build(architecture)
        net.start_from(outputs.raw(offsets))
        tensors = given(seen, limits.device)
        trained = supervised.train(net, tensors, standard, told, outputs, loop.Recipe(**recipe), limits, seed)
    if first is not None:
        outputs = first.outputs
    elif len(examples.inner):
        inner = supervised.spread(examples.inner, supervised.MOST_INNER)
        found, counts = supervised.outputs(net, tensors, inner), told.weights_of(inner)
        outputs = outputs.stretched(found, standard[inner], counts, len(inner) / standard.shape[1])
    blocks.forget(net)
    fitted = model(seen.sight, net.to("cpu"), architecture, outputs)
    fitted.planned, fitted.trace, fitted.best_epochs = trained.planned, tuple(trained.trace), trained.best_epochs
    return fitted


def _widths(seen: Seen) -> tuple[int, int, int, int]:
    """Length, channels, columns and facts of what a net is given."""
    behind, ahead, whole = seen.arrays(np.zeros(1, dtype=np.int64))
    return behind.shape[1], behind.shape[2], ahead.shape[2], whole.shape[1]


def _not_of_inner(examples: Examples) -> np.ndarray:
    """The targets, without the steps of other windows that inner ones are asked for too: windows overlap, and what was
    trained on must not say when it is enough. Where little would be left (inner ones lie everywhere), all of them."""
    windows, inner = examples.inputs, examples.inner
    if not len(inner):
        return examples.targets
    first = windows.times[windows.at[inner]].min()
    late = windows.times_ahead() > first
    late[inner] = False
    kept = np.where(late, np.nan, examples.targets)
    outer = examples.outer
    enough = np.isfinite(kept[outer]).sum() >= 0.5 * np.isfinite(examples.targets[outer]).sum()
    return kept if enough else examples.targets


def _counts(seen: Seen, examples: Examples) -> np.ndarray:
    """What each window counts: its unit next to that which is usual in its series, so that errors count as judged."""
    series, unit = seen.windows.series, seen.unit
    usual = np.ones(int(series.max(initial=0)) + 1)
    for code in np.unique(series).tolist():
        usual[code] = np.median(unit[series == code])
    counts = np.clip(unit / usual[series], 0.1, 10.0)
    counts = counts if examples.weights is None else counts * examples.weights
    return np.asarray(counts / counts.mean())


def _in_reason(design: Design, rows: int, horizon: int, checked: bool, epochs: float | None) -> dict[str, Any]:
    """The recipe for so many windows: batches small where they are few, and a plan that ends before each value was
    trained on too often: windows overlap, so a pass over them is `horizon` passes over the values."""
    batch = next((size for most, size in ((1_500, 32), (4_000, 64), (20_000, 128)) if rows < most), 256)
    steps = max(1, round(rows / batch))
    most = design.patience * max(VISITS / horizon, FEWEST_STEPS / steps)
    most = min(most, float(design.recipe["epochs"]), max(2.0, MOST_WINDOWS / rows))
    if epochs is not None:
        most = max(1.0, min(most, epochs))
    elif not checked:
        most = min(most, UNCHECKED)
    return {"batch": batch, **design.recipe, "epochs": most}


def width_for(windows: int, least: int, most: int) -> int:
    """Units of a layer for so many windows: few where these are few, so that they are not learnt by heart."""
    return int(np.clip(2 ** round(np.log2(max(windows, 1) / 25)), least, most))


def stride_for(length: int, windows: int) -> int:
    """How many of the steps that are read are put beside each other, so that a net reads few one after the other."""
    return -(-length // (FEW_READ if windows < FEW else MOST_READ))


def drawn(count: int = 2, steps: int = 80, horizon: int = 3) -> Examples:
    """A few windows of drawn series, for a warm-up."""
    from deepenough.kinds.forecast.steps import Step
    from deepenough.learner import Paths

    rng = np.random.default_rng(0)
    levels = (0.1, 0.5, 0.9)
    layout = Layout(horizon, levels, (7,), Step("seconds", 86_400.0), ("known",), ("past",))
    length = steps + horizon
    values = rng.normal(size=count * length)
    at = np.concatenate([series * length + np.arange(10, steps) for series in range(count)])
    start = at // length * length
    targets = values[at[:, None] + np.arange(1, horizon + 1)]
    times = np.tile(np.arange(length) * 86_400.0, count)
    windows = Windows(values, times, rng.normal(size=(count * length, 2)), at, start, at // length, ("a", "b"), layout)
    return Examples(windows, targets, None, np.arange(8), paths=Paths(horizon, levels))


def warm_up(learner: Learner) -> None:
    """Fit and predict on a few drawn windows, so that what torch loads lazily is loaded."""
    examples = drawn()
    learner.fit(examples, Limits(), seed=0).predict(examples.inputs)
