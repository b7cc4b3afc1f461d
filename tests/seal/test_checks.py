"""Any byte that is altered of what a verdict rests on is found, and what was altered is named."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deepenough.errors import RunError, SourceError
from deepenough.evidence import JOURNAL, Event, Journal, as_json
from deepenough.result import Race
from deepenough.seal import checks, keys, sealing
from deepenough.seal.checks import FAILED, NOT_CHECKED, OK, verify


def _results(run: Path, **options: object) -> dict[str, str]:
    return {check.name: check.result for check in verify(run, **options)}  # type: ignore[arg-type]  # by their names


def _why(run: Path, name: str, **options: object) -> str:
    return next(check.why for check in verify(run, **options) if check.name == name)  # type: ignore[arg-type]  # the same


def _failed(run: Path) -> set[str]:
    return {name for name, result in _results(run).items() if result == FAILED}


def test_all_holds_of_a_run_that_nobody_touched(run: Path, sealed_once: Path) -> None:
    everything = dict.fromkeys(("seal", "data", "evidence", "verdict", "model", "signature"), OK)
    assert _results(run) == everything
    assert _results(run, key=keys.public_key(sealed_once / "key.pem.pub")) == everything
    assert "the given key" in _why(run, "signature", key=keys.public_key(sealed_once / "key.pem.pub"))


def test_what_is_analysed_later_breaks_no_seal(run: Path) -> None:
    journal = Journal(run)
    journal.append(Event("explained", 99.0, {"seconds": 1.0}))
    journal.close()
    assert not _failed(run)


def _deciding(run: Path) -> dict[str, list[Path]]:
    """The files of which no byte may change, by the check that must find it; several where any of them may."""
    arrays = [*(run / "records").iterdir(), *(run / "units").iterdir()]
    return {
        "seal or signature": [run / sealing.SEAL],
        "evidence": sorted(arrays),
        "model": [run / sealing.MODEL, run / "model" / "members" / "0" / "weights.bin"],
    }


@pytest.fixture(scope="module")
def altered(sealed_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose bytes are altered one at a time, and put back."""
    return Path(shutil.copytree(sealed_once / "run", tmp_path_factory.mktemp("altered") / "run"))


@given(data=st.data(), step=st.integers(1, 255))
def test_no_byte_of_a_file_changes_unseen(altered: Path, data: st.DataObject, step: int) -> None:
    who, paths = data.draw(st.sampled_from(sorted(_deciding(altered).items())))
    path = data.draw(st.sampled_from(paths))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:place] + bytes([content[place] ^ step]) + content[place + 1 :])
    try:
        assert _failed(altered) & set(who.split(" or "))
    finally:
        path.write_bytes(content)


@given(data=st.data(), step=st.integers(1, 255))
def test_no_byte_of_plan_or_trial_changes_unseen(altered: Path, data: st.DataObject, step: int) -> None:
    content = (altered / JOURNAL).read_bytes()
    lines = content.split(b"\n")
    deciding = [number for number, line in enumerate(lines) if b'"record": "event"' not in line and line]
    chosen = data.draw(st.sampled_from(deciding))
    start = sum(len(line) + 1 for line in lines[:chosen])
    place = start + data.draw(st.integers(0, len(lines[chosen])))  # the line's end counts too
    (altered / JOURNAL).write_bytes(content[:place] + bytes([content[place] ^ step]) + content[place + 1 :])
    try:
        assert "evidence" in _failed(altered)
    finally:
        (altered / JOURNAL).write_bytes(content)


@given(place=st.integers(0, 10**6))
@example(place=0)
def test_a_seal_cut_short_is_found(altered: Path, place: int) -> None:
    content = (altered / sealing.SEAL).read_bytes()
    (altered / sealing.SEAL).write_bytes(content[: place % len(content)])
    try:
        assert _results(altered) == {"seal": FAILED}
    finally:
        (altered / sealing.SEAL).write_bytes(content)


def _lines(run: Path) -> list[str]:
    return (run / JOURNAL).read_text().splitlines(keepends=True)


def _trial_places(run: Path) -> list[int]:
    return [number for number, line in enumerate(_lines(run)) if json.loads(line)["record"] == "trial"]


def test_a_better_looking_trial_is_named(run: Path) -> None:
    lines, place = _lines(run), _trial_places(run)[3]
    trial = json.loads(lines[place])
    lines[place] = json.dumps(trial | {"loss": 0.01}, sort_keys=True) + "\n"
    (run / JOURNAL).write_text("".join(lines))
    results = _results(run)
    assert (results["evidence"], results["verdict"]) == (FAILED, NOT_CHECKED)
    assert f"trial {trial['number']} was altered" in _why(run, "evidence")
    assert "can't be relied on" in _why(run, "data")


def test_a_trial_left_out_added_or_moved_is_named(run: Path) -> None:
    lines, places = _lines(run), _trial_places(run)
    first, second = (json.loads(lines[place])["number"] for place in places[:2])
    (run / JOURNAL).write_text("".join(lines[: places[0]] + lines[places[0] + 1 :]))
    assert f"trial {first} is missing" in _why(run, "evidence")
    (run / JOURNAL).write_text("".join([*lines, lines[places[1]].replace(f'"number": {second}', '"number": 9999')]))
    assert "trial 9999 was added" in _why(run, "evidence")
    lines[places[0]], lines[places[1]] = lines[places[1]], lines[places[0]]
    (run / JOURNAL).write_text("".join(lines))
    assert "order" in _why(run, "evidence") and "evidence" in _failed(run)


def test_many_alterations_are_counted(run: Path) -> None:
    lines = _lines(run)
    kept = [line for number, line in enumerate(lines) if number not in _trial_places(run)]
    (run / JOURNAL).write_text("".join(kept))
    assert f"and {len(lines) - len(kept) - checks.MOST_NAMED} more" in _why(run, "evidence")


def test_a_missing_array_is_named(run: Path) -> None:
    record = next(trial.records for trial in Race(run).evidence.trials if trial.records)
    (run / record).unlink()
    assert f"{record} is missing" in _why(run, "evidence")
    (run / "units" / "0.npz").unlink()
    assert "units/0.npz is missing" in _why(run, "evidence")


def test_a_damaged_journal_gives_a_clear_message(run: Path) -> None:
    lines = _lines(run)
    (run / JOURNAL).write_text("".join([lines[0], "{torn\n", *lines[1:]]))
    assert "is damaged: line 2 of evidence.jsonl can't be read" in _why(run, "evidence")
    (run / JOURNAL).unlink()
    assert "is not a run" in _why(run, "evidence")


def test_the_data_are_looked_for(run: Path, sealed_once: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n3,5\n")
    assert _results(run, data=sealed_once / "data.csv")["data"] == OK
    assert _results(run, data=other)["data"] == FAILED
    with pytest.raises(SourceError, match="is no file"):
        verify(run, data=tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"name": "DataFrame", "sha256": "0" * 64}, "a frame was raced"),
        ({"name": "gone.csv", "path": "gone.csv", "sha256": "0" * 64}, "name the file with --data"),
        ({"name": "orders", "path": "sqlite:///shop.db", "sha256": "0" * 64}, "a database was raced"),
        ({"name": "made up"}, "no hash of its data"),
    ],
    ids=["frame", "gone", "database", "none"],
)
def test_data_that_cant_be_looked_at_are_no_failure(run: Path, source: dict[str, str], why: str) -> None:
    _resealed(run, source=source)
    assert _results(run)["data"] == NOT_CHECKED
    assert why in _why(run, "data")


def _resealed(run: Path, **of_the_plan: object) -> None:
    """Change the plan and seal anew, unsigned."""
    lines = _lines(run)
    plan = dataclasses.replace(Race(run).evidence.plan, **of_the_plan)  # type: ignore[arg-type]  # by their names
    (run / JOURNAL).write_text("".join([as_json(plan) + "\n", *lines[1:]]))
    (run / sealing.SEAL).unlink()
    sealing.write(Race(run))


def _forged(run: Path, **changed: object) -> None:
    """Another content of the seal, with a hash of itself that is right, and the signature that was."""
    seal = sealing.read(run) | changed
    seal["sha256"] = sealing.sha256(sealing.signed_content(seal))
    (run / sealing.SEAL).write_bytes(sealing._rendered(seal))


def test_another_verdict_is_found_even_with_right_hashes(run: Path) -> None:
    fields = sealing.read(run)["verdict"]["fields"] | {"decision": "deep_pays"}
    _forged(run, verdict={"fields": fields, "sha256": sealing.sha256(sealing.canonical(fields))})
    assert _failed(run) == {"verdict", "signature"}
    assert _why(run, "verdict") == "Not the same: decision"
    _forged(run, verdict={"fields": fields, "sha256": "0" * 64})
    assert "is not that of the verdict" in _why(run, "verdict")


def test_other_words_for_the_decision_are_found(run: Path) -> None:
    _forged(run, decision={"code": "deep_pays", "sentence": "Take deep."})
    assert _failed(run) == {"verdict", "signature"}


def test_a_date_that_was_moved_breaks_the_signature(run: Path) -> None:
    _forged(run, created="2020-01-01T00:00:00Z")
    assert _failed(run) == {"signature"}


def test_a_seal_that_names_other_data_or_another_sum_is_found(run: Path) -> None:
    seal = sealing.read(run)
    _forged(run, data=seal["data"] | {"sha256": "0" * 64}, evidence=seal["evidence"] | {"sha256": "0" * 64})
    assert _failed(run) == {"data", "evidence", "signature"}


def test_another_version_is_named_and_what_it_adds_is_no_contradiction(run: Path) -> None:
    seal = sealing.read(run)
    fields = dict(seal["verdict"]["fields"])
    fields.pop("smallest_gap_visible")
    older = {"fields": fields, "sha256": sealing.sha256(sealing.canonical(fields))}
    _forged(run, verdict=older, software=seal["software"] | {"deepenough": "0.0.1"})
    assert _results(run)["verdict"] == OK
    assert _why(run, "verdict").startswith("Sealed by deepenough 0.0.1; recomputed by deepenough ")
    _forged(run, software=seal["software"])
    assert _why(run, "verdict") == "Not the same: smallest_gap_visible", "the same version says the same fields"
    fields["alpha"] = 0.1
    changed = {"fields": fields, "sha256": sealing.sha256(sealing.canonical(fields))}
    _forged(run, verdict=changed, software=seal["software"] | {"numpy": "1.0"})
    assert _results(run)["verdict"] == FAILED
    assert "Sealed by numpy 1.0; recomputed by numpy" in _why(run, "verdict")
    assert "alpha" in _why(run, "verdict")


def test_a_model_that_is_gone_altered_or_added_is_found(run: Path) -> None:
    (run / "model" / "README.md").write_text("a person's own words")
    assert not _failed(run)
    (run / "model" / "members" / "0" / "more.bin").write_bytes(b"added")
    assert "was added" in _why(run, "model")
    shutil.rmtree(run / "model")
    assert "is missing" in _why(run, "model")
    (run / sealing.SEAL).unlink()
    sealing.write(Race(run))
    assert _results(run)["model"] == NOT_CHECKED
    (run / "model").mkdir()
    (run / sealing.MODEL).write_text("{}")
    assert "added after" in _why(run, "model")


def test_unsigned_is_said_and_fails_only_where_a_key_is_asked_for(run: Path, sealed_once: Path, tmp_path: Path) -> None:
    other, _ = keys.generate(tmp_path / "other.pem")
    assert _results(run, key=keys.public_key(other))["signature"] == FAILED
    (run / sealing.SEAL).unlink()
    sealing.write(Race(run))
    assert _results(run)["signature"] == NOT_CHECKED
    assert _results(run, key=keys.public_key(sealed_once / "key.pem.pub"))["signature"] == FAILED


def test_a_signature_without_the_library_is_not_checked(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "is_installed", lambda: False)
    assert _results(run)["signature"] == NOT_CHECKED
    assert "pip install" in _why(run, "signature")


def test_what_was_never_sealed_says_how(run: Path, tmp_path: Path) -> None:
    (run / sealing.SEAL).unlink()
    with pytest.raises(RunError, match="deepenough seal"):
        verify(run)


def test_no_path_leads_out_of_the_run(run: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    assert sealing.file_sha256(run, "../secret") is None
    assert sealing.file_sha256(run, str(tmp_path / "secret")) is None
    assert sealing.file_sha256(run, JOURNAL)
