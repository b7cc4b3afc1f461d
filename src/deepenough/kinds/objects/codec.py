"""What a saved model that finds objects accepts, and what it answers.

Needs that this module answers:

* An answer is a row a box, in pixels of the picture as it is, however it was read.
* A picture in which nothing is found has no row; what can't be read is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.kinds import picture_files
from deepenough.kinds.file_codec import FILE, FileCodec, OfFiles
from deepenough.kinds.file_sources import Form
from deepenough.kinds.objects import boxes
from deepenough.kinds.objects.inputs import Scenes
from deepenough.kinds.objects.task import ObjectsTask
from deepenough.kinds.picture_reading import png
from deepenough.kinds.picture_task import FORM

EMPTY = 127
"""What stands where a picture can't be read."""
LEAST_SCORE = 0.05
"""Finds that are less likely to be right than this are not told."""
PICTURE = "picture"
"""Column of the answers that numbers the pictures given, where they have no names."""


@dataclass(frozen=True)
class FileScenes(Scenes, OfFiles):
    """Pictures of files. sizes: width and height of each as it is, int64, shape (n, 2)."""

    sizes: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Self:
        """These pictures, in this order."""
        files = tuple(self.files[row] for row in rows.tolist())
        sizes = None if self.sizes is None else self.sizes[rows]
        return replace(self, places=self.places[rows], files=files, sizes=sizes)


@dataclass(frozen=True, kw_only=True)
class ObjectsCodec(FileCodec):
    """height, width, channels: what pictures are read to. classes: of the objects."""

    height: int
    width: int
    channels: int

    form: ClassVar[Form] = FORM
    forms: ClassVar[str] = "paths, bytes, arrays, Pillow images"

    @classmethod
    def of(cls, task: ObjectsTask) -> Self:
        """The codec of a task."""
        height, width, channels = task.all_inputs.shape
        facts = cls.facts_of(task, png(task.all_inputs.read(slice(0, 1))[0]), "image/png")
        return cls(height=height, width=width, channels=channels, **(facts | {"classes": task.things}))

    def inputs_of(self, contents: Sequence[bytes | None], files: tuple[str, ...]) -> FileScenes:
        pixels = np.full((len(contents), self.height, self.width, 3), EMPTY, dtype=np.uint8)
        sizes = np.tile(np.array([self.width, self.height], dtype=np.int64), (len(contents), 1))
        unread = 0
        for place, content in enumerate(contents):
            try:
                pixels[place], seen = picture_files.decoded(content or b"", self.height, self.width)
                sizes[place] = seen.width, seen.height
            except picture_files.NoPicture:
                unread += 1
        return FileScenes(pixels, np.arange(len(contents)), self.channels, files=files, unread=unread, sizes=sizes)

    def is_own(self, given: Any) -> bool:
        """Arrays of one picture, and Pillow's images."""
        if isinstance(given, np.ndarray):
            return given.ndim in (2, 3) and given.dtype.kind in "uif"
        return type(given).__module__.startswith("PIL.")

    def content_of(self, given: Any) -> bytes:
        return picture_files.as_file(given)

    def blended(self, answers: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
        return boxes.together(answers, weights)

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        """A frame with a row a box: of which file (or the how manieth picture), class, score and corners in pixels of
        the picture as it is; without its size, shares of it."""
        import pandas as pd

        rows, places = np.nonzero(predictions[:, :, 0] >= LEAST_SCORE)
        own = predictions[rows, places]
        sizes = getattr(inputs, "sizes", None)
        scale = np.ones((len(rows), 4)) if sizes is None else np.tile(sizes[rows], 2).astype(np.float64)
        corners = np.round(own[:, 2:] * scale, 4 if sizes is None else 1)
        files = inputs.files if isinstance(inputs, OfFiles) and any(inputs.files) else ()
        first = {FILE: [files[row] for row in rows.tolist()]} if files else {PICTURE: rows}
        told = {
            "class": [self.classes[int(code)] for code in own[:, 1]],
            "score": np.round(own[:, 0], 4),
            **{name: corners[:, place] for place, name in enumerate(("x0", "y0", "x1", "y1"))},
        }
        return pd.DataFrame({**first, **told})
