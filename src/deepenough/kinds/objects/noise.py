"""A few pictures of noise with a box each to fit on before the clock starts, as `kinds.noise` for other answers."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.objects.inputs import Scenes
from deepenough.learner import Examples, Learner, Limits, Lists


def warm_up(learner: Learner) -> None:
    """Fit and predict on noise."""
    pixels = np.random.default_rng(0).integers(0, 255, (16, 32, 32, 3)).astype(np.uint8)
    truth = np.tile(np.array([[0, 0.25, 0.25, 0.75, 0.75]]), (16, 1, 1))
    scenes = Scenes.of(pixels)
    examples = Examples(scenes, truth, None, np.arange(4), lists=Lists(10, 1, 4))
    learner.fit(examples, Limits(), seed=0).predict(scenes)
