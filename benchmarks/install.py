"""How small is the serving side? A fresh environment with the bare package, and what predicting takes in it.

python benchmarks/install.py
python benchmarks/install.py --extra table     # the training side, to compare

Installs this checkout into a temporary environment (pip must reach a package index), weighs it, and predicts there with
models that this Python fits: seconds from the process's start to the first answer, milliseconds of one row after that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tables

ROOT = Path(__file__).resolve().parent.parent
LEARNERS = ("linear", "lightgbm", "extra_trees", "mlp", "tabm", "resnet", "catboost")
KIND, TABLE, TARGET = "table", "examples/data/german_credit.csv", "risk"

SERVE = """
import json, sys, time
import deepenough
model = deepenough.load(sys.argv[1])
rows = json.load(open(sys.argv[2]))
model.predict(rows[0])
if len(sys.argv) > 3:
    took = []
    for turn in range(300):
        start = time.perf_counter()
        model.predict(rows[turn % len(rows)])
        took.append(1000 * (time.perf_counter() - start))
    print(json.dumps(sorted(took)))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--extra", default="", help="install with this extra (default: none)")
    parser.add_argument("--learners", nargs="*", default=list(LEARNERS), metavar="NAME", help="default: %(default)s")
    parser.add_argument("--largest", type=int, default=8, metavar="N", help="packages to name (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deepenough-install-") as place:
        home = Path(place) / "venv"
        seconds = install(home, options.extra)
        sizes = by_package(site_packages(home))
        tables.show([{"installed": "everything", "megabytes": sum(sizes.values()) / 1e6, "seconds": seconds}])
        print()
        largest = sorted(sizes.items(), key=lambda item: -item[1])[: options.largest]
        tables.show([{"package": name, "megabytes": size / 1e6} for name, size in largest])
        print()
        tables.show([started(home), *(served(home, Path(place), name) for name in options.learners)])


def install(home: Path, extra: str) -> float:
    """Make the environment; returns the seconds that pip took."""
    venv.create(home, with_pip=True)
    what = f"{ROOT}[{extra}]" if extra else str(ROOT)
    start = time.perf_counter()
    command = [str(python(home)), "-m", "pip", "install", "-qq", what, "-c", str(ROOT / "constraints.txt")]
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def site_packages(home: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('platlib'))"
    return Path(subprocess.run([python(home), "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def by_package(site: Path) -> dict[str, int]:
    """Bytes of each package with the libraries that it bundles; pip and what it came with are left out."""
    sizes: dict[str, int] = {}
    for path in site.iterdir():
        name = path.name.removesuffix(".libs").split("-")[0]
        if name not in ("pip", "setuptools", "_distutils_hack", "distutils"):
            sizes[name] = sizes.get(name, 0) + _bytes(path)
    return sizes


def _bytes(path: Path) -> int:
    return (
        path.stat().st_size
        if path.is_file()
        else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    )


def started(home: Path) -> Mapping[str, Any]:
    """What `import deepenough` alone takes."""
    return {"model": "(import alone)", **_row(_seconds(home, ["-c", "import deepenough"]))}


def served(home: Path, place: Path, learner: str) -> Mapping[str, Any]:
    """Fit here, predict there."""
    folder, rows = saved(place / learner, learner)
    arguments = ["-c", SERVE, str(folder), str(rows)]
    try:
        seconds = _seconds(home, arguments)
    except subprocess.CalledProcessError as error:
        return {"model": learner, **_row(None), "note": error.stderr.strip().splitlines()[-1].split(": ", 1)[-1]}
    took = json.loads(_run(home, [*arguments, "timed"]))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"model": learner, **_row(seconds, took[len(took) // 2], took[len(took) * 95 // 100], size)}


def _row(seconds: float | None, p50: float | None = None, p95: float | None = None, size: int | None = None) -> Any:
    """A line of the result; `-` where there is no figure."""
    figures = {"first_answer_s": seconds, "one_row_p50_ms": p50, "one_row_p95_ms": p95}
    shown = {name: "-" if value is None else value for name, value in figures.items()}
    return shown | {"model_kb": "-" if size is None else round(size / 1000), "note": ""}


def _seconds(home: Path, arguments: Sequence[str]) -> float:
    """The least of three fresh processes, after one that fills the disk's cache."""
    took = []
    for _ in range(4):
        start = time.perf_counter()
        _run(home, arguments)
        took.append(time.perf_counter() - start)
    return min(took[1:])


def _run(home: Path, arguments: Sequence[str]) -> str:
    command = [str(python(home)), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=home, env=_environment()).stdout


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def saved(place: Path, learner: str) -> tuple[Path, Path]:
    """A model folder of a learner fitted on a shipped table, and some of its rows as JSON."""
    from deepenough import kinds
    from deepenough.learner import Limits
    from deepenough.model import folder
    from deepenough.task.task import Question

    kind = kinds.find()[KIND]
    task: Any = kind.load(ROOT / TABLE, Question(target=TARGET))
    entry = next(entry for entry in kinds.find_learners(KIND) if entry.name == learner)
    model = entry.cls().fit(task.everything(0), Limits(), 0)
    fitted = place / "fitted"
    fitted.mkdir(parents=True)
    model.save(fitted)
    path = f"{type(model).__module__}:{type(model).__qualname__}"
    facts = {"kind": KIND, "note": "", "question": task.question_facts}
    codec = kind.codec(task)
    made = folder.save(
        place / "model", [folder.Member(entry.name, entry.family, entry.path, path, fitted)], codec, facts
    )
    rows = place / "rows.json"
    rows.write_text(json.dumps([codec.to_json()["example"]] * 10))
    return made, rows


if __name__ == "__main__":
    main()
