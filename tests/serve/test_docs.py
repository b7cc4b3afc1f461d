"""The commands of the page are run as they stand there, against a service of the shown table."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepenough import kinds
from deepenough.serve import routes
from deepenough.task.task import Question
from tests.conftest import ROOT
from tests.serve.asking import app_of, save_task
from tests.serve.listening import listening

PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\$ ((?:curl|echo) .*)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def credit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    task: Any = kinds.find()["table"].load(ROOT / "examples" / "data" / "german_credit.csv", Question("risk"))
    return save_task("table", task, tmp_path_factory.mktemp("credit"), "linear")


@pytest.fixture(scope="module")
def port(credit: Path) -> Iterator[int]:
    with listening(app_of(credit, port=0)) as port:
        yield port


def test_every_curl_line_is_answered(port: int, tmp_path: Path) -> None:
    assert len(SHOWN) >= 10
    for line in (line for line in SHOWN if "/next/" not in line):
        command = line.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("curl ", "curl -w '\\n%{http_code}' ")
        done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=tmp_path, check=True)
        if line.startswith("curl"):
            body, _, status = done.stdout.rpartition("\n")
            assert status == ("422" if '"old"' in line else "200"), (line, done.stdout)
            if "predict" in line:
                told = json.loads(body)
                assert ("error" if status == "422" else "explanation" if "explain" in line else "risk") in told
            if status == "422":
                assert told["error"]["field"] == "age"


def test_the_python_block_runs(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(block.replace(":8000", f":{port}"), {})
    assert capsys.readouterr().out.count("probability") >= 4


def test_the_shown_rules_are_rules(credit: Path, tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "routes.toml").write_text(block)
    rules = routes.read(tmp_path / "routes.toml")
    codec = app_of(credit).models["table"].current.model.codec
    rules.check(codec)
    told = {"risk": 0, "probability_0": 0.7, "probability_1": 0.3}
    assert getattr(codec, "positive", None) == "0"
    assert rules.destination(told, codec) == str(tmp_path / "review.jsonl")
    assert rules.destination(told | {"probability_0": 0.95}, codec).startswith("https://")
    assert rules.destination(told | {"probability_0": 0.1, "risk": 1}, codec) == routes.DROP
