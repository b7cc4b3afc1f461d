"""The table's nets on hard tables, and what they promise beyond the contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepenough.kinds.table.deep.mlp import Mlp  # noqa: E402  torch must be there first
from deepenough.kinds.table.deep.resnet import Resnet  # noqa: E402
from deepenough.kinds.table.deep.tabm import Tabm  # noqa: E402
from deepenough.kinds.table.inputs import Column, Table  # noqa: E402
from deepenough.kinds.table.prepare import Encoder  # noqa: E402
from deepenough.kinds.table.scaling import Scaling, pieces  # noqa: E402
from deepenough.learner import Examples, Limits  # noqa: E402
from deepenough.nets.outputs import Outputs, _lowest  # noqa: E402

LEARNERS = {"mlp": Mlp(epochs=8), "tabm": Tabm(epochs=8, members=4, width=32), "resnet": Resnet(epochs=8, width=32)}
LEVELS = tuple(f"level {place}" for place in range(40))


def _table(rows: int, seed: int = 0, numbers: bool = True, categories: bool = True) -> Table:
    rng = np.random.default_rng(seed)
    columns = []
    if numbers:
        columns = [Column(f"number {place}", "number", rng.normal(size=rows)) for place in range(3)]
        columns.append(Column("gaps", "number", np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows) * 1e6)))
        columns.append(Column("constant", "number", np.full(rows, 7.0)))
        columns.append(Column("nothing", "number", np.full(rows, np.nan)))
    if categories:
        columns.append(Column("small", "category", rng.integers(-1, 3, rows).astype(np.int32), LEVELS[:3]))
        columns.append(Column("large", "category", rng.integers(0, 25, rows).astype(np.int32), LEVELS))
    return Table(tuple(columns))


def _examples(rows: int = 200, n_classes: int | None = 3, **which: bool) -> Examples:
    table = _table(rows, **which)
    rng = np.random.default_rng(1)
    signal = np.nan_to_num(table.columns[0].values[:rows].astype(float))
    noisy = signal + 0.3 * rng.normal(size=rows)
    if n_classes is None:
        return Examples(table, noisy * 50 + 1000, None, np.arange(rows // 6))
    targets = np.digitize(noisy, np.quantile(noisy, np.linspace(0, 1, n_classes + 1)[1:-1])).astype(np.int64)
    return Examples(table, targets, n_classes, np.arange(rows // 6))


def _same(first: np.ndarray, other: np.ndarray, n_classes: int | None) -> bool:
    return bool(np.allclose(first, other, rtol=1e-5, atol=1e-5 if n_classes else 1e-3))


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("n_classes", [2, 3, None])
class TestAnswers:
    def test_row_alone_batch_order_and_disk(self, name: str, n_classes: int | None, tmp_path: Path) -> None:
        examples = _examples(n_classes=n_classes)
        model = LEARNERS[name].fit(examples, Limits(), 0)
        table = _table(60, seed=9)
        predictions = model.predict(table)
        order = np.random.default_rng(2).permutation(60)
        model.save(tmp_path)
        assert np.isfinite(predictions).all()
        assert _same(model.predict(table.take(order)), predictions[order], n_classes)
        alone = np.concatenate([model.predict(table.take(np.array([row]))) for row in range(5)])
        assert _same(alone, predictions[:5], n_classes)
        assert np.array_equal(type(model).load(tmp_path).predict(table), predictions)

    def test_same_seed_same_answer(self, name: str, n_classes: int | None) -> None:
        examples = _examples(n_classes=n_classes)
        first, again, other = (LEARNERS[name].fit(examples, Limits(), s).predict(examples.inputs) for s in (3, 3, 4))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", LEARNERS)
class TestHardTables:
    def test_learns_more_than_what_is_most_common(self, name: str) -> None:
        examples = _examples(600)
        predictions = LEARNERS[name].fit(examples, Limits(), 0).predict(examples.inputs)
        assert (predictions.argmax(axis=1) == examples.targets).mean() > 0.6

    @pytest.mark.parametrize("which", [{"numbers": False}, {"categories": False}])
    def test_only_one_role(self, name: str, which: dict[str, bool]) -> None:
        examples = _examples(80, **which)
        predictions = LEARNERS[name].fit(examples, Limits(), 0).predict(_table(10, seed=5, **which))
        assert np.allclose(predictions.sum(axis=1), 1.0)

    @pytest.mark.parametrize("rows", [2, 20])
    def test_hardly_any_rows_and_an_absent_class(self, name: str, rows: int) -> None:
        examples = _examples(rows)
        examples = Examples(examples.inputs, examples.targets % 2, 4, np.arange(rows // 6))
        predictions = LEARNERS[name].fit(examples, Limits(), 0).predict(_table(7, seed=5))
        assert predictions.shape == (7, 4)
        assert (predictions > 0).all()
        assert np.allclose(predictions.sum(axis=1), 1.0)

    def test_no_column_that_varies(self, name: str) -> None:
        table = Table((Column("constant", "number", np.ones(30)), Column("nothing", "number", np.full(30, np.nan))))
        targets = np.arange(30) % 3 % 2
        predictions = LEARNERS[name].fit(Examples(table, targets, 2, np.arange(5)), Limits(), 0).predict(table)
        assert np.allclose(predictions, predictions[0])
        assert predictions[0].argmax() == 0

    def test_huge_and_infinite_numbers(self, name: str) -> None:
        examples = _examples(60, categories=False)
        wild = np.array([1e308, -1e308, np.inf, -np.inf, np.nan, 1e-308])
        table = Table(tuple(Column(c.name, c.role, wild) for c in examples.inputs.columns))
        predictions = LEARNERS[name].fit(examples, Limits(), 0).predict(table)
        assert np.isfinite(predictions).all()

    def test_levels_never_seen_are_like_missing_ones(self, name: str) -> None:
        examples = _examples(80, numbers=False)
        model = LEARNERS[name].fit(examples, Limits(), 0)
        new = [Column(c.name, c.role, np.zeros(1, dtype=np.int32), ("never seen",)) for c in examples.inputs.columns]
        none = [Column(c.name, c.role, np.full(1, -1, dtype=np.int32), c.levels) for c in examples.inputs.columns]
        assert np.array_equal(model.predict(Table(tuple(new))), model.predict(Table(tuple(none))))

    def test_nothing_given_is_changed_and_nothing_said(self, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        examples = _examples(80)
        before = {key: array.copy() for key, array in examples.inputs.to_arrays().items()}
        state = torch.random.get_rng_state()
        LEARNERS[name].fit(examples, Limits(), 0).predict(examples.inputs)
        after = examples.inputs.to_arrays()
        assert all(np.array_equal(before[key], after[key], equal_nan="values" in key) for key in before)
        assert torch.equal(state, torch.random.get_rng_state())
        assert capfd.readouterr() == ("", "")

    def test_no_time_gives_what_is_most_common(self, name: str) -> None:
        examples = _examples(300)
        model = LEARNERS[name].fit(examples, Limits(seconds=0.0), 0)
        shares = np.bincount(examples.targets[examples.outer], minlength=3) / len(examples.outer)
        assert model.planned < 1
        assert np.allclose(model.predict(examples.inputs), shares, atol=0.02)

    def test_a_short_deadline_gives_an_answer(self, name: str) -> None:
        examples = _examples(20_000)
        model = type(LEARNERS[name])().fit(examples, Limits(seconds=0.5), 0)
        predictions = model.predict(examples.inputs.take(np.arange(500)))
        assert 0 < model.planned < 1
        assert np.allclose(predictions.sum(axis=1), 1.0)

    def test_no_inner_rows(self, name: str) -> None:
        examples = _examples(80)
        model = LEARNERS[name].fit(examples.take(np.arange(60)), Limits(), 0)
        assert model.trace == ()
        assert np.isfinite(model.predict(examples.inputs)).all()

    def test_warm_up_needs_no_data(self, name: str) -> None:
        for n_classes in (None, 2, 30):
            type(LEARNERS[name]).warm_up(n_classes)

    def test_every_drawn_setting_can_be_fitted(self, name: str) -> None:
        rng = np.random.default_rng(0)
        cls = type(LEARNERS[name])
        settings = {key: draw(rng) for key, draw in cls.space().items()}
        model = cls(**settings, epochs=2).fit(_examples(60), Limits(), 0)
        assert np.isfinite(model.predict(_table(5))).all()


def test_numbers_stay_near_those_of_training() -> None:
    target = Outputs.of(np.array([0.0, 10.0]), None)
    assert np.array_equal(target.answer(np.full((2, 3, 1), 1e6, dtype=np.float32)), np.full(3, 11.0))


def test_inner_loss_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    chance = rng.uniform(0.02, 0.98, 4_000)
    truth = (rng.random(4_000) < chance).astype(np.int64)
    right = np.stack([np.zeros(4_000), np.log(chance / (1 - chance))], axis=1)[None]
    target = Outputs(2)
    assert target.inner_loss(right * 2.2, truth) == pytest.approx(target.inner_loss(right, truth), rel=0.01)


@pytest.mark.parametrize("least", range(7))
def test_lowest_finds_the_bottom_from_anywhere(least: int) -> None:
    values = [float((place - least) ** 2) + 3.0 for place in range(7)]
    assert all(_lowest(values.__getitem__, 7, start) == 3.0 for start in range(7))


def test_scaled_numbers_have_one_size_whatever_their_unit() -> None:
    rng = np.random.default_rng(0)
    column = rng.normal(size=500)
    table = Table((Column("a", "number", column * 1e9 + 3e9), Column("b", "number", column * 1e-6)))
    encoded = Encoder.fit(table).transform(table)
    numbers, flags, _ = Scaling.fit(encoded).arrays(encoded)
    assert np.allclose(numbers[:, 0], numbers[:, 1], atol=1e-3)
    assert np.abs(numbers).max() < 3.0
    assert flags.shape == (500, 0)


def test_numbers_are_cut_at_quantiles_unless_they_have_few_values() -> None:
    few, many = np.arange(1_000) % 10, np.arange(1_000) / 100
    column, low, length = pieces(np.stack([few, many], axis=1), 5)
    assert column.tolist() == [1] * 5
    assert np.allclose(low, [0, 1.998, 3.996, 5.994, 7.992])
    assert np.allclose(low + length, [1.998, 3.996, 5.994, 7.992, 9.99])
    assert len(pieces(many[:, None], 0)[0]) == 0


def test_pieces_see_the_rare_values_of_a_number_that_is_mostly_zero() -> None:
    rng = np.random.default_rng(0)
    numbers = np.where(rng.random(2_000) < 0.95, 0.0, rng.uniform(0.1, 2.0, 2_000))[:, None]
    _, low, _ = pieces(numbers, 16)
    assert np.sum(low > 0.1) >= 5
