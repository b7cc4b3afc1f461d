"""What a container needs is written, and what it installs serves: there was no engine to build the image with."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import venv
from pathlib import Path

import pytest

import deepenough
from deepenough.errors import ServiceError
from deepenough.serve.settings import KEY_VARIABLE
from tests.commands import Run
from tests.conftest import ROOT
from tests.serve.asking import app_of, example
from tests.test_install import _environment, _pip, index  # noqa: F401 - a fixture

KEY = "a-key-for-a-container"


def test_what_is_written_is_what_serves(table: Path, tmp_path: Path, run: Run) -> None:
    told = run("serve", f"Loans={table}", "--write-dockerfile", tmp_path / "box")
    assert told.code == 0 and told.out.splitlines() == [
        str(tmp_path / "box" / name) for name in ("Dockerfile", "requirements.txt", "model")
    ]
    text = (tmp_path / "box" / "Dockerfile").read_text()
    assert "USER serve" in text and text.index("USER serve") < text.index('CMD ["deepenough"')
    command = json.loads(re.findall(r"^CMD (.*)$", text, re.MULTILINE)[0])
    assert command == ["deepenough", "serve", "loans=/model", "--host", "0.0.0.0", "--port", "8000"]
    assert KEY_VARIABLE in text and "docker run" in text
    wanted = (tmp_path / "box" / "requirements.txt").read_text().splitlines()
    assert wanted[0] == f"deepenough[serve]=={deepenough.__version__}" and not any("torch" in line for line in wanted)
    assert app_of(tmp_path / "box" / "model").models
    again = run("serve", table, "--write-dockerfile", tmp_path / "box")
    assert again.code == 0, "its own files are written anew"
    (tmp_path / "box" / "mine.txt").write_text("keep")
    run("serve", table, "--write-dockerfile", tmp_path / "box").refused("other files")
    run("serve", table, f"b={table}", "--write-dockerfile", tmp_path / "box2").refused("one RUN")


def test_a_box_that_can_not_be_made_is_said(table: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "box"):
        run("serve", table, "--write-dockerfile", place).refused("can't be written", "Name a folder")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_tampered_model_is_put_into_no_box(table: Path, tmp_path: Path, run: Run) -> None:
    import shutil

    place = Path(shutil.copytree(table, tmp_path / "model"))
    (place / "members" / "0" / "more.bin").write_bytes(b"x")
    run("serve", place, "--write-dockerfile", tmp_path / "box").refused("was added")


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_its_installation_serves_in_a_clean_environment(table: Path, built: Path, tmp_path: Path, run: Run) -> None:
    """The steps of the Dockerfile that an environment of Python can take; the package comes from here."""
    run("serve", table, "--write-dockerfile", tmp_path / "box")
    file = tmp_path / "box" / "requirements.txt"
    (wheel,) = built.glob("*.whl")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([f"{wheel}[serve]", *lines[1:]]) + "\n")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    done = _pip(python, "install", "--quiet", "-r", str(file), "-c", str(ROOT / "constraints.txt"))
    assert done.returncode == 0, done.stderr
    command = [str(python.parent / "deepenough"), "serve", str(tmp_path / "box" / "model"), "--host", "0.0.0.0"]
    refused = subprocess.run(command, capture_output=True, text=True, env=_environment())
    assert refused.returncode == 2 and "--key-file" in refused.stderr
    environment = _environment() | {KEY_VARIABLE: KEY}
    process = subprocess.Popen([*command, "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr
    try:
        found = re.search(r":(\d+)$", process.stderr.readline().strip())
        assert found
        address = f"http://127.0.0.1:{found[1]}"
        with deepenough.Client(address, key=KEY) as client:
            deadline = time.monotonic() + 60
            while not client.ready() and time.monotonic() < deadline:
                time.sleep(0.1)
            app = app_of(table)
            assert client.predict(example(app)) == app.models["table"].current.answers([example(app)])[0]
            with pytest.raises(ServiceError):
                deepenough.Client(address, tries=1).predict(example(app))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
