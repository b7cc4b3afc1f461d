"""One float32 matrix without holes, for learners that want nothing else.

Needs that this module answers:

* Numbers: the median where missing, with a column that says so; standardised, or as ranks, or both.
* Categories: a column a level where they are few; else what the target is on average for the level, smoothed, and on
  training rows learnt from the other rows, so that a level seen once does not give its own target away.
* The same claims as `prepare`: nothing breaks it, a row alone becomes the same numbers, JSON and npz.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds.stored import read, write
from deepenough.kinds.table.inputs import Table
from deepenough.kinds.table.prepare import Encoded, Encoder
from deepenough.learner import Examples

KNOTS = 65
SMOOTHING_ROWS = 10.0
"""A level counts as if it had been seen so many more times with the average target."""
CROSS_FITS = 5
LARGEST_SCORE = 10.0
"""Standardised numbers are clipped here."""


@dataclass(frozen=True)
class Dense:
    """What was learnt of the training rows.

    scaling: `standard` (mean 0, deviation 1), `ranks` (the share of training rows below, scaled alike), `both`, `raw`.
    one_hot_up_to: categories with more codes than this, missing included, become average targets.
    medians: float64, shape (p,).
    indicators: places of the numbers that were missing in training.
    knots: float64, shape (KNOTS, p): quantiles; empty where no ranks are wanted.
    effects: for each category with many levels float64, shape (codes, averages + 1): its average targets, and the
        logarithm of how often it was seen.
    centres, scales: float64, one for each column that is no level's own.
    """

    encoder: Encoder
    scaling: str
    one_hot_up_to: int
    medians: np.ndarray
    indicators: np.ndarray
    knots: np.ndarray
    effects: tuple[np.ndarray, ...]
    centres: np.ndarray
    scales: np.ndarray

    @classmethod
    def fit(cls, examples: Examples, scaling: str = "standard", one_hot_up_to: int = 31) -> Self:
        """Learn from all rows of the examples."""
        return cls.fit_transform(examples, scaling, one_hot_up_to)[0]

    @classmethod
    def fit_transform(
        cls, examples: Examples, scaling: str = "standard", one_hot_up_to: int = 31
    ) -> tuple[Self, np.ndarray]:
        """Learn from all rows, and these rows as a matrix; their average targets come from other rows."""
        encoder = Encoder.fit(examples.inputs)
        encoded = encoder.transform(examples.inputs)
        medians = _medians(encoded.numbers)
        indicators = np.flatnonzero(np.isnan(encoded.numbers).any(axis=0))
        filled = np.where(np.isnan(encoded.numbers), medians, encoded.numbers)
        knots = _knots(filled) if scaling in ("ranks", "both") else np.empty((0, filled.shape[1]))
        answers, weights = _answers(examples), examples.weights
        effects, own = [], []
        for codes, size in zip(encoded.codes.T, encoded.cardinalities, strict=True):
            if size > one_hot_up_to:
                effects.append(_effects(codes, answers, size, weights))
                own.append(_cross_fitted(codes, answers, size, weights))
        unscaled = cls(
            encoder, scaling, one_hot_up_to, medians, indicators, knots, tuple(effects), np.zeros(()), np.ones(())
        )
        averages = np.concatenate(own, axis=1) if own else np.empty((len(encoded), 0))
        columns = unscaled._measured(encoded, averages)
        centres, scales = _centres_and_scales(columns, scaling)
        dense = cls(encoder, scaling, one_hot_up_to, medians, indicators, knots, tuple(effects), centres, scales)
        return dense, dense._finished(columns, encoded)

    def transform(self, table: Table) -> np.ndarray:
        """float32, shape (n, width)."""
        encoded = self.encoder.transform(table)
        many = [place for place, size in enumerate(encoded.cardinalities) if size > self.one_hot_up_to]
        averages = [effects[encoded.codes[:, place]] for place, effects in zip(many, self.effects, strict=True)]
        together = np.concatenate(averages, axis=1) if averages else np.empty((len(encoded), 0))
        return self._finished(self._measured(encoded, together), encoded)

    def _measured(self, encoded: Encoded, averages: np.ndarray) -> np.ndarray:
        """float64: every column but the levels' own, not yet scaled."""
        missing = np.isnan(encoded.numbers)
        filled = np.where(missing, self.medians, encoded.numbers.astype(np.float64))
        parts = [] if self.scaling == "ranks" else [filled]
        if len(self.knots):
            ranks = [np.interp(column, *curve) for column, curve in zip(filled.T, self._curves, strict=True)]
            parts.append(np.stack(ranks, axis=1) if ranks else filled)
        parts += [missing[:, self.indicators], averages]
        return np.concatenate(parts, axis=1, dtype=np.float64)

    def _finished(self, columns: np.ndarray, encoded: Encoded) -> np.ndarray:
        """Scaled, with a column for each level of the categories that have few."""
        measured = (columns - self.centres) / self.scales
        if self.scaling != "raw":
            measured = np.clip(measured, -LARGEST_SCORE, LARGEST_SCORE)
        few = [place for place, size in enumerate(encoded.cardinalities) if size <= self.one_hot_up_to]
        width = measured.shape[1] + sum(encoded.cardinalities[place] - 1 for place in few)
        matrix = np.zeros((len(encoded), width), dtype=np.float32)
        matrix[:, : measured.shape[1]] = measured
        start = measured.shape[1] - 1  # code 0, missing or unseen, has no column: all its levels are 0
        for place in few:
            rows = np.flatnonzero(encoded.codes[:, place])
            matrix[rows, start + encoded.codes[rows, place]] = 1.0
            start += encoded.cardinalities[place] - 1
        return matrix

    @cached_property
    def _curves(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each number its distinct knots, and the share of training rows below each.

        The middle of the shares where many training rows are equal.
        """
        shares = np.linspace(0, 1, len(self.knots))
        curves = []
        for column in self.knots.T:
            distinct, starts, counts = np.unique(column, return_index=True, return_counts=True)
            curves.append((distinct, (shares[starts] + shares[starts + counts - 1]) / 2))
        return curves

    @property
    def levels_start(self) -> int:
        """The first column that stands for a level."""
        return int(self.centres.shape[0])

    def save(self, folder: Path) -> None:
        """Write `dense.json`, `dense.npz` and the encoder's files."""
        self.encoder.save(folder)
        arrays = {name: getattr(self, name) for name in ("medians", "indicators", "knots", "centres", "scales")}
        arrays |= {f"effects.{place}": effects for place, effects in enumerate(self.effects)}
        write(folder, "dense", {"scaling": self.scaling, "one_hot_up_to": self.one_hot_up_to}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The encoding again."""
        facts, arrays = read(folder, "dense")
        effects = [arrays.pop(name) for name in list(arrays) if name.startswith("effects.")]
        known: dict[str, Any] = {**facts, **arrays}
        return cls(encoder=Encoder.load(folder), effects=tuple(effects), **known)


def _medians(numbers: np.ndarray) -> np.ndarray:
    """Of each column; 0 where it is empty."""
    medians = np.zeros(numbers.shape[1])
    for place, column in enumerate(numbers.T):
        known = column[~np.isnan(column)]
        if len(known):
            medians[place] = np.median(known)
    return medians


def _knots(filled: np.ndarray) -> np.ndarray:
    step = 1 + len(filled) // 50_000
    return np.asarray(np.quantile(filled[::step].astype(np.float64), np.linspace(0, 1, KNOTS), axis=0))


def _answers(examples: Examples) -> np.ndarray:
    """float64, shape (n, averages): the standardised target, or one column a class (of two: the second) of 0 and 1."""
    if examples.n_classes is None:
        centred = examples.targets - np.average(examples.targets, weights=examples.weights)
        return np.asarray(centred / (examples.targets.std() or 1.0), dtype=np.float64)[:, None]
    classes = np.arange(1 if examples.n_classes == 2 else 0, examples.n_classes)
    return np.asarray(examples.targets[:, None] == classes, dtype=np.float64)


def _sums(
    codes: np.ndarray, answers: np.ndarray, size: int, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """By code the answers' sums, and how many rows there are; each row counts what it weighs."""
    count = np.ones(len(codes)) if weights is None else weights
    columns = [np.bincount(codes, column * count, minlength=size) for column in answers.T]
    return np.stack(columns, axis=1), np.bincount(codes, count, minlength=size)


def _smoothed(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    prior = sums.sum(axis=0) / max(counts.sum(), 1.0)
    averages = (sums + SMOOTHING_ROWS * prior) / (counts[:, None] + SMOOTHING_ROWS)
    return np.concatenate([averages, np.log1p(counts)[:, None]], axis=1)


def _effects(codes: np.ndarray, answers: np.ndarray, size: int, weights: np.ndarray | None) -> np.ndarray:
    return _smoothed(*_sums(codes, answers, size, weights))


def _cross_fitted(codes: np.ndarray, answers: np.ndarray, size: int, weights: np.ndarray | None) -> np.ndarray:
    """Each row's averages, learnt from the other folds (Micci-Barreca, 2001, kept honest on training rows)."""
    sums, counts = _sums(codes, answers, size, weights)
    folds = np.random.default_rng(0).permutation(len(codes)) % CROSS_FITS
    averages = _smoothed(sums, counts)[codes]
    for fold in range(CROSS_FITS):
        own = np.flatnonzero(folds == fold)
        if 0 < len(own) < len(codes):
            count = None if weights is None else weights[own]
            own_sums, own_counts = _sums(codes[own], answers[own], size, count)
            left = np.maximum(counts - own_counts, 0.0)  # weights leave rounding errors where nothing is left
            averages[own, :-1] = _smoothed(sums - own_sums, left)[codes[own], :-1]
    return np.asarray(averages)


def _centres_and_scales(columns: np.ndarray, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    if scaling == "raw":
        return np.zeros(columns.shape[1]), np.ones(columns.shape[1])
    centres, scales = columns.mean(axis=0), columns.std(axis=0)
    constant = scales <= 1e-9 * np.maximum(np.abs(centres), 1e-9)
    return np.asarray(centres), np.where(constant, 1.0, scales)
