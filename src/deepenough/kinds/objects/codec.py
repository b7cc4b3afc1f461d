"""What a saved model that finds objects accepts, and what it answers.

Needs that this module answers:

* A table of answers has a row a box, in pixels of the picture as it is, however it was read; a picture in which nothing
  is found has no row.
* Who asks picture by picture gets one answer for each: the list of its finds, perhaps an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from deepenough.kinds import schemas
from deepenough.kinds.file_codec import FILE, OfFiles
from deepenough.kinds.objects import boxes
from deepenough.kinds.objects.inputs import Scenes
from deepenough.kinds.picture_codec import PictureCodec

LEAST_SCORE = 0.05
"""Finds that are less likely to be right than this are not told."""
PICTURE = "picture"
"""Column of the answers that numbers the pictures given, where they have no names."""
CORNERS = ("x0", "y0", "x1", "y1")


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
class ObjectsCodec(PictureCodec):
    """classes: of the objects. What else is read, see `PictureCodec`."""

    once: ClassVar[bool] = True  # a table of boxes has several rows of a picture

    @classmethod
    def facts_of(cls, task: Any, example: bytes, media: str) -> dict[str, Any]:
        return super().facts_of(task, example, media) | {"classes": task.things}

    def inputs_of(self, contents: Sequence[bytes | None], files: tuple[str, ...]) -> FileScenes:
        read = self.read(contents)
        places = np.arange(len(contents))
        return FileScenes(read.pixels, places, self.channels, files=files, unread=read.unread, sizes=read.sizes)

    def blended(self, answers: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
        return boxes.together(answers, weights)

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        """A frame with a row a box: of which file (or the how manieth picture), class, score and corners in pixels of
        the picture as it is; without its size, shares of it."""
        rows, found = self._finds(predictions, inputs)
        files = _files(inputs)
        found.insert(0, FILE if files else PICTURE, [files[row] for row in rows.tolist()] if files else rows)
        return found

    def records(self, predictions: np.ndarray, inputs: Any) -> list[dict[str, Any]]:
        """One a picture: under the target's name its finds, the likeliest first, each as in the frame."""
        rows, found = self._finds(predictions, inputs)
        finds: list[list[dict[str, Any]]] = [[] for _ in predictions]
        for row, find in zip(rows.tolist(), schemas.records(found), strict=True):
            finds[row].append(find)
        names: Sequence[dict[str, Any]] = [{FILE: name} for name in _files(inputs)] or [{}] * len(finds)
        return [{**name, self.target: own} for name, own in zip(names, finds, strict=True)]

    def _finds(self, predictions: np.ndarray, inputs: Any) -> tuple[np.ndarray, Any]:
        """The finds of all pictures, picture by picture: of each the picture's place, and a frame with a row a find."""
        import pandas as pd

        rows, places = np.nonzero(predictions[:, :, 0] >= LEAST_SCORE)
        own = predictions[rows, places]
        sizes = getattr(inputs, "sizes", None)
        scale = np.ones((len(rows), 4)) if sizes is None else np.tile(sizes[rows], 2).astype(np.float64)
        corners = np.round(own[:, 2:] * scale, 4 if sizes is None else 1)
        told = {
            "class": [self.classes[int(code)] for code in own[:, 1]],
            "score": np.round(own[:, 0], 4),
            **{name: corners[:, place] for place, name in enumerate(CORNERS)},
        }
        return rows, pd.DataFrame(told)

    def answer_schema(self) -> dict[str, Any]:
        find: dict[str, schemas.Schema] = {
            "class": {"type": "string"},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            **{name: {"type": "number"} for name in CORNERS},
        }
        about = "What is found, the likeliest first, its corners in pixels of the picture as it is."
        return schemas.row({self.target: schemas.listed(schemas.row(find, list(find)), about)}, [self.target])

    def compared(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """`finds`: how many there are. `answer`, `p`: class and score of the likeliest; `score_<class>`: the best score
        of a class. Scores are 0 where nothing is found."""
        finds = answer.get(self.target, ())
        best = {f"score_{name}": 0.0 for name in self.classes}
        for find in finds:
            name = f"score_{find['class']}"
            best[name] = max(best[name], find["score"])
        first = finds[0] if finds else {"class": None, "score": 0.0}
        return {**best, "finds": len(finds), "answer": first["class"], "p": first["score"]}


def _files(inputs: Any) -> tuple[str, ...]:
    """The pictures' names; none where they have none."""
    return inputs.files if isinstance(inputs, OfFiles) and any(inputs.files) else ()
