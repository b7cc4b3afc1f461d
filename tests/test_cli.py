"""The command line: thin, quick to answer, polite about mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deepenough import __version__, api, cli
from deepenough.cli import racing
from deepenough.errors import Interrupted, NothingToRaceError, SourceError
from deepenough.evidence import Evidence, Journal
from deepenough.result import Race
from tests.report.conftest import full_race

HEAVY = ("numpy", "pandas", "sklearn", "lightgbm", "catboost", "torch", "duckdb", "rich", "jinja2", "scipy")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return written_run(tmp_path / "run", full_race())


def written_run(folder: Path, evidence: Evidence) -> Path:
    """A run folder, as a race leaves it, of a race that never ran."""
    journal = Journal(folder)
    journal.append(evidence.plan)
    for fold, units in evidence.units.items():
        journal.units(fold, units)
    for number, records in evidence.records.items():
        journal.array(f"records/{number}.npy", records)
    for trial in evidence.trials:
        journal.append(trial)
    for event in evidence.events:
        journal.append(event)
    journal.close()
    return folder


def test_help_imports_nothing_heavy() -> None:
    ask = "try:\n    cli.main(['race', '--help'])\nfinally:\n    print(*sys.modules)"
    script = f"import sys\nfrom deepenough import cli\n{ask}"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "--budget" in told
    assert not set(HEAVY) & set(told.split("\n")[-2].split())


@pytest.mark.parametrize("command", ["race", "report", "predict", "resume", "runs", "check", "learners", "doctor"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"deepenough {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"deepenough {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["resume"], ["rave"], ["race", "x.csv", "--seed", "one"], ["race", "x.csv", "--quiet", "--json"]]
)
def test_wrong_arguments_exit_2_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("deepenough: ") and told.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SourceError("no such file"), 2),
        (NothingToRaceError("install"), 3),
        (Interrupted("stopped"), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_are_messages_with_their_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*given: Any, **named: Any) -> None:
        raise error

    monkeypatch.setattr(api, "race", fail)
    assert cli.main(["race", "x.csv", "--quiet"]) == code
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("deepenough: ")
    assert "Traceback" not in told.err


def test_race_passes_every_option_on_and_the_moment_it_began(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: Path
) -> None:
    given: dict[str, Any] = {}

    def race(**named: Any) -> Any:
        given.update(named)
        return Race(run)

    monkeypatch.setattr(api, "race", race)
    before = time.monotonic()
    options = "--target y --budget 30s --metric auc --group g --time t --drop a --drop b --positive 1 --equal-within .1"
    more = "--only mlp --without linear --kind table --seed 7 --cores 1 --memory 4GB --out there --quiet"
    more += " --kwh .2 --currency USD --folds f --weights w --test t.csv --race-mine mine:model --keep-logs --disk 2GB"
    more += " --query q --class-weights balanced --analysis 10% --sign key.pem --traffic 50/s --max-latency 20ms"
    more += " --worth 0.01=500/month --switch-cost 200/month"
    assert cli.main(["race", "x.csv", *options.split(), *more.split()]) == 0
    assert given.pop("started") <= before
    assert callable(given.pop("listen"))
    assert given == {
        "source": "x.csv", "target": "y", "budget": "30s", "metric": "auc", "group": "g", "time": "t",
        "folds": "f", "weights": "w", "class_weights": "balanced", "test": "t.csv", "query": "q", "task": None,
        "drop": ["a", "b"], "positive": "1", "equal_within": 0.1, "only": ["mlp"], "without": ["linear"],
        "kind": "table", "seed": 7, "cores": 1, "memory": "4GB", "out": "there", "race_mine": "mine:model",
        "keep_logs": True, "disk": "2GB", "analysis": "10%", "sign": "key.pem",
        "business": {"traffic": "50/s", "max_latency": "20ms", "worth": "0.01=500/month", "switch_cost": "200/month"},
        "prices": {"kwh": 0.2, "currency": "USD"},
    }  # fmt: skip
    assert capsys.readouterr().out.startswith("CLASSICAL IS ENOUGH")


def test_options_of_race_are_those_of_the_function() -> None:
    import inspect

    names = set(inspect.signature(api.race).parameters) - {"listen", "started", "prices", "business", "of_kind"}
    assert names == set(racing.PASSED_ON)


def test_age_counts_the_start_of_python() -> None:
    script = "import time; time.sleep(.3)\nfrom deepenough import cli\nprint(cli._age_seconds())"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert float(told) >= 0.25 or not Path("/proc/self/stat").exists()


def test_report_rewrites_the_page_and_prints_the_summary(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", str(run)]) == 0
    assert "CLASSICAL IS ENOUGH" in capsys.readouterr().out
    first = (run / "report.html").read_bytes()
    assert cli.main(["report", str(run), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["decision"] == "classical_is_enough"
    assert (run / "report.html").read_bytes() == first


def test_report_of_no_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", str(tmp_path)]) == 2
    assert "is not a run" in capsys.readouterr().err


def test_learners_are_listed_by_family(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["learners", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert {"classical", "deep"} <= {entry["family"] for entry in entries}
    assert cli.main(["learners"]) == 0
    told = capsys.readouterr().out
    assert all(entry["name"] in told for entry in entries)


def test_learners_of_an_unknown_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["learners", "--kind", "tabel"]) == 2
    assert "Known kinds" in capsys.readouterr().err


def test_check_says_which_promise_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from deepenough.contract.subjects import Subject
    from tests.stubs import Classical, StubKind, StubSupervised, entry, faulty

    class Kind(StubKind):
        def toys(self) -> Any:
            return {"two": StubSupervised(rows=120)}

    def searched(what: str, kind: str | None) -> list[Subject]:
        return [Subject("stub", Kind(), (entry(faulty.Prints if what == "loud" else Classical),))]

    monkeypatch.setattr("deepenough.contract.subjects.search", searched)
    assert cli.main(["check", "quiet"]) == 0
    assert "classical: 22 of 22 kept" in capsys.readouterr().out
    assert cli.main(["check", "loud"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("prints: is_silent on two: broken. prints b") for line in told)
    assert all(line.startswith("prints: ") for line in told)  # and nothing of what the learner itself printed
    assert cli.main(["check", "loud", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["good"]
    assert "is_silent" in [result["claim"] for result in told["results"] if result["outcome"] == "broken"]


def test_check_of_nothing_known_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "nosuch"]) == 2
    assert "'nosuch' is no file" in capsys.readouterr().err


def test_doctor_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert cli.main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in found)


def test_predict_hands_file_and_output_to_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from deepenough.model import folder

    asked: list[Any] = []
    told = {"unread": {"price": 2}, "unanswered": ["1 series gets no answer ('new'): no row has a 'sold'."]}
    model = SimpleNamespace(predict_file=lambda *given, interval: asked.extend([*given, interval]), **told)
    monkeypatch.setattr(folder, "load", lambda place: model)
    assert cli.main(["predict", "run", "new.csv", "-o", str(tmp_path / "out.csv")]) == 0
    assert asked == ["new.csv", tmp_path / "out.csv", None]
    said = capsys.readouterr().err
    assert "'price': 2 cells could not be read" in said and told["unanswered"][0] in said


def test_closed_pipe_is_no_error(run: Path) -> None:
    command = f"{sys.executable} -m deepenough.cli report {run} --json | head -c 1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in ended.stderr and "BrokenPipe" not in ended.stderr
