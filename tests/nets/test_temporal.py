"""Nets of paths against plain second ways to compute the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.nets import temporal  # noqa: E402  torch must be there first

SHAPE = temporal.Shape(length=22, channels=5, columns=4, facts=3, steps=6, levels=5)
SETTINGS = {
    "Recurrent": {"units": 8, "stride": 3},
    "Convolution": {"units": 8},
    "NHits": {"members": 3, "units": 8},
    "Decomposed": {"span": 5},
}


def _given(rows: int = 7, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((rows, 22, 5), (rows, 6, 4), (rows, 3))
    return tuple(torch.randn(*shape, generator=generator) for shape in shapes)  # type: ignore[return-value] # three of them


def _net(name: str, **settings: object) -> temporal.PathNet:
    """A net whose zeros are drawn, so that what it is shown matters."""
    torch.manual_seed(0)
    net = temporal.build(temporal.architecture_of(name, SHAPE, SETTINGS[name] | settings))
    with torch.no_grad():
        for parameter in net.parameters():
            if (parameter == 0).all():
                parameter.normal_(std=0.3)
    return net.eval()


@pytest.mark.parametrize("name", SETTINGS)
def test_shape_and_a_window_alone(name: str) -> None:
    net, given = _net(name), _given()
    together = net(*given)
    assert together.shape == (SETTINGS[name].get("members", 1), 7, 6, 5)
    assert torch.allclose(together[:, 3:4], net(*(part[3:4] for part in given)), atol=1e-5)


@pytest.mark.parametrize("name", SETTINGS)
def test_before_anything_is_learnt_it_says_what_it_is_told(name: str) -> None:
    net = temporal.build(json.loads(json.dumps(temporal.architecture_of(name, SHAPE, SETTINGS[name]))))
    start = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    net.start_from(start)
    said = net(*_given()).detach().numpy()
    assert np.allclose(said, np.broadcast_to(start, said.shape))


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("part", range(3))
def test_everything_that_is_shown_matters(name: str, part: int) -> None:
    net, given = _net(name), _given()
    others = [*given]
    others[part] = _given(seed=2)[part]
    assert not torch.allclose(net(*given), net(*others), atol=1e-4)


def test_the_convolution_is_causal_and_sees_the_whole_history() -> None:
    net = _net("Convolution")
    behind = _given()[0].requires_grad_()
    net.states(behind)[:, 12].sum().backward()
    moved = behind.grad.abs().sum(dim=(0, 2))
    assert (moved[13:] == 0).all() and (moved[:13] > 0).all()
    again = _given()[0].requires_grad_()
    net.states(again)[:, -1].sum().backward()
    assert (again.grad.abs().sum(dim=(0, 2)) > 0).all()


def test_the_recurrent_net_reads_in_order_and_to_the_end() -> None:
    net, behind = _net("Recurrent", stride=1), _given()[0].requires_grad_()
    net.states(behind)[:, 12].sum().backward()
    moved = behind.grad.abs().sum(dim=(0, 2))
    assert (moved[13:] == 0).all() and (moved[:13] > 0).all()


def test_steps_put_side_by_side_keep_their_order() -> None:
    behind = torch.arange(1.0, 6.0).view(1, 5, 1)
    assert temporal.side_by_side(behind, 2).tolist() == [[[0, 1], [2, 3], [4, 5]]]


def test_recall_finds_the_step_of_an_age() -> None:
    recall = temporal.Recall(SHAPE, 5)
    with torch.no_grad():
        recall.asked.weight.zero_()
        recall.asked.bias.zero_()
        recall.ages.values[2, 9] = 100.0
    behind, ahead, _ = _given()
    assert torch.allclose(recall(behind, ahead)[:, 2], behind[:, 9], atol=1e-5)
    assert torch.allclose(recall(behind, ahead)[:, 1], behind.mean(dim=1), atol=1e-5)


def test_the_decomposition_is_its_formula() -> None:
    net, (behind, _, _) = _net("Decomposed"), _given()
    history = behind[:, :, 0].numpy().astype(np.float64)
    padded = np.pad(history, ((0, 0), (2, 2)), mode="edge")
    trend = np.stack([padded[:, place : place + 5].mean(axis=1) for place in range(22)], axis=1)
    maps = {name: value.numpy().astype(np.float64) for name, value in net.state_dict().items()}
    expected = trend @ maps["trend.weight"].T + maps["trend.bias"]
    expected += (history - trend) @ maps["rest.weight"].T + maps["rest.bias"]
    assert np.allclose(net.median(behind[:, :, 0]).detach().numpy(), expected, atol=1e-5)


def test_blocks_leave_to_the_next_what_they_did_not_explain() -> None:
    net, given = _net("NHits"), _given()
    assert [block.pool for block in net.blocks] == sorted((block.pool for block in net.blocks), reverse=True)
    assert net.blocks[-1].pool == 1 and net.blocks[0].pool > 1
    explained, said = net.blocks[0](given[0][:, :, 0].expand(3, -1, -1), _rest(given))
    assert explained.shape == (3, 7, 22) and said.shape == (3, 7, 6, 5)
    total, history = net.start.values.expand(3, 7, -1, -1), given[0][:, :, 0].expand(3, -1, -1)
    for block in net.blocks:
        explained, said = block(history, _rest(given))
        history, total = history - explained, total + said
    assert torch.allclose(net(*given), total)


def _rest(given: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    behind, ahead, whole = given
    return torch.cat([behind[:, :, 2], ahead.flatten(1), whole], dim=1).expand(3, -1, -1)


def test_between_knots_lies_a_straight_line() -> None:
    knots = torch.tensor([[[0.0, 1.0]]])
    assert torch.allclose(temporal.interpolated(knots, 4), torch.tensor([[[0.0, 0.25, 0.75, 1.0]]]))
    assert temporal.interpolated(knots, 2) is knots
