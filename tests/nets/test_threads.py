"""A few units are answered in one thread, and torch gets its own back."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from deepenough.nets import threads  # noqa: E402  torch must be there first


def test_torch_gets_its_threads_back() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with threads.few_threads(1):
            assert torch.get_num_threads() == 1
        with threads.few_threads(threads.FEW + 1):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
