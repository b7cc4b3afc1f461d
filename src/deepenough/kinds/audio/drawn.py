"""A few made noises to fit on before the clock starts: libraries load lazily what a first fit needs."""

from __future__ import annotations

import numpy as np

from deepenough.kinds.audio.decode import BANDS
from deepenough.kinds.audio.inputs import Recordings
from deepenough.learner import Examples, Learner, Limits


def warm_up(learner: Learner, n_classes: int | None) -> None:
    """Fit and predict on noise."""
    rng = np.random.default_rng(0)
    recordings = Recordings.of([rng.normal(0, 1, (20, BANDS)) for _ in range(24)])
    targets = np.arange(24.0) if n_classes is None else np.arange(24) % n_classes
    learner.fit(Examples(recordings, targets, n_classes, np.arange(6)), Limits(), seed=0).predict(recordings)
