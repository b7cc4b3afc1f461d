"""The net that finds objects in one pass: whose a place is, how boxes go along, what its loss says."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.nets import detectors  # noqa: E402  torch may be absent
from deepenough.nets.detectors import Detector, Varied  # noqa: E402  torch may be absent

NAN = math.nan


def net(stride: int = 4, classes: int = 2) -> Detector:
    torch.manual_seed(0)
    return Detector(3, classes, (8, 16, 24), stride, 0, 8.0).eval()


@pytest.mark.parametrize("stride", [4, 8])
@pytest.mark.parametrize("size", [(32, 48), (30, 41)], ids=["even", "odd"])
def test_places_lie_where_they_answer_for(stride: int, size: tuple[int, int]) -> None:
    own = net(stride)
    answers = own(torch.zeros(2, *size, 3, dtype=torch.uint8))
    rows, columns = (-(-side // stride) for side in size)
    assert answers.shape == (2, 2 + 4, rows, columns)
    middles = own.middles(answers)
    assert middles[0].tolist() == [stride / 2, stride / 2] and middles[columns].tolist() == [stride / 2, 1.5 * stride]
    odds, boxes = own.told(answers)
    assert odds.shape == (2, rows * columns, 2) and (boxes[..., 2:] > boxes[..., :2]).all()
    assert torch.sigmoid(odds).mean().item() == pytest.approx(detectors.RARE, rel=3)


def test_a_place_answers_for_the_smallest_thing_around_it() -> None:
    middles = torch.tensor([[2.0, 2.0], [6.0, 2.0], [18.0, 18.0], [30.0, 30.0]])
    things = torch.tensor([[[0, 0, 0, 24, 24], [1, 0, 0, 8, 8], [1, 28.6, 28.6, 29.4, 29.4], [NAN] * 5]])
    owner = detectors._owners(middles, things, 4)
    assert owner.tolist() == [[1, 1, 0, 2]], "a thing smaller than a place has the one that it lies in"
    assert detectors._owners(middles, things[:, 3:], 4).tolist() == [[-1] * 4]
    assert detectors._owners(middles, things[:, :0], 4).tolist() == [[-1] * 4]


def test_boxes_go_along_with_their_pictures() -> None:
    """A white square is drawn, the picture is varied, and the square is where its box says."""
    torch.manual_seed(1)
    pictures, things = torch.zeros(16, 1, 48, 64), torch.full((16, 2, 5), NAN)
    for number in range(16):
        pictures[number, 0, 16:32, 20:44] = 1
        things[number, 0] = torch.tensor([1, 20.0, 16, 44, 32])
    moved, own = Varied(0.1, 0.2, 0.0, mirror=True)(pictures, things)
    for picture, box in zip(moved[:, 0], own[:, 0], strict=True):
        down, right = torch.nonzero(picture > 0.5, as_tuple=True)
        seen = torch.stack([right.min(), down.min(), right.max() + 1, down.max() + 1]).float()
        assert (seen - box[1:]).abs().max() <= 1.5 and box[0] == 1
    assert torch.isnan(own[:, 1, 0]).all()
    assert len({tuple(box.tolist()) for box in own[:, 0]}) > 10


def test_what_is_moved_out_of_the_picture_is_no_thing_any_more() -> None:
    codes = torch.zeros(1, 2, 1)
    boxes = torch.tensor([[[-30.0, 0, 6, 10], [-4.0, 0, 6, 10]]])
    cut = detectors._cut(codes, boxes, 20, 20)
    assert torch.isnan(cut[0, 0, 0]) and cut[0, 1].tolist() == [0, 0, 0, 6, 10]


def test_agreement_is_that_of_plain_boxes() -> None:
    from deepenough.kinds.objects.boxes import agreement

    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 20, (2, 50, 2))
    some, others = (np.concatenate([c, c + rng.uniform(1, 10, (50, 2))], axis=1) for c in corners)
    plain, wide = detectors._agreement(torch.from_numpy(some), torch.from_numpy(others))
    assert plain.numpy() == pytest.approx(agreement(some, others).diagonal())
    assert (wide <= plain + 1e-9).all() and (wide[plain == 0] < 0).all()


def test_the_loss_falls_where_boxes_and_classes_are_right() -> None:
    own, things = net(), torch.tensor([[[1.0, 8, 8, 24, 24]]])
    middle = own.middles(torch.zeros(1, 6, 8, 8))
    edges = torch.cat([middle - 8, 24 - middle], dim=1).clamp(min=0.5).T.reshape(1, 4, 8, 8)
    inside = (detectors._owners(middle, things, 4) >= 0).float().reshape(1, 1, 8, 8)
    right = torch.cat([torch.full((1, 1, 8, 8), -8.0), 16 * inside - 8, edges], dim=1)
    wrong_class = right[:, [1, 0, 2, 3, 4, 5]]
    losses = [float(detectors.loss(own, answers, things)) for answers in (right, wrong_class, right + 3.0)]
    assert losses[0] < 0.01 < min(losses[1:])
    weighed = detectors.loss(own, right.repeat(2, 1, 1, 1), things.repeat(2, 1, 1), torch.tensor([0.0, 1.0]))
    assert float(weighed) == pytest.approx(losses[0])
    nothing = detectors.loss(own, right, torch.full((1, 1, 5), NAN))
    assert torch.isfinite(nothing)


def test_it_is_made_again_from_plain_values() -> None:
    facts = {"channels": 1, "classes": 3, "widths": [8, 16], "stride": 4, "deep": 1, "typical": 5.0}
    again = detectors.build(facts)
    assert again(torch.zeros(1, 16, 16, 1, dtype=torch.uint8)).shape == (1, 7, 4, 4)
