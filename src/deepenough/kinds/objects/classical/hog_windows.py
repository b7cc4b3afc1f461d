"""Gradients seen through windows that slide over the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from deepenough.kinds import picture_files
from deepenough.kinds.objects import boxes, scores, templates, windows
from deepenough.kinds.objects.scores import Meaning
from deepenough.kinds.objects.templates import Template
from deepenough.kinds.objects.windows import Shape
from deepenough.kinds.stored import read, write
from deepenough.learner import Examples, Learner, Limits, Lists, Model


class HogWindowsModel(Model):
    """Templates, the sizes at which pictures are looked at, and what scores mean."""

    needs = picture_files.NEEDS

    def __init__(
        self, found: Sequence[Template], sizes: Sequence[float], colours: bool, lists: Lists, meaning: Meaning
    ) -> None:
        self.templates, self.sizes, self.colours = list(found), list(sizes), colours
        self.lists, self.meaning = lists, meaning

    def predict(self, inputs: Any) -> np.ndarray:
        answers = np.zeros((len(inputs), *self.lists.shape))
        for row in range(len(inputs)):
            pixels = inputs.read(np.array([row]))[0]
            places, odds, codes = templates.found(pixels, self.templates, self.sizes, self.colours)
            answers[row] = boxes.as_list(places, self.meaning(odds), codes, self.lists.most)
        return answers

    def save(self, folder: Path) -> None:
        facts = {"sizes": self.sizes, "colours": self.colours, "lists": asdict(self.lists)}
        facts |= {"meaning": asdict(self.meaning), "shapes": [asdict(each.shape) for each in self.templates]}
        facts["shifts"] = [each.shift for each in self.templates]
        arrays = {f"weights.{place}": each.weights for place, each in enumerate(self.templates)}
        arrays |= {f"moves.{place}": each.moves for place, each in enumerate(self.templates)}
        write(folder, "templates", facts, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        facts, arrays = read(folder, "templates")
        found = [
            Template(
                Shape(**(shape | {"sizes": tuple(shape["sizes"])})),
                arrays[f"weights.{place}"],
                shift,
                arrays[f"moves.{place}"],
            )
            for place, (shape, shift) in enumerate(zip(facts["shapes"], facts["shifts"], strict=True))
        ]
        return cls(found, facts["sizes"], facts["colours"], Lists(**facts["lists"]), Meaning(**facts["meaning"]))


@dataclass(frozen=True)
class HogWindows(Learner):
    """Histograms of oriented gradients and mean colours in windows that slide over the picture in several sizes, with a
    linear machine for each shape of each class; of finds that agree the best one stays.

    Dalal and Triggs, 2005, with logistic regression (Cox, 1958) in place of a support vector machine; several shapes
    and boxes moved by a linear sum: Felzenszwalb, Girshick, McAllester and Ramanan, 2010; scores become chances as in
    Platt, 1999. What is wrongly taken for an object is learnt from in a second round. Time grows with pictures x pixels
    x classes, memory with pictures x windows. A bad choice where one class looks very different from picture to
    picture, for objects that hide each other, and for many classes.

    penalty: on the squares of the weights. shapes: of windows for each class, at most. negatives: windows of a picture
    that hold nothing, at most, in each round. colours: whether these are seen beside the gradients.
    """

    penalty: float = 1.0
    shapes: int = 2
    negatives: int = 12
    colours: bool = True

    needs = picture_files.NEEDS
    priority = 10

    def fit(self, examples: Examples, limits: Limits, seed: int) -> HogWindowsModel:
        """Templates from the outer pictures, what their scores mean from the inner ones."""
        assert examples.lists is not None
        outer = examples.take(examples.outer) if len(examples.outer) else examples
        height, width = examples.inputs.shape[:2]
        shapes = templates.shapes_of(outer.targets, examples.lists.classes, (height, width), self.shapes)
        found, planned = templates.learnt(outer, shapes, self.colours, self.penalty, self.negatives, limits, seed)
        sizes = windows.factors([template.shape for template in found])
        model = HogWindowsModel(found, sizes, self.colours, examples.lists, Meaning())
        inner = scores.inner_rows(examples)
        if len(inner) and found and limits.seconds_left() > 0:
            model.meaning = Meaning.of(model.predict(examples.inputs.take(inner)), examples.targets[inner])
        model.planned = planned
        return model

    @classmethod
    def space(cls) -> Mapping[str, Callable[[np.random.Generator], Any]]:
        return {
            "penalty": lambda rng: float(np.exp(rng.uniform(np.log(0.1), np.log(30)))),
            "shapes": lambda rng: int(rng.choice([1, 2, 3])),
            "negatives": lambda rng: int(rng.choice([6, 12, 24])),
            "colours": lambda rng: bool(rng.choice([False, True])),
        }
