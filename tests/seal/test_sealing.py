"""A seal is written in one way, says what it rests on, and a signature is not lost by accident."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deepenough import __version__
from deepenough.errors import RunError
from deepenough.evidence import Event, Journal
from deepenough.result import Race
from deepenough.seal import keys, sealing

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_same_run_sealed_twice_is_the_same_to_the_byte(run: Path, sealed_once: Path) -> None:
    key = keys.private_key(sealed_once / "key.pem")
    first = sealing.write(Race(run), key, WHEN).read_bytes()
    assert sealing.write(Race(run), key, WHEN).read_bytes() == first
    seal = json.loads(first)
    assert seal["created"] == "2026-01-02T03:04:05Z"
    assert seal["software"]["deepenough"] == __version__
    assert seal["decision"]["code"] == seal["verdict"]["fields"]["decision"] == Race(run).decision
    assert seal["decision"]["sentence"] == Race(run).decision_sentence
    assert seal["data"]["sha256"] == Race(run).evidence.plan.source["sha256"]


def test_every_line_and_array_that_decides_has_its_hash(run: Path) -> None:
    evidence, seal = Race(run).evidence, sealing.read(run)["evidence"]
    names = [name for name, _ in seal["journal"]]
    assert names == ["plan", *(f"trial {trial.number}" for trial in evidence.trials)]
    records = {trial.records for trial in evidence.trials if trial.records}
    assert set(seal["files"]) == records | {f"units/{fold}.npz" for fold in range(evidence.plan.folds)}


def test_what_is_analysed_later_breaks_no_seal(run: Path) -> None:
    before = sealing.read(run)["evidence"]
    journal = Journal(run)
    journal.append(Event("explained", 99.0, {"seconds": 1.0}))
    journal.close()
    (run / sealing.SEAL).unlink()
    sealing.write(Race(run))
    assert sealing.read(run)["evidence"] == before


def test_a_signed_seal_is_not_replaced_by_one_that_is_not(run: Path, sealed_once: Path) -> None:
    before = (run / sealing.SEAL).read_bytes()
    with pytest.raises(RunError, match="is signed"):
        sealing.write(Race(run))
    assert sealing.at_the_end(Race(run)) is None
    assert (run / sealing.SEAL).read_bytes() == before
    path = sealing.at_the_end(Race(run), keys.private_key(sealed_once / "key.pem"))
    assert path == run / sealing.SEAL and sealing.is_signed(run)


def test_a_race_that_is_over_is_sealed_without_a_key(run: Path) -> None:
    (run / sealing.SEAL).unlink()
    assert sealing.at_the_end(Race(run)) == run / sealing.SEAL
    assert not sealing.is_signed(run)
    assert sealing.at_the_end(Race(run)) == run / sealing.SEAL, "an unsigned one is renewed"


def test_a_run_is_only_sealed_whole(run: Path) -> None:
    record = next(trial.records for trial in Race(run).evidence.trials if trial.purpose == "ladder" and trial.records)
    race = Race(run)
    assert race.verdict
    (run / record).unlink()
    (run / sealing.SEAL).unlink()
    with pytest.raises(RunError, match=f"{record} is missing"):
        sealing.write(race)
    assert not (run / sealing.SEAL).exists()


def test_a_missing_seal_says_how_to_get_one(run: Path) -> None:
    (run / sealing.SEAL).unlink()
    with pytest.raises(RunError, match="deepenough seal"):
        sealing.read(run)


def _rewritten(run: Path, **changed: object) -> None:
    """Write the seal anew with another content, and with a hash of itself that is right."""
    seal = sealing.read(run) | changed
    seal["sha256"] = sealing.sha256(sealing.signed_content(seal))
    (run / sealing.SEAL).write_bytes(sealing._rendered(seal))


def test_a_newer_or_another_seal_is_refused(run: Path) -> None:
    _rewritten(run, format=sealing.FORMAT + 1)
    with pytest.raises(RunError, match="newer Deepenough"):
        sealing.read(run)


@pytest.mark.parametrize(
    "changed",
    [{"evidence": {}}, {"evidence": {"journal": [["plan", 7]], "files": {}}}, {"verdict": {}}, {"model": 7}],
    ids=["nothing", "odd hashes", "no verdict", "odd model"],
)
def test_a_seal_of_another_form_is_refused(run: Path, changed: dict[str, object]) -> None:
    _rewritten(run, **changed)
    with pytest.raises(RunError, match="not what it should be"):
        sealing.read(run)


def test_the_same_content_written_otherwise_is_refused(run: Path) -> None:
    seal = sealing.read(run)
    (run / sealing.SEAL).write_text(json.dumps(seal, indent=2, sort_keys=True) + "\n")
    with pytest.raises(RunError, match="not as it was written"):
        sealing.read(run)
