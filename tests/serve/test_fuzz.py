"""A stranger's fuzzer reads what the service says of itself, and finds no mistake of the service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serve.asking import app_of
from tests.serve.listening import listening

pytestmark = pytest.mark.slow
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize("kind", ["table", "text", "series", "forecast", "image", "objects"])
def test_schemathesis_finds_no_500(kind: str, saved: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("schemathesis", exc_type=ImportError)
    with listening(app_of(saved(kind), port=0, a_second=None)) as port:
        address = f"http://127.0.0.1:{port}/openapi.json"
        command = [sys.executable, "-m", "schemathesis.cli", "run", address, "--max-examples", "30", "--checks", CHECKS]
        done = subprocess.run([*command, "--seed", "1"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "No issues found" in done.stdout
