"""Principal components of the pixels with a linear model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds import linear, noise, picture_files
from deepenough.kinds.answers import outer_rows
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.picture_copies import shrunk
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Model

SIDE = 24
"""Pictures are seen as so many by so many points."""
MOST_ROWS = 4_000
"""Pictures that the components are learnt from."""


@dataclass(frozen=True)
class PixelsLinear(Learner):
    """Principal components of the pixels, with logistic regression, or ridge for numbers.

    Turk and Pentland, 1991 (eigenfaces); Cox, 1958; Hoerl and Kennard, 1970. The penalty is chosen on rows held out.
    Time grows with pictures times points times components, memory with pictures times components. A bad choice unless
    pictures are aligned: what is a little moved looks like something else.

    components: of the pixels, at most. penalty: on the squared weights; None: chosen.
    """

    components: int = 100
    penalty: float | None = None

    needs = picture_files.NEEDS
    preload = ("scipy.linalg", "scipy.optimize")
    priority = 40
    deterministic = True

    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        """Components, the penalty, the weights."""
        features = Components.fit(examples.inputs.take(outer_rows(examples)), self.components)
        matrix = features.transform(examples.inputs)
        return linear.fit(features, matrix, examples, limits, PixelsLinearModel, self.penalty, tolerance=1e-5, pairs=2)

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {"components": lambda rng: int(rng.choice([30, 60, 200, 400]))}

    @classmethod
    def warm_up(cls, n_classes: int | None) -> None:
        noise.warm_up(cls(penalty=1.0), Pictures, n_classes)


@dataclass(frozen=True)
class Components:
    """What pixels become. centre: the mean picture, float32, shape (points,). axes: float32, shape (points, k), each
    scaled so that what is found along it varies by one."""

    centre: np.ndarray
    axes: np.ndarray

    @classmethod
    def fit(cls, pictures: Pictures, most: int) -> Self:
        """Learn from training pictures (Pearson, 1901), by the eigenvectors of the points' products, or of
        the pictures' where these are fewer."""
        from scipy.linalg import eigh

        some = pictures.take(np.arange(0, len(pictures), -(-len(pictures) // MOST_ROWS)))
        points = _points(some)
        centre = points.mean(axis=0)
        apart = (points - centre).astype(np.float64)
        by_points = apart.shape[1] <= len(apart)
        product = apart.T @ apart if by_points else apart @ apart.T
        last = len(product) - 1
        values, vectors = eigh(product, subset_by_index=[max(0, last + 1 - most), last])
        told = values > 1e-9 * max(float(values[-1]), 1e-9)
        values, vectors = values[told][::-1], vectors[:, told][:, ::-1]
        axes = vectors if by_points else apart.T @ vectors / np.sqrt(values)
        return cls(centre, (axes * np.sqrt(len(points) / values)).astype(np.float32))

    def transform(self, inputs: Pictures) -> np.ndarray:
        """float32, shape (n, k)."""
        return np.asarray((_points(inputs) - self.centre) @ self.axes)

    def save(self, folder: Path) -> None:
        """As arrays."""
        write(folder, "components", {}, {"centre": self.centre, "axes": self.axes})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again."""
        return cls(**read(folder, "components")[1])


def _points(pictures: Pictures) -> np.ndarray:
    """Points of each channel, from 0 to 1, float32, shape (n, points)."""
    side = min(SIDE, *pictures.shape[:2])
    found = []
    for portion in pictures.portions():
        channels = [shrunk(portion[..., [channel]], side) for channel in range(portion.shape[3])]
        channels = [channel.reshape(len(portion), side * side) for channel in channels]
        found.append(np.concatenate(channels, axis=1))
    return np.concatenate(found).astype(np.float32)


class PixelsLinearModel(linear.LinearModel):
    """Weights of components."""

    @staticmethod
    def read_features(folder: Path) -> Components:
        return Components.load(folder)
