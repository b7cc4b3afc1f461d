"""Where are the objects in the picture? Pictures and their boxes made ready.

Needs that this module answers:

* The unit is the picture: it is learnt from or judged on with all of its boxes, and copies of it stand on one side.
* Boxes are shares of the picture, so that it does not matter at what size pictures are read.
* Every box that takes no part is counted, with the reason.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from deepenough.errors import OptionError, SourceError, TargetError
from deepenough.judge.metrics import Weighted
from deepenough.judge.traits import Trait
from deepenough.kinds import file_store
from deepenough.kinds.file_store import Decoded
from deepenough.kinds.file_task import PLACE, placed, say_what_was_set_aside
from deepenough.kinds.objects import boxes, metrics, sources
from deepenough.kinds.objects.inputs import Scenes
from deepenough.kinds.objects.marks import ONE_CLASS, Kept, kept
from deepenough.kinds.picture_reading import png
from deepenough.kinds.picture_task import PictureTask
from deepenough.learner import Examples, Lists
from deepenough.task import row_facts, rows
from deepenough.task.frame import Frame
from deepenough.task.rows import FEW_ROWS, LEAST_ROWS, Asked, Found
from deepenough.task.splits import Splits
from deepenough.task.target import Target
from deepenough.task.task import Question, SupervisedMetric

LONGEST = 128
"""Pixels of the longer side that pictures are read with, at most."""
LEAST_SAID, MOST_SAID = 10, 100
"""Objects that are said of a picture at most: twice as many as any has and ten more, within these bounds."""
MOST_TRUE = 200
"""Boxes of a picture that are kept, the largest ones."""
FEW_BOXES = 100
SMALL_PIXELS = 8
"""Objects whose shorter side is less, as the picture is read, are hard to see."""
SHOWN_SIDE = 200


@dataclass(frozen=True)
class Truth:
    """classes: their names. lists: class and box of each picture's objects, NaN behind the last, shape (n, longest, 5),
    by the place of the picture's decoded file."""

    classes: tuple[str, ...]
    lists: np.ndarray


class ObjectsTask(PictureTask):
    """Pictures and the boxes to find, made ready.

    targets: class and box of each object, shape (n, longest, 5). things: the classes' names.
    """

    inputs_class = Scenes
    longest = LONGEST

    def __init__(
        self,
        inputs: Any,
        asked: Asked,
        made: Splits,
        column: str,
        names: Sequence[str],
        decoded: Decoded,
        order: np.ndarray,
        truth: Truth,
    ) -> None:
        super().__init__(inputs, asked, made, column, names, decoded, order)
        self.targets, self.things, self.n_classes = truth.lists[order], truth.classes, None
        longest = int((~np.isnan(self.targets[:, :, 0])).sum(axis=1).max(initial=0))
        most = int(np.clip(2 * longest + 10, LEAST_SAID, MOST_SAID))
        self.lists = Lists(most, len(truth.classes), 4)
        count = len(truth.classes)
        what = f"{count} classes of objects" if count > 1 else "objects of one class"
        self.question_facts = {
            **self.question_facts,
            "task": "objects in pictures",
            "classes": [],
            "things": list(truth.classes),
            "lists": [most, count, 4],
            "higher_is_better": True,
            "about": f"{what} are looked for in each picture; a find is right where its box agrees with a true one by "
            "half or more (intersection over union)",
        }

    @classmethod
    def load(cls, source: Any, question: Question) -> Self:
        """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
        found = sources.read(source, question)
        places = [place for place, item in enumerate(found.items) if item is not None]
        items = [item for item in found.items if item is not None]
        reader = cls.reader_for(items, question)
        decoded = file_store.decoded(items, reader)
        if not len(decoded.there):
            name = found.frame.facts["name"]
            raise SourceError(
                f"None of the {len(items):,} files of {name} is a picture that can be used: {items[0].name}: "
                f"{decoded.reasons[0]}."
            )
        read = np.array(places, dtype=np.int64)[decoded.there]
        own = kept(found.marks, sizes_of(read, decoded))
        if not len(own.code):
            said = " ".join(own.said)
            raise TargetError(f"{found.frame.facts['name']} holds no box that can be used. {said}".rstrip())
        frame = found.frame.take(read)
        frame = replace(frame, facts=decoded.hashed(frame.facts))
        names = [item.name for item in items]
        absent = [found.marks.names[place] for place, item in enumerate(found.items) if item is None]
        told = [found.marks.how, *found.marks.notes, *own.said]
        truth = Truth(own.classes, as_lists(own, read))
        question = replace(question, target=found.target)
        task = cls.made(frame, question, found.column, names, decoded, cls.inputs_of(decoded), truth, absent, told)
        task.reader = reader
        task.items = tuple(items[place] for place in decoded.there[task.order].tolist())
        return task

    @classmethod
    def made(
        cls,
        frame: Frame,
        question: Question,
        column: str,
        names: Sequence[str],
        decoded: Decoded,
        inputs: Any,
        truth: Truth,
        absent: Sequence[str] = (),
        said: Sequence[str] = (),
    ) -> Self:
        """The task of pictures that were decoded: a row of the frame, an input and a true list each.

        names: of all files that were there. absent: names of files that are not. said: of the boxes, by whoever read
        them.
        """
        asked = cls._asked(placed(frame), question, truth, said)
        order = asked.frame.column(PLACE).values.astype(np.int64)
        rows.not_inputs(asked)
        inputs = inputs.take(order)
        say_what_was_set_aside(names, decoded, absent, asked)
        seen = [names[place] for place in decoded.there.tolist()]
        cls.say_what_is_odd(inputs, seen, decoded, asked)
        asked.found.notes.append(cls.form.personal)
        _say_what_is_odd(truth.lists[order], truth.classes, inputs.shape, asked)
        copies = cls.said_copies(inputs, asked)
        return cls(inputs, asked, rows.split(asked, copies.clusters), column, names, decoded, order, truth)

    @classmethod
    def _asked(cls, frame: Frame, question: Question, truth: Truth, said: Sequence[str]) -> Asked:
        """What is asked of the pictures; their strata are the rarest class that each holds."""
        if question.options.get("class_weights"):
            raise OptionError("--class-weights: each class of objects counts the same already. Leave it out.")
        frame, weightless = row_facts.of_any_weight(frame, question)
        if frame.rows < LEAST_ROWS:
            raise TargetError(f"Only {frame.rows} pictures can be used; at least {LEAST_ROWS} are needed.")
        weighs, weighing = row_facts.weights(frame, question)
        strata = strata_of(truth.lists[frame.column(PLACE).values.astype(np.int64)], len(truth.classes))
        name = question.target or ONE_CLASS
        levels = tuple(f"rarest class {code}" for code in range(int(strata.max()) + 1))
        target = Target(name, np.arange(frame.rows), strata, levels, "words", None, "", (), ())
        metric: Any = metrics.find(question.metric, len(truth.classes))
        judged = metric if weighs is None else Weighted.of(metric)
        found = Found(notes=[*frame.notes, *said, *weightless, *weighing])
        return Asked(frame, target, judged, weighs, question, found)

    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        return replace(super().train(n_train, fold, seed), lists=self.lists)

    def everything(self, seed: int) -> Examples:
        return replace(super().everything(seed), lists=self.lists)

    def metrics(self) -> Sequence[SupervisedMetric]:
        known: list[Any] = list(metrics.all_of(len(self.things)).values())
        return known if self.weighs is None else [Weighted.of(metric) for metric in known]

    def blended(self, answers: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
        return boxes.together(answers, weights)

    def spread(self) -> dict[str, float]:
        """Of each class its share of all objects."""
        counts = boxes.counted(self.targets, len(self.things)).sum(axis=0)
        return {name: float(count / counts.sum()) for name, count in zip(self.things, counts, strict=True)}

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        judged = self.splits.folds[fold].judged[places]
        pixels = self.all_inputs.take(judged).read()
        shown = []
        for row, each in zip(judged.tolist(), pixels, strict=True):
            drawn = base64.b64encode(png(each, SHOWN_SIDE)).decode("ascii")
            shape = {"width": each.shape[1], "height": each.shape[0], "classes": list(self.things)}
            shown.append({"form": "boxes", "name": self.names[row], "picture": drawn, **shape})
        return shown

    def traits_of(self) -> Sequence[Trait]:
        there = ~np.isnan(self.targets[:, :, 0])
        sizes = np.sqrt(boxes.area(np.nan_to_num(self.targets[:, :, 1:])))
        counts = there.sum(axis=1)
        smallest = np.where(there, sizes, np.inf).min(axis=1, initial=np.inf)
        own = (
            Trait("objects", counts.astype(np.float64)),
            Trait("smallest object", np.where(counts > 0, smallest, np.nan)),
        )
        return (*super().traits_of(), *own)


def sizes_of(places: np.ndarray, decoded: Decoded) -> dict[int, tuple[int, int]]:
    """Width and height of the pictures at these places, as they are."""
    widths, heights = decoded.each("width").tolist(), decoded.each("height").tolist()
    return {place: (width, height) for place, width, height in zip(places.tolist(), widths, heights, strict=True)}


def as_lists(own: Kept, places: np.ndarray) -> np.ndarray:
    """True lists of the pictures at these places, shape (n, longest, 5), the largest boxes first."""
    row_of = {place: row for row, place in enumerate(places.tolist())}
    owner = np.array([row_of[picture] for picture in own.picture.tolist()], dtype=np.int64)
    counts = np.bincount(owner, minlength=len(places))
    found = np.full((len(places), min(MOST_TRUE, int(counts.max(initial=1))), 5), np.nan)
    order = np.lexsort((-boxes.area(own.place), owner))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    order, rank = order[rank < found.shape[1]], rank[rank < found.shape[1]]
    found[owner[order], rank, 0], found[owner[order], rank, 1:] = own.code[order], own.place[order]
    return found


def strata_of(lists: np.ndarray, classes: int) -> np.ndarray:
    """Of each picture the rarest class that it holds, as a number; pictures that hold nothing are one more."""
    held = boxes.counted(lists, classes) > 0
    rank = np.argsort(np.argsort(held.sum(axis=0), kind="stable"), kind="stable")
    rarest = np.where(held, rank, classes).min(axis=1, initial=classes)
    return np.unique(rarest, return_inverse=True)[1].astype(np.int64)


def _say_what_is_odd(lists: np.ndarray, classes: Sequence[str], shape: Sequence[int], asked: Asked) -> None:
    """Add notes and doubts about pictures and their boxes."""
    found, pictures = asked.found, len(lists)
    counts = boxes.counted(lists, len(classes))
    total, empty = int(counts.sum()), int((counts.sum(axis=1) == 0).sum())
    each = ", ".join(f"{name!r} {int(count):,}" for name, count in zip(classes[:6], counts.sum(axis=0), strict=False))
    each += ", ..." if len(classes) > 6 else ""
    without = f"; {empty:,} pictures hold none" if empty else ""
    found.notes.append(f"{pictures:,} pictures hold {total:,} boxes ({each}){without}.")
    if pictures < FEW_ROWS:
        few = f"{pictures} pictures are too few to trust any verdict; {FEW_ROWS} are the least"
        found.flag("too_few", "distrust", few)
    elif total < FEW_BOXES:
        found.flag("few_boxes", "warn", f"{total} boxes are few to judge on; {FEW_BOXES} are better")
    there = ~np.isnan(lists[:, :, 0])
    height, width = shape[:2]
    sides = np.minimum((lists[:, :, 3] - lists[:, :, 1]) * width, (lists[:, :, 4] - lists[:, :, 2]) * height)[there]
    if (small := float((sides < SMALL_PIXELS).mean())) > 0.1:
        found.notes.append(
            f"{small:.0%} of the objects are less than {SMALL_PIXELS} pixels wide or high as pictures are read; "
            "--side asks for more."
        )
