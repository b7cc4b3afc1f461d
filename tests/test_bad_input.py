"""Bad input, a test a case: an answer or a message with its exit code, never a traceback, and memory bounded.

Faults of learners have their tests in `tests/racing/test_local.py`, kills in `tests/racing/test_crash.py`.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepenough import cli
from deepenough.kinds.table.task import TableTask, load
from deepenough.result import Race
from deepenough.task.task import Question

FAST = ("--budget", "12trials", "--only", "linear", "--only", "mlp", "--quiet")
"""Options of a race of a few seconds, with both families in it."""


class Told:
    """What a command answered: its exit code, and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def refused(self, *words: str) -> None:
        """Exit code 2, one line that holds the words, nothing else."""
        assert self.code == 2, self.err
        assert self.err.startswith("deepenough: ") and self.err.count("\n") == 1, self.err
        assert self.err.rstrip().endswith((".", "?")) or "deepenough resume" in self.err, "a whole sentence"
        assert self.err.isprintable() or self.err.replace("\n", "").isprintable()
        for word in words:
            assert word in self.err, self.err


Run = Callable[..., Told]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def command(*words: Any) -> Told:
        capsys.readouterr()
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Told(code, said.out, said.err)

    return command


def measured(*words: Any) -> tuple[Told, int]:
    """Run a command in a process of its own; what it answered, and the most megabytes that it held.

    Races of so many seconds must run like this: the command's budget counts from the start of its process.
    """
    script = (  # the kernel's mark of this process alone: getrusage would tell of the process that started it as well
        "import sys\nfrom pathlib import Path\nfrom deepenough import cli\ncode = cli.main(sys.argv[1:])\n"
        "print(int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) // 1024)\nsys.exit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True)
    return Told(ended.returncode, ended.stdout, ended.stderr), int(ended.stdout.strip().splitlines()[-1])


def plain(rows: int = 160, seed: int = 0) -> pd.DataFrame:
    """Two inputs and a class that hangs on them."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows).round(3)
    town = rng.choice(["Rome", "Oslo", "Bern"], rows)
    late = size + (town == "Oslo") + rng.normal(size=rows) > 0.3
    return pd.DataFrame({"size": size, "town": town, "y": np.where(late, "late", "in time")})


def asked(frame: Any, **question: Any) -> TableTask:
    return load(frame, Question(**({"target": "y"} | question)))


# Reading


def _text(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def _truncated_parquet(path: Path) -> None:
    plain().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])


def _gzip_bomb(path: Path) -> None:
    member = gzip.compress(b"1,2,3\n" * 11_000_000)  # a gzip file may be several, one behind the other
    path.write_bytes(gzip.compress(b"a,b,y\n") + member * 40)


def _zip_bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as out,
    ):
        out.write(b"a,b,y\n")
        for _ in range(300):
            out.write(b"1,2,3\n" * 700_000)


def _nested(path: Path) -> None:
    content = b"a,y\n1,2\n"
    for _ in range(5):
        content = gzip.compress(content)
    path.write_bytes(content)


def _locked_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,y\n1,2\n")
    content = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + place] |= 1  # the flag that says: encrypted
    path.write_bytes(content)


READING: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a folder": ("folder", Path.mkdir, "is a folder, but a file with rows and columns is wanted"),
    "a folder named like a table": ("folder.csv", Path.mkdir, "is a folder"),
    "a binary file": ("data.csv", _text(os.urandom(1 << 12)), "is a binary file of an unknown kind. Give CSV"),
    "a binary file without a telling name": ("data", _text(b"\0\1\2" * 99), "is of no kind that is known"),
    "a truncated Parquet": ("data.parquet", _truncated_parquet, "Check that it is whole"),
    "nothing": ("data.csv", _text(b""), "is empty (0 bytes). Check how it was written"),
    "white space": ("data.csv", _text(b" \n\n \n"), "nothing but white space"),
    "a header alone": ("data.csv", _text(b"size,town,y\n"), "holds a header and no rows below it"),
    "no UTF-8, though it says so": (
        "data.csv",
        _text(b"\xef\xbb\xbfa,y\n" + b"M\xfcller,1\n" * 9),
        "is not written in utf-8-sig, though it says so",
    ),
    "half UTF-16": ("data.csv", _text("a,y\n1,2\n".encode("utf-16") + b"\0"), "Save it anew as UTF-8"),
    "NUL bytes": ("data.csv", _text(b"a,y\n1,2\n\0\0\0,3\n" * 30), "is a binary file"),
    "a broken gzip": ("data.csv.gz", _text(gzip.compress(os.urandom(3000))[:-300]), "Download or pack it again"),
    "a locked zip": ("data.zip", _locked_zip, "can't be unpacked (zip)"),
    "a file packed into itself": ("data.csv.gz", _nested, "packed more than 3 times over"),
    "twice the same key": ("data.jsonl", _text(b'{"a": 1, "a": 2, "y": 1}\n' * 9), "duplicate key"),
    "half a JSON": ("data.json", _text(b'[{"a": 1, "y": 2}, {"a":'), "can't be read as a table"),
}  # fmt: skip


@pytest.mark.parametrize("case", READING)
def test_what_cannot_be_read_is_refused_with_what_to_do(case: str, run: Run, tmp_path: Path) -> None:
    name, make, words = READING[case]
    make(tmp_path / name)
    run("race", tmp_path / name, "--target", "y", "--quiet").refused(name, words)


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\0b.csv", "no\x1b[31mcolour\n.csv", "\u202ecsv.exe.csv"])
def test_a_name_that_no_file_has_is_said_harmlessly(name: str, run: Run, tmp_path: Path) -> None:
    run("race", tmp_path / name, "--target", "y", "--quiet").refused()


def test_a_file_that_may_not_be_read_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*given: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "data.csv"
    plain().to_csv(path)
    monkeypatch.setattr("deepenough.task.files._open", denied)  # who runs tests as root may read everything
    run("race", path, "--target", "y", "--quiet").refused("you may not read it")


@pytest.mark.parametrize(
    ("name", "make"), [("bomb.csv.gz", _gzip_bomb), pytest.param("bomb.zip", _zip_bomb, marks=pytest.mark.slow)]
)
def test_a_bomb_is_refused_before_it_fills_the_disk(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 8e6
    told, megabytes = measured("race", tmp_path / name, "--target", "y", "--quiet")
    told.refused(f"{name} unpacks to", "as no table does", "unpack it yourself")
    assert megabytes < 500


def test_a_workbook_that_would_fill_the_memory_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/s.xml", bytes(1 << 20))
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 24  # where its directory says how large the sheet is
    content[place : place + 4] = (3 << 30).to_bytes(4, "little")
    path.write_bytes(content)
    run("race", path, "--target", "y", "--quiet").refused("workbook of more than 1 GB", "Save the sheet as CSV")


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("", id="alone"),
        pytest.param("size,y\n" + "1,2\n" * 99_999, id="after many rows", marks=pytest.mark.slow),
    ],
)
def test_a_gigabyte_in_one_line_is_refused_in_little_memory(start: str, tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    with open(path, "wb") as out:
        out.write(start.encode())
        for _ in range(256):
            out.write(b"1,2;x" * 838_861)
    told, megabytes = measured("race", path, "--target", "y", "--budget", "10s", "--quiet")
    told.refused("line.csv has no end of a line", "with a row a line")
    assert megabytes < 700


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


# Predictions


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished race on a plain table: a number, words, a date and truth values."""
    folder = tmp_path_factory.mktemp("plain")
    questions().to_csv(folder / "data.csv", index=False)
    words = ("race", folder / "data.csv", "--target", "y", *FAST, "--out", folder / "run")
    ended = subprocess.run([sys.executable, "-m", "deepenough.cli", *map(str, words)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return folder / "run"


def questions(rows: int = 160, seed: int = 0) -> pd.DataFrame:
    frame = plain(rows, seed)
    frame.insert(2, "day", pd.date_range("2024-01-01", periods=rows).strftime("%Y-%m-%d"))
    frame.insert(3, "open", frame.index % 3 == 0)
    return frame


def predicted(run: Run, model: Path, frame: pd.DataFrame, folder: Path, **options: Any) -> pd.DataFrame:
    frame.to_csv(folder / "new.csv", index=False, **options)
    told = run("predict", model, folder / "new.csv", "-o", folder / "out.csv")
    assert told.code == 0, told.err
    return pd.read_csv(folder / "out.csv")


def test_other_types_other_order_and_more_columns_change_no_answer(finished: Path, run: Run, tmp_path: Path) -> None:
    rows = questions(50, seed=1).drop(columns="y")
    expected = predicted(run, finished, rows, tmp_path)
    assert len(expected) == 50 and list(expected.columns) == ["y", "probability_in time", "probability_late"]
    others = {
        "text": rows.assign(
            size=rows["size"].map("{:.3f}".format), open=rows["open"].map({True: "TRUE", False: "False"})
        ),
        "another order": rows[rows.columns[::-1]],
        "more columns": rows.assign(more="?", **{"and more": 1}),
        "the answer too": rows.assign(y="late"),
    }
    for name, frame in others.items():
        pd.testing.assert_frame_equal(predicted(run, finished, frame, tmp_path), expected, obj=name)
    commas = rows.assign(size=rows["size"].map(lambda number: str(number).replace(".", ",")))
    pd.testing.assert_frame_equal(predicted(run, finished, commas, tmp_path, sep=";"), expected, obj="decimal commas")


def test_rows_are_answered_in_their_order(finished: Path, run: Run, tmp_path: Path) -> None:
    rows = questions(50, seed=1)
    mixed = np.random.default_rng(0).permutation(50)
    one, other = predicted(run, finished, rows, tmp_path), predicted(run, finished, rows.iloc[mixed], tmp_path)
    pd.testing.assert_frame_equal(one.iloc[mixed].reset_index(drop=True), other)


def test_what_no_training_row_held_is_answered(finished: Path, run: Run, tmp_path: Path) -> None:
    strange = pd.DataFrame({"size": ["much", "1e400", None], "town": ["Atlantis", None, "x" * 10_000]})
    strange = strange.assign(day=["someday", "9999-12-31", None], open=["perhaps", None, "true"])
    strange.to_csv(tmp_path / "new.csv", index=False)
    told = run("predict", finished, tmp_path / "new.csv", "-o", tmp_path / "out.csv")
    assert told.code == 0
    assert "Column 'size': 2 cells could not be read and count as missing." in told.err
    assert "Column 'day': 1 cells could not be read" in told.err and "'town'" not in told.err
    answers = pd.read_csv(tmp_path / "out.csv")
    assert len(answers) == 3 and np.allclose(answers.iloc[:, 1:].sum(axis=1), 1)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row_are_answered(rows: int, finished: Path, run: Run, tmp_path: Path) -> None:
    answers = predicted(run, finished, questions(50, seed=1).head(rows), tmp_path)
    assert len(answers) == rows and answers.columns[0] == "y"


def test_missing_columns_are_refused_by_name(finished: Path, run: Run, tmp_path: Path) -> None:
    for rows in (5, 0):
        questions(rows).drop(columns=["town", "day"]).rename(columns={"size": "Size"}).to_csv(
            tmp_path / "n.csv", index=False
        )
        told = run("predict", finished, tmp_path / "n.csv", "-o", tmp_path / "out.csv")
        told.refused("'size' is missing", "3 are missing: 'size', 'town', 'day'", "Did you mean 'Size'?")
        assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.xlsx", "must end in .csv, .parquet, .jsonl"),
        ("nowhere/out.csv", "does not exist"),
        ("folder.csv", "is a folder"),
    ],
)
def test_answers_that_cannot_be_written_are_refused(
    name: str, words: str, finished: Path, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "folder.csv").mkdir()
    questions(5).to_csv(tmp_path / "new.csv", index=False)
    run("predict", finished, tmp_path / "new.csv", "-o", tmp_path / name).refused(words)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_answers_on_a_full_disk_leave_nothing_half_written(name: str, finished: Path, tmp_path: Path) -> None:
    """The disk is full as far as this process goes: no file of it may grow beyond 40 kB (RLIMIT_FSIZE)."""
    questions(3_000).to_csv(tmp_path / "new.csv", index=False)
    told = on_a_full_disk(40_000, "predict", finished, tmp_path / "new.csv", "-o", tmp_path / name)
    told.refused(name, "can't be written", "Make room")
    assert not (tmp_path / name).exists() and not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_a_file_of_millions_of_rows_is_predicted_in_little_memory(finished: Path, tmp_path: Path) -> None:
    import duckdb

    query = "select i * 1e-6 as size, 'Rome' as town, '2024-05-01' as day, true as open from range(3000000) as t(i)"
    duckdb.connect().execute(f"copy ({query}) to '{tmp_path / 'new.csv'}' (format csv, header true)")
    few = measured("predict", finished, tmp_path.joinpath("new.csv"), "-o", tmp_path / "out.csv")[1]
    assert few < 900
    with open(tmp_path / "out.csv") as answers:
        assert sum(1 for _ in answers) == 3_000_001


# Models and run folders


def copied(finished: Path, place: Path) -> Path:
    return Path(shutil.copytree(finished, place / "run"))


def _edit(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def _first_of_members(place: Path) -> Path:
    return next(path for path in sorted((place / "model" / "members").rglob("*")) if path.is_file())


TAMPERED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a changed byte": (lambda run: _flipped(_first_of_members(run)), "is not as it was saved"),
    "a file gone": (lambda run: _first_of_members(run).unlink(), "is missing"),
    "a file more": (lambda run: (run / "model" / "code.py").write_text("1"), "was added"),
    "a newer format": (
        lambda run: _edit(run / "model/manifest.json", lambda m: m | {"format": 99}),
        "pip install --upgrade",
    ),
    "a stranger's class": (
        lambda run: _edit(
            run / "model/manifest.json",
            lambda m: m | {"members": [member | {"model": "os:system"} for member in m["members"]]},
        ),
        "neither Deepenough's nor a learner of an installed package",
    ),
    "half a manifest": (lambda run: _cut(run / "model/manifest.json"), "Copy the model folder again"),
    "no model": (lambda run: shutil.rmtree(run / "model"), "deepenough resume"),
}


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_model_is_refused(case: str, finished: Path, run: Run, tmp_path: Path) -> None:
    tamper, words = TAMPERED[case]
    place = copied(finished, tmp_path)
    tamper(place)
    questions(5).to_csv(tmp_path / "new.csv", index=False)
    run("predict", place, tmp_path / "new.csv", "-o", tmp_path / "out.csv").refused(words)


def _newer(place: Path) -> None:
    journal = place / "evidence.jsonl"
    journal.write_text(journal.read_text().replace('"format": 1', '"format": 99', 1))


def _torn_in_the_middle(place: Path) -> None:
    lines = (place / "evidence.jsonl").read_bytes().split(b"\n")
    lines[3] = lines[3][:40]
    (place / "evidence.jsonl").write_bytes(b"\n".join(lines))


DAMAGED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "of a newer version": (_newer, "pip install --upgrade deepenough"),
    "with a damaged line": (_torn_in_the_middle, "line 4 of evidence.jsonl can't be read"),
    "without its units": (lambda place: (place / "units/0.npz").unlink(), "units/0.npz can't be read"),
    "with damaged units": (lambda place: _cut(place / "units/0.npz"), "units/0.npz can't be read"),
    "without a plan": (lambda place: (place / "evidence.jsonl").write_text(""), "holds no plan"),
    "without a journal": (lambda place: (place / "evidence.jsonl").unlink(), "is not a run"),
}


@pytest.mark.parametrize("command", ["report", "resume"])
@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_run_is_refused(case: str, command: str, finished: Path, run: Run, tmp_path: Path) -> None:
    damage, words = DAMAGED[case]
    place = copied(finished, tmp_path)
    damage(place)
    run(command, place).refused(words)


def test_a_second_race_in_a_folder_is_refused(finished: Path, run: Run, tmp_path: Path) -> None:
    place = copied(finished, tmp_path)
    before = (place / "evidence.jsonl").read_bytes()
    data = finished.parent / "data.csv"
    run("race", data, "--target", "y", *FAST, "--out", place).refused("is not empty", "deepenough resume")
    with open(place / "lock", "a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        run("resume", place).refused("is in use by another race")
    assert (place / "evidence.jsonl").read_bytes() == before


@pytest.mark.parametrize("out", ["file/run", "x" * 300])
def test_a_folder_that_cannot_be_made_is_refused(out: str, finished: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = run("race", finished.parent / "data.csv", "--target", "y", *FAST, "--out", tmp_path / out)
    told.refused("can't be written", "Name another folder with --out")


def on_a_full_disk(most_bytes: int, *words: Any) -> Told:
    """Run a command in a process whose files may not grow beyond so many bytes, as on a disk that is full."""
    script = (
        "import resource, sys\nfrom deepenough import cli\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most_bytes}, {most_bytes}))\nsys.exit(cli.main(sys.argv[1:]))"
    )
    ended = subprocess.run([sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True)
    assert "Traceback" not in ended.stderr
    return Told(ended.returncode, ended.stdout, ended.stderr)


def test_a_race_on_a_full_disk_ends_with_a_message_and_goes_on_later(finished: Path, run: Run, tmp_path: Path) -> None:
    """The disk is full as far as the race goes: its journal may not grow much beyond the plan (RLIMIT_FSIZE)."""
    data, place = finished.parent / "data.csv", tmp_path / "run"
    plan = (finished / "evidence.jsonl").read_bytes().index(b"\n")
    told = on_a_full_disk(plan + 8_000, "race", data, "--target", "y", *FAST, "--out", place)
    told.refused("No room is left to write", "What was measured is kept", f"deepenough resume {place}")
    before = (place / "evidence.jsonl").read_bytes()
    assert before.endswith(b"\n") and all(json.loads(line) for line in before.splitlines())
    assert run("resume", place, "--quiet").code == 0
    assert (place / "evidence.jsonl").read_bytes().startswith(before)
    numbers = [trial.number for trial in Race(place).evidence.trials]
    assert len(numbers) == len(set(numbers)) and (place / "model").is_dir()
