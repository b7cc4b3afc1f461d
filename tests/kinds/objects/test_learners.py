"""Learners that find objects: what each is for, and what the contract does not ask."""

from __future__ import annotations

import numpy as np
import pytest

from deepenough.kinds.objects import boxes, toys, windows
from deepenough.kinds.objects.baseline.usual_boxes import UsualBoxes
from deepenough.kinds.objects.classical.hog_windows import HogWindows
from deepenough.kinds.objects.inputs import Scenes
from deepenough.kinds.objects.task import ObjectsTask, strata_of
from deepenough.kinds.objects.windows import Level, Shape
from deepenough.learner import Examples, Limits, Lists
from deepenough.task.task import Answer


def precision(task: ObjectsTask, predictions: np.ndarray) -> float:
    return task.scores(Answer(0, predictions), 0)["average_precision"]


def test_the_trivial_answer_is_the_boxes_that_most_pictures_have() -> None:
    truth = np.full((40, 2, 5), np.nan)
    truth[:30, 0] = [0, 0.1, 0.1, 0.4, 0.4]
    truth[30:, 0] = [1, 0.6, 0.6, 0.9, 0.9]
    truth[:8, 1] = [0, 0.5, 0.1, 0.8, 0.4]
    scenes = Scenes.of(np.zeros((40, 16, 16, 3), dtype=np.uint8))
    examples = Examples(scenes, truth, None, np.arange(5), lists=Lists(4, 2, 4))
    answer = UsualBoxes().fit(examples, Limits(), 0).predict(scenes.take(np.arange(2)))
    assert answer[0, :, :2] == pytest.approx(np.array([[0.75, 0], [0.25, 1], [0.2, 0], [0, 0]]))
    assert answer[1] == pytest.approx(answer[0]) and answer[0, 0, 2:] == pytest.approx([0.1, 0.1, 0.4, 0.4])


def test_a_template_finds_discs_that_the_trivial_answer_does_not() -> None:
    task = toys.discs()
    examples = task.train(task.largest, 0, 0)
    trivial = precision(task, UsualBoxes().fit(examples, Limits(), 0).predict(task.inputs(0)))
    model = HogWindows().fit(examples, Limits(), 0)
    found = model.predict(task.inputs(0))
    assert trivial < 0.2 and precision(task, found) > 0.9
    right = boxes.right(found, task.truth(0))
    surest = found[:, :, 0][right].mean() - found[:, :, 0][~right & (found[:, :, 0] > 0)].mean()
    assert surest > 0.4, "scores tell right finds from wrong ones"


def test_a_net_finds_what_stands_anywhere() -> None:
    pytest.importorskip("torch")
    from deepenough.kinds.objects.deep.one_stage import OneStage

    task = toys.discs()
    model = OneStage(epochs=25).fit(task.train(task.largest, 0, 0), Limits(), 0)
    assert precision(task, model.predict(task.inputs(0))) > 0.8
    assert model.trace[-1][1] < model.trace[0][1]


def test_windows_stand_where_they_see() -> None:
    """What a window sees is what the part of the picture under it looks like by itself."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 48, 3)).astype(np.uint8)
    shape = Shape(0, 5, 6, (20.0, 24.0))
    level = next(windows.levels(pixels, [1.0], colours=False))
    seen, place = level.windows(shape), level.boxes(shape)
    assert seen.shape[:2] == place.shape[:2] == (6, 7)
    x0, y0, x1, y1 = (place[2, 3] * [48, 40, 48, 40]).round().astype(int)
    assert (y1 - y0, x1 - x0) == (5 * windows.CELL, 6 * windows.CELL)
    padded = pixels[y0 - 4 : y1 + 4, x0 - 4 : x1 + 4]  # with the neighbours that gradients look at
    alone = next(windows.levels(padded, [1.0], colours=False))
    assert seen[2, 3] == pytest.approx(alone.seen[1:-1, 1:-1].transpose(2, 0, 1), abs=1e-5)


def test_a_smaller_picture_keeps_means_and_edges() -> None:
    values = np.random.default_rng(0).uniform(0, 255, (40, 60, 3)).astype(np.float32)
    small = windows.resized(values, 20, 30)
    assert small.shape == (20, 30, 3) and small.mean() == pytest.approx(values.mean(), rel=0.02)
    assert windows.resized(np.full((9, 7, 1), 5.0, np.float32), 21, 13) == pytest.approx(np.full((21, 13, 1), 5.0))
    ramp = np.arange(12, dtype=np.float32)[:, None, None].repeat(12, axis=1)
    assert windows.resized(ramp, 24, 12)[4:20, 0, 0] == pytest.approx(np.arange(1.75, 9.5, 0.5))


def test_objects_of_all_sizes_fit_a_window_at_some_size() -> None:
    shapes = [Shape.of(0, 20, 10, (12.0, 60.0)), Shape.of(1, 30, 90, (80.0, 95.0))]
    assert (shapes[0].rows, shapes[0].columns, shapes[1].rows, shapes[1].columns) == (3, 6, 6, 3)
    sizes = windows.factors(shapes)
    for shape in shapes:
        for size in (shape.sizes[0], shape.sizes[1]):
            assert min(abs(np.log2(factor * size / shape.pixels)) for factor in sizes) < 1 / windows.STEPS
    assert not Level(np.zeros((1, 1, 9), np.float32), 8.0, 8.0).fits(shapes[0])


def test_no_time_gives_empty_lists_not_an_error() -> None:
    task = toys.shapes(30)
    model = HogWindows().fit(task.train(task.largest, 0, 0), Limits(seconds=1e-6), 0)
    assert model.planned < 1 and not model.predict(task.inputs(0)).any()


def test_strata_are_the_rarest_class_of_each_picture() -> None:
    lists = np.full((5, 2, 5), np.nan)
    lists[:3, 0, 0], lists[1, 1, 0], lists[3, 0, 0] = 0, 1, 1
    strata = strata_of(lists, 2)
    assert strata[0] == strata[2] != strata[1] == strata[3] and strata[4] not in strata[:4]
