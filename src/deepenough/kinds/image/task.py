"""One question about pictures and their class or number: how one is shown, and what hides parts of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.picture_reading import png
from deepenough.kinds.picture_task import PictureTask

LONGEST = 96
"""Pixels of the longer side that pictures are read with, at most."""
FIELDS = 6
"""A side, that are hidden one after the other to see what an answer goes by."""


class ImageTask(PictureTask):
    """Pictures and the answer to predict, made ready."""

    inputs_class = Pictures
    longest = LONGEST

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        judged = self.splits.folds[fold].judged[places]
        pixels = self.all_inputs.take(judged).read()
        return [
            {"form": "picture", "name": self.names[row], "picture": base64.b64encode(png(each)).decode("ascii")}
            for row, each in zip(judged.tolist(), pixels, strict=True)
        ]

    def occluded(self, units: Sequence[tuple[int, int]]) -> tuple[Any, tuple[int, int]] | None:
        """Each field in turn of the picture's mean colour."""
        rows = np.array([self.splits.folds[fold].judged[place] for fold, place in units], dtype=np.int64)
        some = self.all_inputs.take(rows)
        height, width, channels = some.shape
        hidden = np.repeat(np.array(some.pixels[some.places]), FIELDS**2, axis=0)
        for number in range(len(hidden)):
            row, column = divmod(number % FIELDS**2, FIELDS)
            region = (
                slice(row * height // FIELDS, (row + 1) * height // FIELDS),
                slice(column * width // FIELDS, (column + 1) * width // FIELDS),
            )
            hidden[number][region] = hidden[number].mean(axis=(0, 1))
        return Pictures.of(hidden, channels), (FIELDS, FIELDS)
