"""Bad input, a test a case: an answer or a message with its exit code, never a traceback, and memory bounded.

What can't be read at all has its cases in `test_bad_files.py`, what uses a model or a run's folder in
`test_bad_runs.py`. Faults of learners have their tests in `tests/racing/test_local.py`, kills in
`tests/racing/test_crash.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepenough.kinds.table.task import TableTask, load
from deepenough.result import Race
from deepenough.task.task import Question
from tests.commands import FAST, Run, measured, plain


def asked(frame: Any, **question: Any) -> TableTask:
    return load(frame, Question(**({"target": "y"} | question)))


# Columns


def _with_one_name(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame[["size"]] * 2], axis=1)


COLUMNS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, str]] = {
    "all missing": (lambda f: f.assign(odd=np.nan), "odd", "empty: no row has a value"),
    "constant": (lambda f: f.assign(odd="same"), "odd", "constant: every row has the same value"),
    "infinite": (lambda f: f.assign(odd=np.inf), "odd", "160 infinite values count as missing"),
    "infinite here and there": (
        lambda f: f.assign(odd=np.where(f.index % 4 == 0, -np.inf, f["size"] ** 2)),
        "odd",
        "40 infinite values count as missing",
    ),
    "of mixed types": (
        lambda f: f.assign(odd=[n * 7 if n % 2 else f"word{n % 9}" for n in range(len(f))]),
        "odd",
        "50% of its values are numbers and the others are not; all are taken as words",
    ),
    "of lists": (
        lambda f: f.assign(odd=[[1, int(n % 5), None] for n in range(len(f))]),
        "odd",
        "holds lists or objects; each was read as the text that JSON writes for it",
    ),
    "of spans of time": (
        lambda f: f.assign(odd=pd.to_timedelta(f.index % 17, unit="h")),
        "odd",
        "holds spans of time; it is read in seconds",
    ),
    "with a name that another has": (_with_one_name, "size_2", "another one is called 'size' too"),
    "without a name": (lambda f: f.assign(odd=f["size"] ** 3).rename(columns={"odd": ""}), "column4", "has no name"),
    "with a unit": (lambda f: f.assign(odd=[f"{v:.1f} kg" for v in f["size"] ** 2]), "odd", "as numbers in kg"),
    "of as many words as rows": (
        lambda f: f.assign(odd=[f"word{n}" for n in range(len(f))]),
        "odd",
        "an identifier: every row has its own value",
    ),
}


def reasons(task: TableTask) -> str:
    aside = [f"{item['name']!r}: {item['reason']}" for item in task.set_aside]
    return "\n".join([*aside, *task.notes])


@pytest.mark.parametrize("case", COLUMNS)
def test_an_odd_column_is_set_aside_or_mended_with_the_reason(case: str) -> None:
    spoil, name, words = COLUMNS[case]
    task = asked(spoil(plain()))
    told = [line for line in reasons(task).splitlines() if words in line]
    assert len(told) == 1 and (repr(name) in told[0]), reasons(task)
    kept = [column.name for column in task.table.columns]
    assert {"size", "town"} <= set(kept)
    assert (name in kept) != any(item["name"] == name for item in task.set_aside)


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_a_file_gives_the_same_columns_and_reasons_as_the_frame(form: str, tmp_path: Path) -> None:
    frame = plain()
    for spoil, name, _ in COLUMNS.values():
        if name == "odd":
            frame[f"odd{frame.shape[1]}"] = spoil(plain())["odd"]
    frame = frame.drop(columns=[name for name in frame if str(frame[name].dtype).startswith("timedelta")])
    path = tmp_path / f"data.{form}"
    if form == "csv":
        frame.map(lambda cell: json.dumps(cell, separators=(",", ":")) if isinstance(cell, list) else cell).to_csv(
            path, index=False
        )
    elif form == "parquet":
        frame.assign(odd7=frame["odd7"].astype(str)).to_parquet(path)  # Parquet knows no column of two types
    else:
        path.write_text(
            "".join(json.dumps(row) + "\n" for row in frame.replace([np.inf, -np.inf], np.nan).to_dict("records"))
        )
    one, other = asked(frame), asked(path)
    assert [column.name for column in one.table.columns] == [column.name for column in other.table.columns]
    for column, again in zip(one.table.columns, other.table.columns, strict=True):
        assert (column.role, column.levels) == (again.role, again.levels)
        np.testing.assert_allclose(column.values, again.values)


@pytest.mark.parametrize("form", ["arrow", "parquet", "csv"])
def test_names_are_mended_alike_everywhere(form: str, tmp_path: Path) -> None:
    frame = plain()
    table = pa.table([frame["size"], frame["size"] ** 2, frame["town"], frame["y"]], names=["a", "a", "", "y"])
    path = tmp_path / f"data.{form}"
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "csv":
        columns = dict(enumerate(table.columns))
        pd.DataFrame(columns).to_csv(path, index=False, header=table.column_names)
    task = asked(table if form == "arrow" else path)
    assert [column.name for column in task.table.columns] == ["a", "a_2", "column3"]
    assert "Column 2 is called 'a_2'" in reasons(task) and "Column 3 has no name" in reasons(task)


def test_a_race_with_every_odd_column_goes_on_and_reports_the_reasons(run: Run, tmp_path: Path) -> None:
    frame = plain()
    for place, (spoil, name, _) in enumerate(COLUMNS.values()):
        if name == "odd":
            frame[f"odd{place}"] = spoil(plain())["odd"]
    frame = pd.concat([frame, frame[["size"]], frame[["size"]].rename(columns={"size": ""})], axis=1)
    frame.to_csv(tmp_path / "odd.csv", index=False)
    told = run("race", tmp_path / "odd.csv", "--target", "y", *FAST, "--out", tmp_path / "run")
    assert told.code == 0, told.err
    race = Race(tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    for said in (
        "empty: no row has a value",
        "constant: every row has the same value",
        "infinite values count as missing",
    ):
        assert said in json.dumps(race.facts) and said in page
    assert all(trial.status == "ok" for trial in race.evidence.trials), [trial.error for trial in race.evidence.trials]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["50,000 words", "10 kB texts"])
def test_large_words_are_raced(case: str, tmp_path: Path) -> None:
    if case == "10 kB texts":
        words = np.random.default_rng(0).choice(["river", "bank", "house", "tree", "stone"], (400, 2_000))
        frame = plain(400).assign(odd=[" ".join(row) for row in words])
        assert frame["odd"].str.len().min() > 9_000
    else:
        frame = plain(60_000).assign(odd=[f"code{n * 7919 % 50_000}" for n in range(60_000)])
    frame.to_csv(tmp_path / "large.csv", index=False)
    told, _ = measured(
        "race", tmp_path / "large.csv", "--target", "y", "--budget", "30s", "--quiet", "--out", tmp_path / "run"
    )
    assert told.code == 0, told.err
    trials = Race(tmp_path / "run").evidence.trials
    assert {trial.family for trial in trials if trial.finished} >= {"classical", "deep"}


# Targets

REFUSED_TARGETS: dict[str, tuple[Callable[[int], Any], str]] = {
    "all distinct texts": (lambda n: f"text {n} of many", "160 different texts in 160 rows: too many to learn each"),
    "dates": (
        lambda n: f"2024-01-{1 + n % 28:02d}",
        "is a date. Turn it into a number (days until then) or into classes",
    ),
    "nothing": (lambda n: None, "has no value in any row. Name another column"),
    "one value": (lambda n: "yes", "is 'yes' in every row, so there is nothing to tell apart"),
    "one row of the other class": (lambda n: "a" if n else "b", "only 'a' stands in two rows or more. Give more rows"),
    "numbers in several units": (
        lambda n: f"{n * 1.5 + 1} {'kg' if n % 2 else 'lb'}",
        "look like numbers with different units (lb, kg): write all in one unit",
    ),
    "numbers among words": (
        lambda n: f"about {n}.{n}" if n % 4 == 0 else n * 1.5,
        "75% of them are numbers, but not 'about 0.0'",
    ),
    "1,001 classes": (lambda n: f"class {n % 1001}", "1,001 different texts"),
    "four answers": (lambda n: n % 2 if n < 4 else None, "Only 4 rows have a 'y'; at least 6 are needed"),
}


@pytest.mark.parametrize("case", REFUSED_TARGETS)
def test_a_target_that_cannot_be_predicted_is_refused_with_what_it_could_be(
    case: str, run: Run, tmp_path: Path
) -> None:
    make, words = REFUSED_TARGETS[case]
    rows = 5_005 if case.startswith("1,001") else 160
    plain(rows).assign(y=[make(n) for n in range(rows)]).to_csv(tmp_path / "data.csv", index=False)
    run("race", tmp_path / "data.csv", "--target", "y", "--quiet").refused("'y'", words)


MENDED_TARGETS: dict[str, tuple[Callable[[int], Any], str, str]] = {
    "missing in part": (
        lambda n: None if n % 3 == 0 else "ab"[n % 2],
        "binary",
        "54 rows have no 'y' and are set aside",
    ),
    "one class of one row": (
        lambda n: "abc"[n % 2 if n else 2],
        "binary",
        "'y=c': a class of 1 rows: too few to learn and to judge",
    ),
    "with a unit": (lambda n: f"{n % 90 + 0.5} kg", "regression", "Column 'y' was read as numbers in kg"),
    "in dollars": (lambda n: f"${n * 17:,}", "regression", "Column 'y' was read as numbers with commas between"),
    "classes that are hardly classes": (
        lambda n: f"{n % 40} {'kg' if n % 2 else 'lb'}",
        "multiclass",
        "may be meant otherwise. They look like numbers with different units",
    ),
    "nearly all of one class": (
        lambda n: "rare" if n % 1_000 == 7 else "common",
        "binary",
        "Rare classes: 'rare' (5 rows)",
    ),
    "1,000 classes": (lambda n: f"class {n % 1000}", "multiclass", "Rare classes: 'class 0' (5 rows)"),
}


@pytest.mark.parametrize("case", MENDED_TARGETS)
def test_an_odd_target_is_raced_and_what_was_done_is_said(case: str, tmp_path: Path) -> None:
    make, kind, words = MENDED_TARGETS[case]
    rows = 5_000 if "000" in words or "rare" in words.lower() else 160
    plain(rows).assign(y=[make(n) for n in range(rows)]).to_csv(tmp_path / "data.csv", index=False)
    task = asked(tmp_path / "data.csv")
    assert task.target.task == kind
    assert words in reasons(task)
    for fold in range(task.folds):
        assert len(np.unique(task.train(task.largest, fold, 0).targets)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("case", ["nearly all of one class", "1,000 classes"])
def test_odd_classes_are_raced_to_the_end(case: str, tmp_path: Path) -> None:
    make = MENDED_TARGETS[case][0]
    plain(5_000).assign(y=[make(n) for n in range(5_000)]).to_csv(tmp_path / "data.csv", index=False)
    told, _ = measured(
        "race", tmp_path / "data.csv", "--target", "y", "--budget", "30s", "--quiet", "--out", tmp_path / "run"
    )
    assert told.code == 0, told.err
    finished = {trial.family for trial in Race(tmp_path / "run").evidence.trials if trial.finished}
    assert finished >= {"classical", "deep"}


# Sizes


def test_twenty_rows_are_raced_and_left_open(run: Run, tmp_path: Path) -> None:
    plain(20).to_csv(tmp_path / "few.csv", index=False)
    told = run("race", tmp_path / "few.csv", "--target", "y", *FAST, "--out", tmp_path / "run")
    assert told.code == 0, told.err
    facts = Race(tmp_path / "run").facts
    assert facts["decision"] == "open"
    assert "too_few" in [flag["flag"] for flag in facts["verdict"]["flags"]]
    assert "20 rows are too few" in told.out


def wide(rows: int, columns: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(rows, columns)), columns=[f"x{place}" for place in range(columns)])
    return numbers.assign(y=np.where(numbers["x0"] + rng.normal(size=rows) > 0, "yes", "no"))


@pytest.mark.slow
def test_two_thousand_columns_are_raced(tmp_path: Path) -> None:
    wide(500, 2_000).to_csv(tmp_path / "wide.csv", index=False)
    told, _ = measured(
        "race", tmp_path / "wide.csv", "--target", "y", "--budget", "30s", "--quiet", "--out", tmp_path / "run"
    )
    assert told.code == 0, told.err
    assert Race(tmp_path / "run").evidence.plan.columns == 2_000


def _many_rows(path: Path, rows: int) -> None:
    """Written by DuckDB, which takes seconds where Python takes minutes."""
    import duckdb

    query = (
        "select round(random(), 4) as a, round(random() * 100, 2) as b, ['x', 'y', 'z'][1 + cast(i % 3 as int)] as c, "
        f"case when hash(i) % 100 < 30 + i % 3 * 20 then 'yes' else 'no' end as y from range({rows}) as t(i)"
    )
    duckdb.connect().execute(f"copy ({query}) to '{path}' (format csv, header true)")


@pytest.mark.slow
@pytest.mark.parametrize("rows", [300_000, 10_000_000])
def test_many_rows_are_raced_within_the_budget_and_what_was_left_out_is_said(rows: int, tmp_path: Path) -> None:
    _many_rows(tmp_path / "many.csv", rows)
    words = ("race", tmp_path / "many.csv", "--target", "y", "--budget", "30s", "--quiet", "--out", tmp_path / "run")
    told, megabytes = measured(*words)
    assert told.code == 0, told.err
    plan = Race(tmp_path / "run").evidence.plan
    assert plan.rows == min(rows, 400_000) or "about" in plan.notes[0]
    if rows > 400_000:
        assert "random sample of" in plan.notes[0] and plan.notes[0] in json.dumps(Race(tmp_path / "run").facts)
    assert megabytes < 1_500


# Hostile text

FORMULA, SCRIPT, PATH = "=HYPERLINK(1)", "<script>alert(1)</script>", "../../../../tmp/deepenough-climbed"
LINES, TURNED, HIDDEN = "two\nlines", "\u202etxt.exe", "zero\u200bwidth"
COLOUR = "\x1b[31m[bold]red"


def hostile(rows: int = 160) -> pd.DataFrame:
    """Two inputs that tell something, under names that want to be more than names, with values of the same kind."""
    frame = plain(rows)
    town = frame["town"].map({"Rome": FORMULA, "Oslo": SCRIPT, "Bern": TURNED})
    other = np.random.default_rng(1).choice([PATH, HIDDEN, COLOUR, "@cmd", "-1+1"], rows)
    answer = frame["y"].map({"late": "=1+1", "in time": "<img src=x onerror=alert(1)>"})
    return pd.DataFrame(
        {SCRIPT: frame["size"], LINES: town, COLOUR: other, HIDDEN: frame["size"] ** 2, FORMULA: answer}
    )


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished race on hostile text."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile().to_csv(folder / "data.csv", index=False)
    words = ("race", folder / "data.csv", "--target", FORMULA, *FAST, "--out", folder / "run")
    ended = subprocess.run(
        [sys.executable, "-m", "deepenough.cli", *map(str, words)], capture_output=True, text=True, cwd=folder
    )
    assert ended.returncode == 0, ended.stderr
    (folder / "said").write_text(ended.stdout)
    return folder / "run"


def test_hostile_text_is_text_in_the_terminal_and_on_the_page(raced: Path) -> None:
    said = (raced.parent / "said").read_text()
    assert all(line.replace("\u00a0", " ").isprintable() for line in said.splitlines())
    page = (raced / "report.html").read_text()
    for markup in (SCRIPT, "<img src=x", "onerror=alert(1)>"):
        assert markup not in page
    assert not set(page) & {"\u202e", "\u200b", "\x1b"}, "what turns or hides text is shown as something visible"


def test_hostile_text_is_never_a_path(raced: Path) -> None:
    assert not Path("/tmp/deepenough-climbed").exists()
    assert {path.name for path in raced.parent.iterdir()} == {"data.csv", "run", "said"}
    assert all(path.resolve().is_relative_to(raced) for path in raced.rglob("*"))


def test_formulas_are_defused_in_what_is_written_and_numbers_are_not(raced: Path, run: Run, tmp_path: Path) -> None:
    hostile(30).drop(columns=FORMULA).to_csv(tmp_path / "new.csv", index=False)
    assert run("predict", raced, tmp_path / "new.csv", "-o", tmp_path / "out.csv").code == 0
    written = pd.read_csv(tmp_path / "out.csv")
    assert written.columns[0] == "'" + FORMULA
    assert set(written.iloc[:, 0]) == {"'=1+1", "<img src=x onerror=alert(1)>"}
    assert written.iloc[:, 1:].dtypes.eq(float).all()
    cells = (tmp_path / "out.csv").read_text().replace("\n", ",").split(",")
    assert not [cell for cell in cells if cell.strip('"').startswith(("=", "+", "-", "@", "\t", "\r"))]
