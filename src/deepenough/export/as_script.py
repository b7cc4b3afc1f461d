"""The training of a run's winner as a script in plain Python, which gives the scores that the race measured.

Needs that this module answers:

* Who reads it sees what was done: how the file is read, what the learner gets, what was chosen, who is judged.
* It is proved before it gets its name: it runs in a fresh interpreter, and its scores are held against the race's.
* Names and levels of the data are literals in it and nothing else, so that none of them can be run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough import kinds
from deepenough.errors import ModelError, OptionError, RunError
from deepenough.evidence import Evidence, Trial
from deepenough.export import places, script_text
from deepenough.learner import Learner
from deepenough.model.manifest import model_class
from deepenough.racing.again import task_of
from deepenough.script import Fit, Script, literal

TOLERANCE = 1e-3
"""By how much a score may differ from the race's, relative to it."""
LONGEST_SECONDS = 3_600.0
"""That a script may take to give its scores before it counts as hanging."""
FOLDS_HEAD = "fold,part,row"


@dataclass(frozen=True)
class Written:
    """What was written.

    folds: the file of the rows of each fold. learner: whose training it is. metric: which score it prints.
    scores, raced: by fold, what the script printed, and what the race measured. difference: the largest, relative.
    """

    file: Path
    folds: Path
    learner: str
    metric: str
    scores: Mapping[int, float]
    raced: Mapping[int, float]
    difference: float

    @property
    def sentence(self) -> str:
        """What was proved."""
        return (
            f"{self.file}: it trains {self.learner} and gives the race's {self.metric} on all {len(self.raced)} folds; "
            f"the largest difference is {self.difference:.1e} of it. {self.folds} holds the rows of each fold."
        )


def check(file: Path) -> None:
    """Raise OptionError where the script, or the rows of its folds, would replace what no export wrote."""
    places.free(file, ".py", script_text.HEAD.splitlines()[0].encode())
    places.free(_folds_beside(file), ".csv", FOLDS_HEAD.encode())


def _folds_beside(file: Path) -> Path:
    return file.with_name(file.stem + ".folds.csv")


def write(run: Path, file: Path, learner: str | None, source: Any = None) -> Written:
    """See `export.python`."""
    from deepenough.result import Race

    check(file)
    race = Race(places.run_of(run))
    name = _chosen(race.verdict.winner, learner, run)
    evidence = race.evidence
    trials = _finals(evidence, name, race.verdict.n_train, run)
    task = task_of(evidence.plan, source)
    learner_of = _learner(evidence, name)
    fits = [_fit(run, trial) for trial in trials]
    try:
        made = learner_of.script(task, fits)
    except ModelError as error:
        raise ModelError(f"No script can be written for {name}: {error}{_can(evidence.plan.kind)}") from error
    metric = script_text.metric_of(evidence.plan.question["metric"], trials[0].scores)
    raced = {trial.fold: float(trial.scores[metric]) for trial in trials}
    return prove(made, file, name, metric, raced, Path(source if source is not None else task.source["path"]))


def prove(made: Script, file: Path, name: str, metric: str, raced: Mapping[int, float], data: Path) -> Written:
    """Write the script of a learner and the rows of its folds, if it gives the scores that were raced.

    Raises ModelError where it gives others, fails, or takes too long.
    """
    folds = _folds_beside(file)
    with places.opened(folds) as folds_part, places.opened(file) as part:
        folds_part.write_text(_folds(made), encoding="utf-8")
        part.write_text(_text(made, folds.name, metric, raced), encoding="utf-8")
        scores = _run(part, folds_part, folds.name, data)
        difference = max(abs(scores[fold] - raced[fold]) / max(abs(raced[fold]), 1e-12) for fold in raced)
        if not difference <= TOLERANCE:
            raise ModelError(
                f"The script would give other scores of {name} than the race: by up to {difference:.1%} in {metric}. "
                "It was not written; `deepenough verify RUN --rerun` repeats the race itself."
            )
    return Written(file, folds, name, metric, scores, raced, difference)


def _can(kind: str) -> str:
    """Which learners of a kind write scripts, in a sentence."""
    able = [entry.name for entry in kinds.find_learners(kind) if entry.cls.script is not Learner.script]
    listed = f"{', '.join(able[:-1])} and {able[-1]}" if len(able) > 1 else "".join(able)
    return f" Of this kind of data {listed} write scripts; --learner names another of the race." if able else ""


def _chosen(winner: tuple[str, ...], learner: str | None, run: Path) -> str:
    if learner is not None:
        return learner
    if not winner:
        raise places.unfinished(run)
    if len(winner) > 1:
        raise OptionError(
            f"The winner is {' and '.join(winner)} together, and a script trains one of them: --learner {winner[0]}, "
            f"or --learner {winner[1]}."
        )
    return winner[0]


def _finals(evidence: Evidence, name: str, n_train: int, run: Path) -> list[Trial]:
    """The contender's judged fits whose models were kept, the last of each fold."""
    if name not in {contender.name for contender in evidence.plan.contenders}:
        known = ", ".join(sorted({trial.contender for trial in evidence.trials if trial.model}))
        raise OptionError(f"--learner {name!r} took no part in this race. Its models were kept of: {known}.")
    own = {
        trial.fold: trial
        for trial in evidence.trials
        if trial.contender == name and trial.purpose == "final" and trial.n_train == n_train and trial.finished
    }
    kept = [trial for _, trial in sorted(own.items()) if trial.model and (run / trial.model).is_dir()]
    if not kept:
        others = {trial.contender for trial in evidence.trials if trial.purpose == "final" and trial.model}
        said = f" Judged were: {', '.join(sorted(others))}." if others else ""
        raise RunError(f"{run} holds no judged model of {name}, so there are no scores to repeat.{said}")
    return kept


def _learner(evidence: Evidence, name: str) -> Learner:
    """The contender with its settings, if it is one that is installed: a run's folder may come from anyone."""
    contender = evidence.plan.contender(name)
    known = {entry.path: entry.cls for entry in kinds.find_learners(evidence.plan.kind)}
    if contender.path not in known:
        raise ModelError(f"{name} is no learner that is installed here ({contender.path}), so it writes no script.")
    return known[contender.path](**contender.settings)


def _fit(run: Path, trial: Trial) -> Fit:
    place = run / trial.model
    told = json.loads(Path(f"{place}.json").read_text(encoding="utf-8"))
    model = model_class(told["class"]).load(place)
    return Fit(trial.fold, trial.n_train, trial.seed, model, float(told["temperature"]))


def _folds(made: Script) -> str:
    lines = [FOLDS_HEAD]
    for fold, (train, fitted, judged) in made.parts.items():
        parts = ["train" if own else "watched" for own in fitted.tolist()]
        lines += [f"{fold},{part},{row}" for part, row in zip(parts, train.tolist(), strict=True)]
        lines += [f"{fold},judged,{row}" for row in judged.tolist()]
    return "\n".join(lines) + "\n"


def _text(made: Script, folds: str, metric: str, raced: Mapping[int, float]) -> str:
    imports = sorted({"import numpy as np", "import pandas as pd", *made.needs, script_text.METRICS[metric].imports})
    plain = [line for line in imports if line.startswith("import ")]
    others = [line for line in imports if line.startswith("from ")]
    constants = [
        *made.constants,
        ("FOLDS", folds, "Which rows are trained on and judged, by their number in the file."),
        ("CHOSEN", {fold: dict(told) for fold, told in made.chosen.items()}, "What the race chose, by fold."),
        ("RACED", dict(raced), "What the race measured, by fold."),
    ]
    head = script_text.HEAD + "\n".join(["import sys", "from pathlib import Path", "", *plain, *others]) + "\n\n"
    body = "\n".join(literal(*each) for each in constants) + "\n\n"
    functions = made.functions + script_text.METRICS[metric].function
    return head + body + functions.replace("\n\n\n\n", "\n\n\n") + script_text.MAIN.replace("{metric}", metric)


def _run(script: Path, folds: Path, name: str, data: Path) -> dict[int, float]:
    """The scores that it prints, in a folder of its own and without this package."""
    with tempfile.TemporaryDirectory() as place:
        own = Path(place) / "script.py"
        own.write_bytes(script.read_bytes())
        (Path(place) / name).write_bytes(folds.read_bytes())
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [sys.executable, str(own), str(data.resolve())]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd=place,
                env=environment,
                timeout=LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"The script takes over {LONGEST_SECONDS:,.0f} s, so it was not written.") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ModelError(f"The script fails on these data ({last[:300]}), so it was not written.")
    scores = {}
    for line in done.stdout.splitlines():
        if not line.startswith("fold "):  # a library's own word
            continue
        _, fold, _, score, *_ = line.split()
        scores[int(fold.rstrip(":"))] = float(score)
    return scores
