"""Every learner of tables, drawn as an ONNX graph, answers as its model does, whatever comes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepenough import kinds
from deepenough.errors import ModelError
from deepenough.graph import Graph
from deepenough.kinds.table.codec import TableCodec, Wanted
from deepenough.kinds.table.drawn_trees import Growing, said
from deepenough.kinds.table.inputs import Column, Table
from deepenough.learner import Examples, Limits

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

QUICK = {
    "catboost": {"rounds": 30},
    "extra_trees": {"trees": 12},
    "lightgbm": {"rounds": 40},
    "mlp": {"epochs": 2, "members": 2, "width": 16},
    "resnet": {"epochs": 2, "width": 16},
    "tabm": {"epochs": 12, "width": 16, "members": 4},
}
LEARNERS = {entry.name: entry for entry in kinds.find_learners("table")}
SECONDS_A_DAY = 86_400.0
HOSTILE = '"""); import os #'


def table(rows: int, seed: int, towns: int = 40) -> Table:
    """Numbers with gaps, some very large ones, small and large categories, dates with hours before and after 1970."""
    rng = np.random.default_rng(seed)
    gaps = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows))
    days = rng.integers(-40_000, 40_000, rows) * SECONDS_A_DAY + rng.integers(0, 86_400, rows)
    levels = tuple(f"town {number}" for number in range(towns))
    return Table(
        (
            Column("gaps", "number", gaps),
            Column(HOSTILE, "number", rng.integers(0, 5, rows).astype(np.float64)),
            Column("large", "number", 1e9 + rng.integers(0, 100, rows)),
            Column("colour", "category", rng.integers(-1, 3, rows).astype(np.int32), ("red", "grün", "'blue'")),
            Column("town", "category", rng.integers(-1, towns, rows).astype(np.int32), levels),
            Column("day", "date", np.where(rng.random(rows) < 0.1, np.nan, days)),
        )
    )


def targets(of: Table, n_classes: int | None) -> np.ndarray:
    score = np.nan_to_num(of.columns[0].values) + of.columns[3].values + of.columns[4].values / 10
    if n_classes is None:
        return score * 1000 + 5
    return np.digitize(score, np.quantile(score, np.linspace(0, 1, n_classes + 1)[1:-1])).astype(np.int64)


def strange(rows: int) -> Table:
    """Rows as no training row was: unseen levels, nothing at all, infinite and huge numbers, dates out of reach."""
    given = table(rows, 2, towns=60)
    _, *others = given.columns
    odd = np.array([np.nan, np.inf, -np.inf, 1e308, -1e308, 1e18, 0.0, 1e-30])
    far = Column("day", "date", np.resize([np.nan, 1e12, -2.4e11, 2.4e11, 0.0, -1.0], rows))
    return Table((Column("gaps", "number", np.resize(odd, rows)), *others[:-1], far))


def answered(model: Any, of: Table) -> np.ndarray:
    """What ONNX Runtime says of the rows."""
    codec = TableCodec(tuple(Wanted(column.name, column.role) for column in of.columns), "target")
    graph = Graph()
    codec.onnx(graph)
    answers = model.onnx(graph)
    expected = model.predict(of)
    graph.answer("answer", answers, np.float64, expected.shape[1] if expected.ndim == 2 else 0)
    made = graph.made({})
    onnx.checker.check_model(made, full_check=True)  # types and shapes of every value too
    session = ort.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, codec.fed(of))[0])


@pytest.mark.parametrize("n_classes", [2, 3, None])
@pytest.mark.parametrize("name", LEARNERS)
def test_drawn_it_answers_the_same(name: str, n_classes: int | None) -> None:
    learnt = table(400, 0)
    examples = Examples(learnt, targets(learnt, n_classes), n_classes, np.arange(60))
    model = LEARNERS[name].cls(**QUICK.get(name, {})).fit(examples, Limits(), 0)
    for rows in (table(200, 1), strange(48), table(1, 3)):
        expected = model.predict(rows)
        spread = 1.0 if n_classes else float(np.std(examples.targets))
        assert np.abs(answered(model, rows) - expected).max() / spread < 1e-5
    assert name == "prior" or np.ptp(model.predict(table(200, 1)), axis=0).max() > 0.01  # it does look at the rows


@pytest.mark.parametrize("name", ["linear", "extra_trees", "lightgbm", "catboost", "neighbours"])
@pytest.mark.parametrize("n_classes", [4, 2])
def test_a_class_that_no_row_has_keeps_its_column(name: str, n_classes: int) -> None:
    learnt = table(200, 0)
    examples = Examples(
        learnt, targets(learnt, n_classes - 1) if n_classes > 2 else np.zeros(200, int), n_classes, np.arange(20)
    )
    model = LEARNERS[name].cls(**QUICK.get(name, {})).fit(examples, Limits(), 0)
    found = answered(model, table(100, 1))
    assert found.shape == (100, n_classes)
    assert np.abs(found - model.predict(table(100, 1))).max() < 1e-5


@pytest.mark.parametrize("name", ["linear", "extra_trees", "lightgbm", "catboost", "mlp"])
@pytest.mark.parametrize("role", ["number", "category"])
def test_columns_of_one_role_alone(name: str, role: str) -> None:
    def part(of: Table) -> Table:
        return Table(tuple(column for column in of.columns if column.role == role))

    learnt = table(300, 0)
    examples = Examples(part(learnt), targets(learnt, 2), 2, np.arange(30))
    model = LEARNERS[name].cls(**QUICK.get(name, {})).fit(examples, Limits(), 0)
    rows = part(table(100, 1))
    assert np.abs(answered(model, rows) - model.predict(rows)).max() < 1e-5


def test_a_tree_of_one_leaf_says_what_it_says() -> None:
    growing = Growing(1)
    growing.nodes += [(-1, 0.0, False, 0, 0)]
    growing.nodes += [(0, 0.5, True, 1, 2), (-1, 0.0, False, 0, 0), (-1, 0.0, False, 0, 0)]
    growing.nodes += [(-1, 0.0, False, 0, 0)]
    growing.sizes += [1, 3, 1]
    growing.leaves += [5.0, 20.0, 30.0, 7.0]
    graph = Graph()
    matrix = growing.matrix(graph, graph.cast(graph.number("x"), np.float32), None, ())
    graph.answer("answer", said(graph, matrix, growing.trees()), np.float64, 3)
    session = ort.InferenceSession(graph.made({}).SerializeToString(), providers=["CPUExecutionProvider"])
    given = np.array([[0.4], [0.6], [np.nan]])
    assert session.run(None, {"x": given})[0].tolist() == [[5, 20, 7], [5, 30, 7], [5, 20, 7]]


def test_catboosts_trees_may_be_single_leaves() -> None:
    column = Column("level", "category", np.arange(40, dtype=np.int32) % 5, tuple("abcde"))
    examples = Examples(Table((column,)), np.arange(40) % 2, 2, np.arange(0))
    model: Any = LEARNERS["catboost"].cls(rounds=100).fit(examples, Limits(), 0)
    growing = Growing(1)
    model.grown(growing)
    assert {1, 3} < set(growing.sizes)  # nodes of a tree without a question, and of one with one
    assert np.abs(answered(model, examples.inputs) - model.predict(examples.inputs)).max() < 1e-9


def test_catboosts_pairs_are_refused() -> None:
    learnt = table(300, 0)
    pairs = Examples(learnt, (learnt.columns[3].values + learnt.columns[4].values) % 2, 2, np.arange(30))
    model = LEARNERS["catboost"].cls(rounds=60, pairs=True).fit(pairs, Limits(), 0)
    with pytest.raises(ModelError, match="pairs"):
        answered(model, table(10, 1))


@pytest.mark.parametrize("role", ["text", "picture"])
def test_what_no_operator_reads_is_refused(role: str) -> None:
    with pytest.raises(ModelError, match="'note'"):
        TableCodec((Wanted("note", role),), "target").onnx(Graph())


@pytest.mark.parametrize("kind", ["text", "series", "forecast"])
def test_other_kinds_say_that_they_are_no_tables(kind: str) -> None:
    codec = kinds.find()[kind].codec_class()
    with pytest.raises(ModelError, match="Only models of tables"):
        codec.onnx(codec.__new__(codec), Graph())


def test_columns_and_inner_values_never_share_a_name() -> None:
    graph = Graph()
    total = graph.put("Add", graph.number("v1"), graph.put("Add", graph.number("label"), graph.number("v_3")))
    graph.answer("label", total, np.float64, 1)
    assert graph.outputs() == ["label_"]
    session = ort.InferenceSession(graph.made({}).SerializeToString(), providers=["CPUExecutionProvider"])
    fed = {name: np.array([[float(place)]]) for place, name in enumerate(("v1", "label", "v_3"), start=1)}
    assert session.run(["label_"], fed)[0] == [[6.0]]


def test_a_name_that_is_no_text_is_refused() -> None:
    graph = Graph()
    graph.answer("answer", graph.number("half \udc80"), np.float64, 1)
    with pytest.raises(ModelError, match="no Unicode text"):
        graph.made({})
