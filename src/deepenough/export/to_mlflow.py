"""A finished race as a run of MLflow: what was asked, what came out, what it cost, and the files.

Needs that this module answers:

* Nothing is computed anew: what MLflow shows is what the report says, from the same facts.
* A race needs no MLflow: it is logged when it is over, as often as wanted, to whatever server.
* Nothing is told to anyone but the server that was named: MLflow's own reports of usage are off unless wanted.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough.errors import OptionError
from deepenough.evidence import FAMILIES, FINISHED, Trial
from deepenough.export import places

EXPERIMENT = "deepenough"
LONGEST = 500
"""Letters of a parameter, at most: older servers take no more."""
_USUAL = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""Set where the person has not set them: no reports of usage, and a server that is not there is said soon."""


@dataclass(frozen=True)
class Logged:
    """Where it was logged: the experiment's name, the run's number in MLflow, and how many trials stand below it."""

    uri: str
    experiment: str
    run_id: str
    trials: int

    @property
    def sentence(self) -> str:
        """What was logged."""
        below = f", {self.trials:,} trials below it" if self.trials else ""
        return f"Logged in MLflow ({self.uri}) as run {self.run_id} of the experiment {self.experiment!r}{below}."


def log(run: Path, uri: str | None, experiment: str, trials: bool) -> Logged:
    """See `export.mlflow`."""
    from deepenough.result import Race

    places.require("--mlflow")
    race = Race(places.run_of(run))
    facts = race.facts
    if not (run / "model").is_dir():
        raise places.unfinished(run)
    for name, value in _USUAL.items():
        os.environ.setdefault(name, value)
    import requests
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=uri)
        number = _experiment(client, experiment)
        logged = client.create_run(number, run_name=run.resolve().name, tags=_tags(facts)).info.run_id
        try:
            _fill(client, logged, race.evidence.plan.seed, facts, run)
            below = [_trial(client, number, logged, trial) for trial in race.evidence.trials] if trials else []
        except BaseException:
            client.set_terminated(logged, "FAILED")
            raise
        client.set_terminated(logged)
        return Logged(str(client.tracking_uri), experiment, logged, len(below))
    except (MlflowException, requests.RequestException, OSError) as error:
        said = " ".join(str(error).split())[:600].rstrip(".")
        raise OptionError(f"MLflow could not log the run at {uri or 'its usual place'}: {said}.") from error


def _experiment(client: Any, name: str) -> str:
    known = client.get_experiment_by_name(name)
    return str(known.experiment_id if known else client.create_experiment(name))


def _fill(client: Any, logged: str, seed: int, facts: Mapping[str, Any], run: Path) -> None:
    _batch(client, logged, _params(facts, seed), dict(_metrics(facts)))
    for name in ("report.html", "facts.json"):
        if (run / name).is_file():
            client.log_artifact(logged, str(run / name))
    client.log_artifacts(logged, str(run / "model"), "model")


def _batch(client: Any, logged: str, params: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    import time

    from mlflow.entities import Metric, Param

    now = int(1000 * time.time())
    client.log_batch(
        logged,
        metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
        params=[Param(name, str(value)[:LONGEST]) for name, value in params.items() if value is not None],
    )


def _tags(facts: Mapping[str, Any]) -> dict[str, str]:
    verdict = facts["verdict"]
    return {
        "decision": facts["decision"],
        "evidence": str(verdict["pair_evidence"]),
        "trusted": str(verdict["trusted"]).lower(),
        "winner": " + ".join(facts["model"]["contenders"]),
        "mlflow.note.content": facts["decision_sentence"],
    }


def _params(facts: Mapping[str, Any], seed: int) -> dict[str, Any]:
    question, source = facts["question"], facts["question"]["source"]
    return {
        "target": question["target"],
        "task": question["task"],
        "metric": question["metric"]["name"],
        "kind": question["kind"],
        "budget": facts["setup"]["budget"],
        "seed": seed,
        "data": source.get("name"),
        "data_sha256": source.get("sha256"),
        "rows": question["rows"],
        "columns": question["columns"],
        "judged_rows": facts["judged_rows"],
        "judged_at": facts["n_train"],
        "folds": facts["folds"],
        "winner": " + ".join(facts["model"]["contenders"]),
        "deepenough": facts["repeat"]["packages"].get("deepenough"),
    }


def _metrics(facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Names and values; what is not known is left out."""
    verdict = facts["verdict"]
    gap = verdict["gap"] or {}
    found = {
        "gap": gap.get("value"),
        "gap_low": gap.get("low"),
        "gap_high": gap.get("high"),
        "equal_within": verdict["equal_within"],
        "trivial_loss": verdict["trivial_loss"],
        "seconds": facts["wall"]["total_seconds"],
    }
    for side in (*FAMILIES, "together"):
        if verdict[side]:
            found[f"{side}.loss"] = verdict[side]["loss"]
            found |= {f"{side}.{name}": score for name, score in verdict[side]["scores"].items()}
    for family in FAMILIES:
        for group in ("time", "memory", "electricity", "money"):
            for name, value in ((facts["costs"].get(family) or {}).get(group) or {}).items():
                found[f"{family}.{group}.{name}"] = value
    for name, value in found.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value)


def _trial(client: Any, experiment: str, above: str, trial: Trial) -> str:
    """One trial as a run below the race's."""
    name = f"{trial.number} {trial.contender} {trial.purpose}"
    tags = {"mlflow.parentRunId": above, "status": trial.status}
    logged = str(client.create_run(experiment, run_name=name, tags=tags).info.run_id)
    params = {
        name: getattr(trial, name) for name in ("number", "contender", "family", "purpose", "n_train", "fold", "seed")
    }
    measured = {"loss": trial.loss, "joules": trial.joules, "peak_bytes": trial.peak_bytes} | dict(trial.scores)
    measured |= {name: getattr(trial, name) for name in ("wall_seconds", "cpu_seconds", "fit_wall_seconds")}
    known = {name: float(value) for name, value in measured.items() if value is not None and math.isfinite(value)}
    _batch(client, logged, params, known)
    client.set_terminated(logged, "FINISHED" if trial.status in FINISHED else "FAILED")
    return logged
