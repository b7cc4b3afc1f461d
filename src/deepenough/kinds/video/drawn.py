"""A few drawn clips to fit on before the clock starts: libraries load lazily what a first fit needs."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.video.inputs import Clips
from deepenough.learner import Examples, Learner, Limits


def warm_up(learner: Learner, n_classes: int | None) -> None:
    """Fit and predict on noise."""
    pixels = np.random.default_rng(0).integers(0, 255, (24, 8, 16, 16, 3)).astype(np.uint8)
    targets = np.arange(24.0) if n_classes is None else np.arange(24) % n_classes
    clips = Clips.of(pixels)
    learner.fit(Examples(clips, targets, n_classes, np.arange(6)), Limits(), seed=0).predict(clips)
