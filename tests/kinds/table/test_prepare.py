"""What every table learner builds on: the encodings survive anything, and say the same of a row wherever it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepenough.errors import ModelError
from deepenough.kinds.table.dense import Dense
from deepenough.kinds.table.inputs import Column, Table
from deepenough.kinds.table.prepare import Encoded, Encoder
from deepenough.kinds.table.words import Words
from deepenough.learner import Examples

NOTHING = np.empty(0, dtype=np.int64)


def awkward(n: int, seed: int = 0) -> Table:
    """One column of each trouble."""
    random = np.random.default_rng(seed)
    texts = tuple(" ".join(random.choice(["red", "blue", "Straße", "dog"], 5)) + f" number{k}" for k in range(7))
    many = tuple(f"level {k}" for k in range(60))

    def codes(levels: int) -> np.ndarray:
        return random.integers(-1, levels, n).astype(np.int32)

    return Table(
        (
            Column("plain", "number", random.normal(size=n)),
            Column("gaps", "number", np.where(random.random(n) < 0.3, np.nan, random.normal(size=n))),
            Column("huge", "number", np.where(random.random(n) < 0.5, 1e308, -1e308)),
            Column("tiny", "number", random.random(n) * 1e-40),
            Column("infinite", "number", np.full(n, np.inf)),
            Column("empty", "number", np.full(n, np.nan)),
            Column("constant", "number", np.ones(n)),
            Column("few", "category", codes(3), ("x", "y", "\ud800z")),
            Column("many", "category", codes(60), many),
            Column("never", "category", np.full(n, -1, dtype=np.int32), ()),
            Column("date", "date", np.where(random.random(n) < 0.2, np.nan, random.normal(0, 1e9, n))),
            Column("never a date", "date", np.full(n, 1e20)),
            Column("text", "text", codes(7), texts),
            Column("no text", "text", np.full(n, -1, dtype=np.int32), texts),
        )
    )


def same(one: Encoded, other: Encoded) -> bool:
    return np.array_equal(one.numbers, other.numbers, equal_nan=True) and np.array_equal(one.codes, other.codes)


@pytest.mark.parametrize("n", [1, 2, 60])
def test_a_row_alone_or_in_another_order_is_the_same_to_the_last_bit(n: int, tmp_path: Path) -> None:
    table = awkward(n)
    encoder = Encoder.fit(table)
    encoded = encoder.transform(table)
    order = np.random.default_rng(1).permutation(n)
    assert same(encoder.transform(table.take(order)), encoded.take(order))
    for row in range(n):
        assert same(encoder.transform(table.take(np.array([row]))), encoded.take(np.array([row])))
    encoder.save(tmp_path)
    assert same(Encoder.load(tmp_path).transform(table), encoded)
    assert same(encoder.transform(Table.from_arrays(table.to_arrays())), encoded)


def test_shapes_types_and_no_infinite_numbers() -> None:
    encoded = Encoder.fit(awkward(60)).transform(awkward(40, seed=1))
    assert encoded.numbers.dtype == np.float32 and encoded.codes.dtype == np.int32
    assert len(encoded.numbers) == len(encoded.codes) == len(encoded) == 40
    assert not np.isinf(encoded.numbers).any()
    assert encoded.cardinalities[0] == 4 and encoded.cardinalities[2] == 1
    assert (encoded.codes >= 0).all() and (encoded.codes < np.array(encoded.cardinalities)).all()


def test_levels_are_known_by_their_strings_and_the_unseen_count_as_missing() -> None:
    trained = Table((Column("c", "category", np.array([0, 1, -1, 1], dtype=np.int32), ("b", "a", "not in training")),))
    encoder = Encoder.fit(trained)
    assert encoder.transform(trained).codes[:, 0].tolist() == [2, 1, 0, 1]
    given_codes = np.array([0, 1, 2, 3, -1] * 5, dtype=np.int32)
    later = Table((Column("c", "category", given_codes, ("new", "a", "not in training", "b")),))
    assert encoder.transform(later).codes[:, 0].tolist() == [0, 1, 0, 2, 0] * 5
    assert encoder.transform(later.take(np.arange(5))).codes[:, 0].tolist() == [0, 1, 0, 2, 0]


def test_dates_agree_with_the_calendar() -> None:
    moments = [datetime(1969, 12, 31, 23, 30, tzinfo=UTC), datetime(2024, 2, 29, 6, 15, tzinfo=UTC)]
    table = Table((Column("d", "date", np.array([moment.timestamp() for moment in moments])),))
    encoder = Encoder.fit(table)
    numbers = encoder.transform(table).numbers * encoder.units + encoder.shifts
    for row, moment in zip(numbers, moments, strict=True):
        expected = [moment.year, moment.month, moment.day, moment.weekday()]
        assert row[:4].tolist() == expected
        assert row[5] == moment.hour + moment.minute / 60


def test_large_offsets_keep_their_differences() -> None:
    table = Table((Column("id", "number", 1e15 + np.arange(50)),))
    numbers = Encoder.fit(table).transform(table).numbers[:, 0]
    assert len(np.unique(numbers)) == 50


def test_a_column_in_another_role_is_refused() -> None:
    encoder = Encoder.fit(Table((Column("a", "number", np.ones(3)),)))
    with pytest.raises(ModelError, match="'a' was learnt as number and is given as category"):
        encoder.transform(Table((Column("a", "category", np.zeros(3, dtype=np.int32), ("x",)),)))
    with pytest.raises(ModelError, match="not at all"):
        encoder.transform(Table((Column("b", "number", np.ones(3)),)))


def test_texts_about_the_same_are_near_each_other() -> None:
    fruits, tools = ["apple pear plum", "pear plum", "apple plum"], ["hammer saw drill", "saw drill", "hammer drill"]
    words = Words.fit(fruits * 4 + tools * 4)
    places = words.transform([*fruits, *tools])[:, 2:]
    lengths = np.linalg.norm(places, axis=1)
    likeness = places @ places.T / np.outer(lengths, lengths)
    assert likeness[:3, :3].min() > 0.3 > 0.01 > np.abs(likeness[:3, 3:]).max()


@pytest.mark.parametrize("scaling", ["standard", "ranks", "both", "raw"])
@pytest.mark.parametrize("n_classes", [None, 2, 4])
def test_dense_has_no_holes_and_is_saved_whole(scaling: str, n_classes: int | None, tmp_path: Path) -> None:
    table = awkward(80)
    random = np.random.default_rng(0)
    targets = random.normal(size=80) if n_classes is None else random.integers(0, n_classes, 80)
    dense, matrix = Dense.fit_transform(Examples(table, targets, n_classes, NOTHING), scaling)
    assert matrix.dtype == np.float32 and np.isfinite(matrix).all()
    later = dense.transform(awkward(30, seed=3))
    assert later.shape == (30, matrix.shape[1]) and np.isfinite(later).all()
    assert np.array_equal(later[7:8], dense.transform(awkward(30, seed=3).take(np.array([7]))))
    dense.save(tmp_path)
    assert np.array_equal(Dense.load(tmp_path).transform(awkward(30, seed=3)), later)


def test_average_targets_of_training_rows_come_from_other_rows() -> None:
    """Levels seen once and targets by chance: had a row seen its own target, the column would tell it."""
    n = 400
    random = np.random.default_rng(0)
    table = Table((Column("id", "category", np.arange(n, dtype=np.int32), tuple(map(str, range(n)))),))
    targets = random.integers(0, 2, n)
    examples = Examples(table, targets, 2, NOTHING)
    dense, matrix = Dense.fit_transform(examples, "raw")
    assert abs(np.corrcoef(matrix[:, 0], targets)[0, 1]) < 0.2
    assert np.corrcoef(dense.transform(table)[:, 0], targets)[0, 1] > 0.9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(width=64), min_size=1, max_size=12), st.lists(st.floats(width=64), min_size=1, max_size=5))
def test_any_numbers_become_numbers(trained: list[float], later: list[float]) -> None:
    table = Table((Column("x", "number", np.array(trained)),))
    examples = Examples(table, np.zeros(len(trained), dtype=np.int64), 2, NOTHING)
    asked = Table((Column("x", "number", np.array(later)),))
    assert not np.isinf(Encoder.fit(table).transform(asked).numbers).any()
    for scaling in ("both", "raw"):
        assert np.isfinite(Dense.fit(examples, scaling).transform(asked)).all()
