"""Readers of sequences: what stands behind the end changes nothing; and batches of sequences of like length."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.nets import loop, sequences  # noqa: E402  torch must be there first

READERS = {
    "recurrent": sequences.Recurrent(5, units=6),
    "both ways": sequences.Recurrent(5, units=6, both_ways=True),
    "convolution": sequences.Convolution(5, filters=4, spans=(1, 2, 3, 6)),
    "transformer": sequences.Transformer(5, steps=20, units=8, heads=2).eval(),
}


@pytest.mark.parametrize("name", READERS)
class TestReaders:
    def test_what_stands_behind_the_end_changes_nothing(self, name: str) -> None:
        x, lengths = torch.randn(4, 9, 5), torch.tensor([1, 4, 9, 6])
        other = x.clone()
        for row, length in enumerate(lengths.tolist()):
            other[row, length:] = 1e3
        reader = READERS[name]
        with torch.no_grad():
            found = reader(x, lengths)
            assert found.shape == (4, reader.width)
            assert torch.allclose(reader(other, lengths), found, atol=1e-5)
            alone = torch.cat(
                [reader(x[row : row + 1, :length], lengths[row : row + 1]) for row, length in enumerate(lengths)]
            )
            assert torch.allclose(alone, found, atol=1e-5)

    def test_what_stands_before_the_end_counts(self, name: str) -> None:
        x, lengths = torch.randn(2, 9, 5), torch.tensor([5, 5])
        other = x.clone()
        other[:, 2] += 3.0
        with torch.no_grad():
            assert not torch.allclose(READERS[name](x, lengths), READERS[name](other, lengths), atol=1e-3)


def test_sequences_are_turned_within_their_lengths() -> None:
    x = torch.arange(4.0).repeat(2, 1)[:, :, None]
    assert sequences.turned(x, torch.tensor([2, 4]))[:, :, 0].tolist() == [[1, 0, 2, 3], [3, 2, 1, 0]]


def test_pieces_become_the_mean_of_their_vectors() -> None:
    words = sequences.PieceVectors(4, 3)
    with torch.no_grad():
        found = words(torch.tensor([2, 0, 1]), torch.tensor([0, 1]), torch.tensor([[0, 1], [1, 1]]))
        both = words.vectors[[0, 1]].mean(dim=0)
    assert torch.allclose(found, torch.stack([torch.stack([words.vectors[2], both]), torch.stack([both, both])]))


class TestBatches:
    def test_rows_of_like_length_share_a_batch_and_each_comes_once_a_pass(self) -> None:
        lengths = np.random.default_rng(0).integers(1, 200, 120)
        batches = loop._batches(120, 10, 0, torch.device("cpu"), lengths)
        passes = [[next(batches).numpy() for _ in range(12)] for _ in range(2)]
        for each in passes:
            assert sorted(np.concatenate(each).tolist()) == list(range(120))
            assert np.mean([np.ptp(lengths[rows]) for rows in each]) < 30
        assert any((a != b).any() for a, b in zip(*passes, strict=True))

    def test_batches_do_not_come_in_the_order_of_their_lengths(self) -> None:
        lengths = np.arange(120)
        batches = loop._batches(120, 10, 0, torch.device("cpu"), lengths)
        means = [lengths[next(batches).numpy()].mean() for _ in range(12)]
        assert means != sorted(means)
