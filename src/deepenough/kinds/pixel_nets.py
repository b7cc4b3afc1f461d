"""What the nets of pictures and clips share: from pixels to a trained net.

Needs that this module answers:

* A learner's own file says only what is its own: the body, how inputs are varied, and how it is trained.
* Under a clock inputs are shrunk until there is time for a few passes over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np

from deepenough.kinds import trained
from deepenough.kinds.pixel_inputs import Pixels
from deepenough.kinds.trained import Given, TrainedModel
from deepenough.learner import Examples, Limits

AnyModel = TypeVar("AnyModel", bound="NetModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    body, settings: name of a body in the model's module of nets and its arguments. recipe: arguments of
    `nets.loop.Recipe`. augment: arguments of `nets.augment.Augment`. dropout: share of numbers left out in a step.
    smoothing: share of a label that is spread over all classes in training.
    """

    body: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    augment: Mapping[str, Any] = field(default_factory=dict)
    dropout: float = 0.2
    smoothing: float = 0.0


class NetModel(TrainedModel):
    """A trained net of pixels.

    smallest: pixels of the shorter side, below which inputs aren't shrunk. measured: inputs whose channels are measured
    before training. least_seen: units x epochs for which there must be time too before all pixels are taken: a net
    that has seen fewer has hardly begun, however many passes that are.
    """

    smallest: ClassVar[int]
    least_seen: ClassVar[int] = 0
    measured: ClassVar[int]

    @classmethod
    def given(cls, inputs: Pixels, architecture: Mapping[str, Any], device: str) -> Given:
        """Their pixels."""
        import torch

        return lambda rows: (torch.from_numpy(inputs.read(rows)).to(device),)


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    inputs: Pixels = examples.inputs
    architecture = {
        "channels": inputs.shape[-1],
        "class": design.body,
        "body": dict(design.settings),
        "dropout": design.dropout,
        "shrink": 1,
        "augment": dict(design.augment),
    }

    def told(net: Any, outer: np.ndarray, batch: int) -> None:
        _standardise(net, inputs.take(outer), model.measured)
        net.to(limits.device)
        tensors = model.given(inputs, architecture, limits.device)(outer[:batch])
        times = trained.too_slow(net, tensors, max(model.passes * len(outer), model.least_seen), limits)
        shorter, shrink = min(inputs.shape[-3:-1]), 1
        while shorter / (shrink + 1) >= model.smallest and times / shrink**2 > 1:
            shrink += 1
        net.shrink = architecture["shrink"] = shrink

    return trained.fit(model, examples, limits, seed, architecture, design.recipe, design.smoothing, told)


def _standardise(net: Any, inputs: Pixels, measured: int) -> None:
    """Tell the net mean and deviation of each channel."""
    import torch

    some = inputs.read(np.arange(0, len(inputs), max(1, len(inputs) // measured))) / np.float32(255)
    axes = tuple(range(some.ndim - 1))
    deviation = some.std(axis=axes)
    net.mean.copy_(torch.from_numpy(some.mean(axis=axes)[:, None, None]))
    net.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-3, deviation, 1)[:, None, None].astype(np.float32)))
