"""From pictures and boxes to a trained net that finds objects.

Needs that this module answers:

* How fine its places are hangs on how large objects are: small ones need close places, large ones don't.
* Each picture is answered by itself, in one thread: whatever it is asked with, its finds stay the same, and so does
  their order.
* The epoch is chosen by the inner pictures' loss; what scores mean is learnt from these too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deepenough.kinds import picture_files
from deepenough.kinds.objects import boxes, scores
from deepenough.kinds.objects.inputs import Scenes
from deepenough.kinds.objects.scores import Meaning
from deepenough.learner import Examples, Limits, Lists, Model
from deepenough.nets import weights
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    from torch import Tensor

    from deepenough.nets.detectors import Detector

NEEDS = (*picture_files.NEEDS, "torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.detectors", "deepenough.nets.loop")
COARSE_FROM = 16.0
"""Pixels of the usual object's shorter side from which places are eight pixels apart, not four."""
CANDIDATES = 300
"""Places and classes of a picture that are thought about, the best ones."""
MEASURED = 300
MOST_EPOCHS = 60_000
"""Pictures times epochs of a fit, at most."""
MOST_INNER = 400
BATCH = 32
UNCHECKED_EPOCHS = 25.0


@dataclass(frozen=True)
class Design:
    """What a learner decides. widths, deep: see `nets.detectors.Detector`. recipe: arguments of `nets.loop.Recipe`.
    varied: arguments of `nets.detectors.Varied`."""

    widths: tuple[int, ...]
    deep: int
    recipe: Mapping[str, Any] = field(default_factory=dict)
    varied: Mapping[str, Any] = field(default_factory=dict)


class DetectorModel(Model):
    """A trained net, and what its scores mean. `trace` holds (seconds, inner loss) of its training."""

    trace: tuple[tuple[float, float], ...] = ()

    def __init__(self, net: Detector, architecture: Mapping[str, Any], lists: Lists, meaning: Meaning) -> None:
        self.net, self.architecture, self.lists, self.meaning = net, architecture, lists, meaning

    def predict(self, inputs: Scenes) -> np.ndarray:
        import torch

        answers = np.zeros((len(inputs), *self.lists.shape))
        with few_threads(1), torch.inference_mode():
            for row in range(len(inputs)):
                pixels = inputs.read(np.array([row]))
                odds, places = self.net.told(self.net(torch.from_numpy(pixels)))
                answers[row] = self._list_of(odds[0].numpy(), places[0].numpy(), pixels.shape[1:3])
        return answers

    def _list_of(self, odds: np.ndarray, places: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
        """odds: shape (places, classes). places: in pixels, shape (places, 4)."""
        best = np.argsort(-odds, axis=None, kind="stable")[:CANDIDATES]
        place, codes = np.divmod(best, odds.shape[1])
        shares = places[place].astype(np.float64) / np.array([size[1], size[0], size[1], size[0]])
        return boxes.as_list(shares, self.meaning(odds.ravel()[best].astype(np.float64)), codes, self.lists.most)

    def save(self, folder: Path) -> None:
        weights.save(weights.of(self.net), self.architecture, folder)
        facts = {"lists": asdict(self.lists), "meaning": asdict(self.meaning)}
        (folder / "finds.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        import torch

        from deepenough.nets import detectors

        learnt, architecture = weights.load(folder)
        net = detectors.build(architecture)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in learnt.items()})
        facts = json.loads((folder / "finds.json").read_text(encoding="utf-8"))
        return cls(net.eval(), architecture, Lists(**facts["lists"]), Meaning(**facts["meaning"]))


def fit(examples: Examples, limits: Limits, seed: int, design: Design) -> DetectorModel:
    """Train on the outer pictures, the epoch chosen on the inner ones."""
    from deepenough.nets import detectors, loop, supervised

    lists, inputs = examples.lists, examples.inputs
    assert lists is not None
    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    inner = supervised.spread(examples.inner, MOST_INNER)
    architecture = _architecture(examples.targets[outer], inputs, lists, design)
    recipe = loop.Recipe(**_in_reason(design.recipe, len(outer), bool(len(inner))))
    things = _in_pixels(examples.targets, inputs.shape)
    counts = examples.weights
    with supervised.seeded(seed, limits):
        net = detectors.build(architecture)
        _standardise(net, inputs.take(outer))
        net.to(limits.device)
        varied = detectors.Varied(**design.varied)

        def given(rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor | None]:
            return _given(inputs, things, counts, rows, limits.device)

        def loss(places: Tensor) -> Tensor:
            pixels, own, weighs = given(outer[places.cpu().numpy()])
            x, own = varied(pixels.permute(0, 3, 1, 2).float() / 255, own)
            return detectors.loss(net, net.seen(x), own, weighs)

        def check() -> float:
            parts = np.array_split(inner, max(1, len(inner) // BATCH))
            found = [
                float(detectors.loss(net, net(pixels), own, weighs, certain=True)) * len(own)
                for pixels, own, weighs in map(given, parts)
            ]
            return sum(found) / len(inner)

        trained = loop.train(net, loss, check if len(inner) else None, len(outer), recipe, limits, seed)
    model = DetectorModel(net.to("cpu"), architecture, lists, Meaning())
    model.planned, model.trace = trained.planned, tuple(trained.trace)
    some = scores.inner_rows(examples)
    if len(some) and limits.seconds_left() > 0:
        model.meaning = Meaning.of(model.predict(inputs.take(some)), examples.targets[some])
    return model


def _given(
    inputs: Scenes, things: np.ndarray, counts: np.ndarray | None, rows: np.ndarray, device: str
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Pixels of these pictures, their things in pixels, and what each counts."""
    import torch

    weighs = None if counts is None else torch.from_numpy(counts[rows].astype(np.float32)).to(device)
    own = torch.from_numpy(np.ascontiguousarray(things[rows])).to(device)
    return torch.from_numpy(inputs.read(rows)).to(device), own, weighs


def _architecture(truth: np.ndarray, inputs: Scenes, lists: Lists, design: Design) -> dict[str, Any]:
    sides = _in_pixels(truth, inputs.shape)
    own = sides[~np.isnan(sides[:, :, 0])][:, 1:]
    width, height = own[:, 2] - own[:, 0], own[:, 3] - own[:, 1]
    usual = float(np.median(np.minimum(width, height))) if len(own) else 16.0
    return {
        "channels": inputs.shape[-1],
        "classes": lists.classes,
        "widths": list(design.widths),
        "stride": 8 if usual >= COARSE_FROM else 4,
        "deep": design.deep,
        "typical": float(np.sqrt(width * height).mean() / 2) if len(own) else 8.0,
    }


def _in_pixels(truth: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Class and box in pixels as pictures are read, float32."""
    height, width = shape[:2]
    return np.asarray(truth * np.array([1, width, height, width, height]), dtype=np.float32)


def _in_reason(recipe: Mapping[str, Any], rows: int, checked: bool) -> dict[str, Any]:
    """The recipe, its epochs cut where pictures are many, or where no inner ones can say when it is enough."""
    most = min(float(recipe["epochs"]), max(6.0, MOST_EPOCHS / rows))
    return {**recipe, "epochs": most if checked else min(most, UNCHECKED_EPOCHS)}


def _standardise(net: Detector, inputs: Scenes) -> None:
    """Tell the net mean and deviation of each channel."""
    import torch

    some = inputs.read(np.arange(0, len(inputs), max(1, len(inputs) // MEASURED))) / np.float32(255)
    deviation = some.std(axis=(0, 1, 2))
    net.mean.copy_(torch.from_numpy(some.mean(axis=(0, 1, 2))[:, None, None]))
    net.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-3, deviation, 1)[:, None, None].astype(np.float32)))
