"""What every test shares: one thread, seeds that repeat, and children that can import the stubs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Before numpy and torch are imported anywhere: they read these once.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Children find `tests.stubs` by its import path, whatever folder they are started in.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
)
for folder in (ROOT, ROOT / "src"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
"""Those of the machine. One of several workers keeps to one of them: races in it don't slow down the other's."""
if CORES and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
    os.sched_setaffinity(0, {CORES[int(worker.removeprefix("gw")) % len(CORES)]})

import pytest  # noqa: E402 - the environment above must stand first
from hypothesis import HealthCheck, settings  # noqa: E402 - the same

from tests.commands import Run, runner  # noqa: E402 - the same

settings.register_profile(
    "deepenough",
    deadline=None,  # a busy machine is no failure
    derandomize=True,  # the same examples in every run
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("deepenough")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""
    return runner(capsys)


@pytest.fixture
def all_cores() -> Iterator[None]:
    """Every core of the machine, for a race in lanes; skips where there is one."""
    if len(CORES) < 2:
        pytest.skip("one core, or nobody says how many")
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    yield
    os.sched_setaffinity(0, own)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    return folder
