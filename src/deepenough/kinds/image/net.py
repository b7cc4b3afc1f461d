"""What the nets of pictures share: the way from pictures to a trained net.

Needs that this module answers:

* A learner's own file says only what is its own: the body, how pictures are varied, and how it is trained.
* Under a clock pictures are shrunk until there is time for a few passes over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from deepenough.kinds import trained
from deepenough.kinds.image import decode
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.trained import Given, TrainedModel
from deepenough.learner import Examples, Limits

if TYPE_CHECKING:
    from deepenough.nets.pictures import PictureNet

NEEDS = (*decode.NEEDS, "torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.pictures", "deepenough.nets.supervised")
SMALLEST = 20
"""Pixels of the shorter side, below which pictures aren't shrunk."""
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


class NetModel(TrainedModel):
    """A trained net of `nets.pictures`."""

    nets = "deepenough.nets.pictures"

    @classmethod
    def given(cls, inputs: Pictures, architecture: Mapping[str, Any], device: str) -> Given:
        """Their pixels."""
        import torch

        return lambda rows: (torch.from_numpy(inputs.read(rows)).to(device),)


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    pictures: Pictures = examples.inputs
    architecture = {
        "channels": pictures.shape[2],
        "class": design.body,
        "body": dict(design.settings),
        "dropout": design.dropout,
        "shrink": 1,
        "augment": dict(design.augment),
    }

    def told(net: PictureNet, outer: np.ndarray, batch: int) -> None:
        _standardise(net, pictures.take(outer))
        net.to(limits.device)
        tensors = model.given(pictures, architecture, limits.device)(outer[:batch])
        times, shorter, shrink = trained.too_slow(net, tensors, len(outer), limits), min(pictures.shape[:2]), 1
        while shorter / (shrink + 1) >= SMALLEST and times / shrink**2 > 1:
            shrink += 1
        net.shrink = architecture["shrink"] = shrink

    return trained.fit(model, examples, limits, seed, architecture, design.recipe, design.smoothing, told)


def _standardise(net: PictureNet, pictures: Pictures) -> None:
    """Tell the net mean and deviation of each channel."""
    import torch

    some = pictures.read(np.arange(0, len(pictures), max(1, len(pictures) // MEASURED))) / np.float32(255)
    deviation = some.std(axis=(0, 1, 2))
    net.mean.copy_(torch.from_numpy(some.mean(axis=(0, 1, 2))[:, None, None]))
    net.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-3, deviation, 1)[:, None, None].astype(np.float32)))
