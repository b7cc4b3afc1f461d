"""Bad rows to predict, damaged models and run folders, full disks: an answer or a message with its exit code."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.result import Race
from tests.commands import FAST, Run, Told, measured, plain

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


@pytest.mark.parametrize(
    "words",
    [
        ("insights", "many"),
        ("act", "many", "data.csv", "--value", "tp=1, fp=-1"),
        ("fairness", "many", "--by", "size"),
        ("analyse", "many"),
        ("seal", "many"),
        ("export", "many", "--python"),
        ("predict", "many", "data.csv", "-o", "out.csv"),
    ],
)
def test_of_several_targets_the_runs_are_named(
    words: tuple[str, ...], finished: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A race of several targets makes a folder of runs, which is no run itself."""
    monkeypatch.chdir(tmp_path)
    for name in ("1-left", "2-complained"):
        (Path("many") / name / "model").mkdir(parents=True)
        for file in ("evidence.jsonl", "model/manifest.json"):
            shutil.copy(finished / file, Path("many") / name / file)
    shutil.copy(finished.parent / "data.csv", "data.csv")
    run(*words).refused("Runs lie in it: 1-left, 2-complained. Give one of them, such as many/1-left.")


@pytest.mark.parametrize("out", ["file/run", "x" * 300])
def test_a_folder_that_cannot_be_made_is_refused(out: str, finished: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = run("race", finished.parent / "data.csv", "--target", "y", *FAST, "--out", tmp_path / out)
    told.refused("can't be written", "Name another folder with --out")


@pytest.mark.parametrize("out", ["/proc/nowhere/run", "link"])
def test_a_folder_that_no_place_takes_is_refused(out: str, finished: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    told = run("race", finished.parent / "data.csv", "--target", "y", *FAST, "--out", tmp_path / out)
    told.refused("can't be made", "Name another folder with --out")


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
