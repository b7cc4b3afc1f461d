"""What the table's nets share: the way from examples to a trained net, and the model that predicts and is saved.

Needs that this module answers:

* A learner's own file says only what is its own: the body, and how it is trained for a number of rows.
* Prediction needs no training data, no pandas and no torch: encode, scale, one forward pass of numpy in batches, which
  was compared with torch's before the model left its fit. So the model that is judged and timed is the one that serves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from deepenough.graph import Graph, Value
from deepenough.kinds.table import drawn
from deepenough.kinds.table.inputs import Column, Table
from deepenough.kinds.table.prepare import Encoder
from deepenough.kinds.table.scaling import Arrays, Scaling, pieces
from deepenough.learner import Examples, Learner, Limits, Model
from deepenough.nets import drawn as drawn_nets
from deepenough.nets import weights
from deepenough.nets.forward import Forward, difference
from deepenough.nets.outputs import Outputs

if TYPE_CHECKING:
    import torch

    from deepenough.nets.bodies import Net

NEEDS = ("torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.loop", "deepenough.nets.bodies")
BATCH = 2_048
"""Rows at once when the inner rows are looked at."""
ROWS_TO_COMPARE = 64
"""Rows on which the forward pass that predicts is compared with the one that was trained."""
SAME = 1e-3
"""By how much outputs of the two may differ; sums of float32 in another order differ by some 1e-6."""
MOST_INNER = 5_000
"""Inner rows that are looked at while training."""
ROW_EPOCHS = 700_000
"""Rows x epochs of a fit, at most, so that a fit on many rows ends; but never fewer than a dozen epochs."""

AnyModel = TypeVar("AnyModel", bound="NeuralModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    body, body_settings: name of a body in `nets.bodies` and its arguments. recipe: arguments of `nets.loop.Recipe`.
    pieces: pieces a number is cut into, at most. waves: cosines a number. smoothing: share of a label that is spread
    over all classes in training.
    """

    body: str
    body_settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    pieces: int = 16
    waves: int = 16
    smoothing: float = 0.0


class NeuralModel(Model):
    """A trained net with all that prediction needs. `trace` holds (seconds, inner loss) of its training."""

    needs = ("safetensors",)
    trace: tuple[tuple[float, float], ...] = ()

    def __init__(self, encoder: Encoder, scaling: Scaling, forward: Forward, target: Outputs) -> None:
        self.encoder, self.scaling, self.forward, self.target = encoder, scaling, forward, target

    def predict(self, inputs: Table) -> np.ndarray:
        return self.target.answer(self.forward(*self.scaling.arrays(self.encoder.transform(inputs))))

    def onnx(self, graph: Graph) -> Value:
        arrays = drawn.scaled(graph, self.encoder, self.scaling)
        outputs = drawn_nets.forward(graph, self.forward.architecture, self.forward.weights, *arrays)
        return drawn_nets.answered(graph, outputs, self.target)

    def save(self, folder: Path) -> None:
        self.encoder.save(folder)
        self.scaling.save(folder)
        weights.save(self.forward.weights, self.forward.architecture, folder)
        (folder / "target.json").write_text(json.dumps(vars(self.target)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        learnt, architecture = weights.load(folder)
        target = Outputs(**json.loads((folder / "target.json").read_text(encoding="utf-8")))
        return cls(Encoder.load(folder), Scaling.load(folder), Forward(architecture, learnt), target)


def outputs(net: Net, arrays: Arrays) -> np.ndarray:
    """Members' outputs of all rows, shape (m, n, outputs), computed in batches."""
    import torch

    device = next(net.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, max(1, len(arrays[0])), BATCH):
            batch = [torch.from_numpy(array[start : start + BATCH]).to(device) for array in arrays]
            parts.append(net(*batch).cpu().numpy())
    return np.concatenate(parts, axis=1)


def _without_torch(net: Net, architecture: Mapping[str, Any], some: Arrays) -> Forward:
    """The net as a forward pass of numpy, which answers some rows as torch does, or is refused."""
    forward = Forward(architecture, weights.of(net))
    apart = difference(forward(*some), outputs(net, some))
    if not apart <= SAME:
        raise ArithmeticError(f"numpy's forward pass differs from torch's by up to {apart:.2g}, more than {SAME}")
    return forward


def batch_for(rows: int) -> int:
    """Rows a step: small where there are few, for the number of steps; large where there are many, for their cost."""
    return next((batch for most, batch in ((2_500, 64), (24_000, 256), (100_000, 512)) if rows < most), 1_024)


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    import torch

    from deepenough.nets import blocks, bodies, loop

    torch.set_num_threads(limits.threads)
    encoder = Encoder.fit(examples.inputs)
    encoded = encoder.transform(examples.inputs)
    scaling = Scaling.fit(encoded)
    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    weights = examples.weights_of(outer)
    target = Outputs.of(examples.targets[outer], examples.n_classes, weights)
    arrays, standard = scaling.arrays(encoded), target.standard(examples.targets)
    inner = _spread(examples.inner, MOST_INNER)
    cuts = pieces(arrays[0], design.pieces)
    start = target.start(standard[outer], weights)
    architecture = _architecture(scaling, design, len(cuts[0]), len(start))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = bodies.build(architecture)
        net.front.cut(*cuts)
        net.body.head.start_from(start)
        net.to(limits.device)
        learn_from = [torch.from_numpy(array[outer]).to(limits.device) for array in (*arrays, standard)]
        counts = None if weights is None else torch.from_numpy(weights.astype(np.float32)).to(limits.device)
        look_at = (arrays[0][inner], arrays[1][inner], arrays[2][inner])

        def loss(rows: torch.Tensor) -> torch.Tensor:
            *given, goal = (tensor[rows] for tensor in learn_from)
            return target.loss(net(*given), goal, design.smoothing, None if counts is None else counts[rows])

        def check() -> float:
            return target.inner_loss(outputs(net, look_at), standard[inner], examples.weights_of(inner))

        recipe = loop.Recipe(**_in_reason(design.recipe, len(outer), bool(len(inner))))
        trained = loop.train(net, loss, check if len(inner) else None, len(outer), recipe, limits, seed)
    blocks.forget(net)
    some = _spread(np.arange(len(examples)), ROWS_TO_COMPARE)
    forward = _without_torch(net.to("cpu"), architecture, (arrays[0][some], arrays[1][some], arrays[2][some]))
    fitted = model(encoder, scaling, forward, target)
    fitted.planned, fitted.trace = trained.planned, tuple(trained.trace)
    return fitted


def _architecture(scaling: Scaling, design: Design, cut: int, outputs: int) -> dict[str, Any]:
    waves = design.waves if len(scaling.used) <= 128 else 0  # beyond that the waves cost more than all the rest
    return {
        "front": {**scaling.front, "pieces": cut, "waves": waves},
        "class": design.body,
        "body": dict(design.body_settings),
        "outputs": outputs,
    }


def _in_reason(recipe: Mapping[str, Any], rows: int, checked: bool) -> dict[str, Any]:
    """The recipe, its epochs cut where rows are many, or where no inner rows can say when it is enough."""
    epochs = min(float(recipe["epochs"]), max(12.0, ROW_EPOCHS / rows))
    return {**recipe, "epochs": epochs if checked else min(epochs, 12.0)}


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def warm_up(learner: Learner, n_classes: int | None) -> None:
    """Fit and predict on a few drawn rows, so that what torch loads lazily is loaded."""
    rng = np.random.default_rng(0)
    rows = 48
    levels = tuple(f"level {place}" for place in range(20))
    columns = (
        Column("number", "number", np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows))),
        Column("small", "category", rng.integers(0, 3, rows).astype(np.int32), levels[:3]),
        Column("large", "category", np.arange(rows, dtype=np.int32) % 20, levels),
    )
    targets = rng.normal(size=rows) if n_classes is None else np.arange(rows) % n_classes
    table = Table(columns)
    learner.fit(Examples(table, targets, n_classes, np.arange(8)), Limits(), seed=0).predict(table)
