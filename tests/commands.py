"""Commands as tests run them, what they answered, and a table to run them on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough import cli

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


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
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
