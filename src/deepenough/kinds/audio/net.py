"""What the nets of recordings share: the way from recordings to a trained net.

Needs that this module answers:

* A learner's own file says only what is its own: the net, how recordings are varied, and how it is trained.
* Nets hear so many steps at most as nearly all recordings have; under a clock steps are joined until there is time for
  a few passes over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from deepenough.kinds import trained
from deepenough.kinds.audio import decode
from deepenough.kinds.audio.inputs import Recordings
from deepenough.kinds.trained import Given, TrainedModel
from deepenough.learner import Examples, Limits

NEEDS = (*decode.NEEDS, "torch", "safetensors")
PRELOAD = ("torch", "safetensors.numpy", "deepenough.nets.sounds", "deepenough.nets.supervised")
NEARLY_ALL = 0.95
"""Share of the recordings that are heard whole."""
FEWEST_STEPS = 16
MOST_JOINED = 8
"""Steps that become one, at most."""
FEWEST_BATCHES = 200
"""Under a clock steps are joined until there is time for so many steps of training too."""
MEASURED = 500
"""Recordings whose bands are measured."""

AnyModel = TypeVar("AnyModel", bound="NetModel")


@dataclass(frozen=True)
class Design:
    """What a learner decides.

    net, own: name of a net in `nets.sounds` and its arguments. recipe: arguments of `nets.loop.Recipe`. masks: of
    `nets.sounds.Masks`. dropout: share of numbers left out in a step. smoothing: share of a label that is spread over
    all classes in training.
    """

    net: str
    own: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    masks: Mapping[str, float] = field(default_factory=dict)
    dropout: float = 0.2
    smoothing: float = 0.0


class NetModel(TrainedModel):
    """A trained net of `nets.sounds`."""

    needs = NEEDS
    nets = "deepenough.nets.sounds"

    @classmethod
    def given(cls, inputs: Recordings, architecture: Mapping[str, Any], device: str) -> Given:
        """Their steps, and how many these are; always as many where the net hears a fixed number."""
        import torch

        def tensors(rows: np.ndarray) -> tuple[torch.Tensor, ...]:
            steps = architecture["steps"]
            if architecture["class"] == "Read":
                steps = min(steps, int(inputs.lengths[rows].max(initial=1)))
            heard, lengths = inputs.padded(rows, steps)
            return torch.from_numpy(heard).to(device), torch.from_numpy(lengths).to(device)

        return tensors


def fit_net(examples: Examples, limits: Limits, seed: int, design: Design, model: type[AnyModel]) -> AnyModel:
    """Train a net on the outer rows, its epoch chosen on the inner ones."""
    recordings: Recordings = examples.inputs
    own = dict(design.own)
    architecture = {
        "class": design.net,
        "bands": decode.BANDS,
        "steps": max(FEWEST_STEPS, int(np.quantile(recordings.lengths, NEARLY_ALL))) if len(recordings) else 1,
        "dropout": design.dropout,
        "masks": dict(design.masks),
        "own": own,
    }

    def told(net: Any, outer: np.ndarray, batch: int) -> None:
        _standardise(net, recordings.take(outer))
        net.to(limits.device)
        if design.net != "Seen":
            return
        tensors = model.given(recordings, architecture, limits.device)(outer[:batch])
        asked = joined = own["shrink"]
        times = trained.too_slow(net, tensors, max(model.passes * len(outer), FEWEST_BATCHES * batch), limits)
        while joined < MOST_JOINED and times * asked / joined > 1:
            joined += 1
        net.shrink = own["shrink"] = joined

    return trained.fit(model, examples, limits, seed, architecture, design.recipe, design.smoothing, told)


def _standardise(net: Any, recordings: Recordings) -> None:
    """Tell the net mean and deviation of each band."""
    import torch

    some = recordings.take(np.arange(0, len(recordings), max(1, len(recordings) // MEASURED)))
    steps = np.concatenate(list(some.read()))
    deviation = steps.std(axis=0)
    net.mean.copy_(torch.from_numpy(steps.mean(axis=0)))
    net.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-3, deviation, 1).astype(np.float32)))
