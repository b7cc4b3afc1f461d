"""Nets of whole series: what stands behind an end is never felt, and what is built again is the same."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.nets import signals  # noqa: E402  torch must be there first

FRONT = {"stretch": 4, "vector": 8}
RECURRENT: dict[str, Any] = {"class": "Recurrent", "reader": {"units": 8}, "front": FRONT}
INCEPTION: dict[str, Any] = {
    "class": "Inception",
    "reader": {"filters": 4, "spans": [3, 9], "blocks": 2, "narrow": 4},
    "front": None,
}


def built(architecture: dict[str, Any]) -> Any:
    torch.manual_seed(0)
    whole = {"inputs": 3, "facts": 2, "outputs": 2, "dropout": 0.2, **architecture}
    return signals.build(json.loads(json.dumps(whole))).eval()


def given(steps: int = 22, rows: int = 3) -> tuple[Any, Any, Any]:
    generator = torch.Generator().manual_seed(1)
    lengths = torch.tensor([steps, steps // 2, 1])[:rows]
    x = torch.randn(rows, steps, 3, generator=generator)
    x[torch.arange(steps) >= lengths[:, None]] = 0.0
    return x, lengths, torch.randn(rows, 2, generator=generator)


@pytest.mark.parametrize("architecture", [RECURRENT, INCEPTION], ids=lambda each: each["class"])
class TestReaders:
    def test_padding_is_not_felt(self, architecture: dict[str, Any]) -> None:
        net = built(architecture)
        x, lengths, facts = given()
        together = net(x, lengths, facts)
        assert together.shape == (1, 3, 2)
        wider = net(torch.nn.functional.pad(x, (0, 0, 0, 13)), lengths, facts)
        assert torch.allclose(wider, together, atol=1e-5)
        for row, length in enumerate(lengths.tolist()):
            alone = net(x[row : row + 1, :length], lengths[row : row + 1], facts[row : row + 1])
            assert torch.allclose(alone[0], together[0, row : row + 1], atol=1e-5)

    def test_every_step_before_the_end_and_every_fact_is_seen(self, architecture: dict[str, Any]) -> None:
        net = built(architecture)
        with torch.no_grad():
            net.head.weight.normal_()
        x, lengths, facts = (each.clone() for each in given())
        x.requires_grad_()
        facts.requires_grad_()
        net(x, lengths, facts).square().sum().backward()
        seen = x.grad.abs().sum(dim=2) > 0
        inside = torch.arange(22) < lengths[:, None]
        assert bool(seen[inside].all())
        assert bool((facts.grad != 0).all())

    def test_it_starts_from_what_is_most_common(self, architecture: dict[str, Any]) -> None:
        net = built(architecture)
        net.head.start_from(np.array([0.3, -0.2], dtype=np.float32))
        assert torch.allclose(net(*given()), torch.tensor([0.3, -0.2]))


def test_a_stretch_is_as_many_steps_as_it_says() -> None:
    front = signals.Stretches(3, 4, 8)
    x, lengths, _ = given()
    vectors, counts = front(x, lengths)
    assert vectors.shape == (3, 6, 8)
    assert counts.tolist() == [6, 3, 1]
