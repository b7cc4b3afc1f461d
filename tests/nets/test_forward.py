"""The forward pass of numpy answers as torch does, whatever the net is made of, and needs no torch to do so."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.nets import bodies, weights  # noqa: E402  torch must be there first
from deepenough.nets.forward import BATCH, Forward, difference  # noqa: E402

FRONT = {"numbers": 4, "flags": 2, "cardinalities": [5, 30], "pieces": 6}
BODIES = {
    "MemberMlp": {"members": 3, "width": 8, "layers": 2},
    "SharedMlp": {"members": 4, "width": 8, "layers": 2},
    "Residual": {"width": 8, "blocks": 3},
}
FRONTS: dict[str, dict[str, Any]] = {
    "all": {},
    "no waves": {"waves": 0},
    "no pieces": {"pieces": 0},
    "no factors": {"scaled": False},
    "no categories": {"cardinalities": []},
    "no numbers": {"numbers": 0, "pieces": 0},
    "no flags": {"flags": 0},
}
SAME = 1e-5
"""Sums of float32 in another order differ by so much."""


def _inputs(front: dict[str, Any], rows: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    numbers = rng.uniform(-3, 3, (rows, front["numbers"])).astype(np.float32)
    flags = (rng.random((rows, front["flags"])) < 0.5).astype(np.float32)
    codes = [rng.integers(0, levels, rows) for levels in front["cardinalities"]]
    return [numbers, flags, np.array(codes, dtype=np.int64).reshape(len(codes), rows).T]


def _both(body: str, front: dict[str, Any], settings: dict[str, Any] | None = None) -> tuple[bodies.Net, Forward]:
    """A net with weights as if it had learnt, and its forward pass."""
    torch.manual_seed(0)
    architecture = {"front": front, "class": body, "body": settings or BODIES[body], "outputs": 3}
    net = bodies.build(architecture).eval()
    if front["pieces"]:
        cuts = np.arange(6) % front["numbers"], np.linspace(-2, 2, 6, dtype=np.float32), np.ones(6, dtype=np.float32)
        net.front.cut(*cuts)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return net, Forward(architecture, weights.of(net))


def _by_torch(net: bodies.Net, inputs: list[np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(net(*(torch.from_numpy(array) for array in inputs)).numpy())


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("rows", [1, 7])
def test_it_answers_as_torch_does(body: str, name: str, rows: int) -> None:
    front = FRONT | FRONTS[name]
    net, forward = _both(body, front)
    inputs = _inputs(front, rows)
    answer = forward(*inputs)
    assert answer.dtype == np.float32
    assert np.abs(answer).max() > 0.1
    assert difference(answer, _by_torch(net, inputs)) < SAME


@pytest.mark.parametrize("body", BODIES)
def test_every_weight_counts(body: str) -> None:
    """A weight that the forward pass forgot would change nothing."""
    _net, forward = _both(body, FRONT)
    inputs = _inputs(FRONT, 50)
    before, rng = forward(*inputs), np.random.default_rng(2)
    for name, array in forward.weights.items():
        other = array + rng.normal(size=array.shape) if array.dtype.kind == "f" else (array + 1) % 4
        changed = dict(forward.weights) | {name: other.astype(array.dtype)}
        assert difference(Forward(forward.architecture, changed)(*inputs), before) > 1e-4, name


def test_more_rows_than_a_batch_keep_their_order() -> None:
    _, forward = _both("MemberMlp", FRONT)
    inputs = _inputs(FRONT, BATCH + 3)
    assert difference(forward(*(array[-5:] for array in inputs)), forward(*inputs)[:, -5:]) < SAME


def test_no_rows_are_answered_with_none() -> None:
    _, forward = _both("SharedMlp", FRONT)
    assert forward(*_inputs(FRONT, 0)).shape == (4, 0, 3)


@pytest.mark.parametrize("body", BODIES)
def test_huge_outputs_do_not_overflow(body: str) -> None:
    _net, forward = _both(body, FRONT)
    huge = {name: array * 30 if array.dtype.kind == "f" else array for name, array in forward.weights.items()}
    assert np.isfinite(Forward(forward.architecture, huge)(*_inputs(FRONT, 5))).all()


def test_a_difference_is_relative_beyond_one() -> None:
    assert difference(np.array([1001.0, 0.5]), np.array([1000.0, 0.4])) == pytest.approx(0.1)
    assert np.isnan(difference(np.array([np.nan]), np.array([0.0])))


def test_torch_stays_out() -> None:
    code = (
        "import sys; import deepenough.nets.forward, deepenough.nets.weights; "
        "sys.exit('torch' in sys.modules or 'safetensors' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
