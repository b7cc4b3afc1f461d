"""Whether a sealed run is still what was sealed: each claim of the seal, computed again.

Needs that this module answers:

* One answer a claim: it holds, it fails, or it was not checked, each with the reason; nothing is left out in silence.
* What was altered is named: the line, the file, the field of the verdict.
* Nothing that was altered is used: no verdict is drawn from evidence whose hash differs, no model is read.
* Another version of Deepenough, or of what it computes with, is named where it could be why a verdict differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough.errors import ModelError, RunError, SourceError
from deepenough.evidence import Plan
from deepenough.judge.words import decision_sentence
from deepenough.model import manifest
from deepenough.result import Race
from deepenough.seal import keys
from deepenough.seal.hashing import array_names, canonical, evidence_sha256, file_sha256, journal, sha256
from deepenough.seal.sealing import MODEL, SEAL, read, signed_content, software, verdict_fields
from deepenough.task import files, sql

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OK, FAILED, NOT_CHECKED = "ok", "failed", "not_checked"
MOST_NAMED = 5
"""So many altered things are named one by one."""


@dataclass(frozen=True)
class Check:
    """How one claim of the seal turned out.

    name: `seal`, `data`, `evidence`, `verdict`, `model`, `signature`, or `rerun` (see `deepenough.rerun`).
    result: `ok`, `failed` or `not_checked`. why: what was found, or why nothing was looked for.
    """

    name: str
    result: str
    why: str


def verify(
    folder: str | Path, *, key: Ed25519PublicKey | None = None, data: str | Path | None = None
) -> tuple[Check, ...]:
    """Check a run against its seal.

    key: whose signature is expected, see `keys.public_key`; without one, only that the signature is valid.
    data: where the data that were raced are now; default the path in the plan.

    Raises RunError where the folder is no run or has no seal, SourceError where `data` is not there.
    """
    place = Path(folder)
    if data is not None and not Path(data).expanduser().is_file():
        raise SourceError(f"--data {data} is no file. Give the file that was raced.")
    if not (place / SEAL).is_file():
        read(place)  # says what is missing
    try:
        seal = read(place)
    except RunError as error:
        return (Check("seal", FAILED, f"{error}. Nothing that it says can be relied on."),)
    written = f"of {seal['created']}, intact by its own hash"
    evidence, records = _evidence(place, seal)
    plans = [record for record in records if isinstance(record, Plan)]
    return (
        Check("seal", OK, written),
        _data(seal, plans[-1].source if plans else None, data),
        evidence,
        _verdict(place, seal, evidence),
        _model(place, seal),
        _signature(seal, key),
    )


def _data(seal: Mapping[str, Any], source: Mapping[str, Any] | None, data: str | Path | None) -> Check:
    """The data, where they can be found: a file; a frame is gone, and a database is only read by racing again.

    source: as the plan names it; None where the plan is not what was sealed.
    """
    sealed, path = seal["data"].get("sha256"), data or (source or {}).get("path")
    if source is not None and source.get("sha256") != sealed:
        return Check("data", FAILED, "the plan and the seal name different data")
    if not sealed:
        return Check("data", NOT_CHECKED, "the race wrote down no hash of its data")
    if path is None and source is None:
        return Check("data", NOT_CHECKED, "the plan can't be relied on to say where they are; name them with --data")
    if path is None:
        return Check("data", NOT_CHECKED, "a frame was raced, and no path leads back to it")
    if sql.is_address(str(path)):
        return Check("data", NOT_CHECKED, "a database was raced: only --rerun reads it again")
    if (source or {}).get("sha256_of"):
        return Check("data", NOT_CHECKED, "the hash is of all the files that were raced: only --rerun reads them again")
    place = Path(path).expanduser()
    if not place.is_file():
        return Check("data", NOT_CHECKED, f"{place} is not there; name the file with --data")
    found = files.fingerprint(place)
    if found == sealed:
        return Check("data", OK, f"{place.name} is what was raced (sha256 {sealed[:16]})")
    return Check("data", FAILED, f"{place} is not what was raced: its sha256 is {found[:16]}, was {sealed[:16]}")


def _evidence(folder: Path, seal: Mapping[str, Any]) -> tuple[Check, list[Any]]:
    """The journal's lines and the arrays that they name; returns the records too, where they are what was sealed."""
    sealed = seal["evidence"]
    then = [tuple(line) for line in sealed.get("journal", ())]
    try:
        now, records = journal(folder)
    except RunError as error:
        return Check("evidence", FAILED, str(error)), []
    if altered := _differences(then, now):
        return Check("evidence", FAILED, f"not what was sealed: {_named(altered)}"), []
    named = {*array_names(records), *sealed.get("files", {})}
    found = {name: file_sha256(folder, name) for name in sorted(named)}
    if altered := _differences(list(sealed.get("files", {}).items()), list(found.items())):
        return Check("evidence", FAILED, f"not what was sealed: {_named(altered)}"), records
    if evidence_sha256(now, found) != sealed.get("sha256"):
        return Check("evidence", FAILED, "the seal's hash of the evidence is not that of its parts"), records
    about = f"{len(now) - 1:,} trials and {len(found):,} arrays are what was sealed (sha256 {sealed['sha256'][:16]})"
    return Check("evidence", OK, about), records


def _differences(then: Sequence[tuple[str, Any]], now: Sequence[tuple[str, Any]]) -> list[str]:
    """What of named hashes was altered, is missing, was added, or stands elsewhere."""
    gone, new = Counter(then) - Counter(now), Counter(now) - Counter(then)
    lost, come = {name for name, _ in gone}, {name for name, found in new if found is not None}
    told = [f"{name} was altered" for name, _ in then if name in lost & come]
    told += [f"{name} is missing" for name, _ in then if name in lost - come]
    told += [f"{name} was added" for name, _ in now if name in come - lost]
    told = list(dict.fromkeys(told))
    return told or (["the order of the lines was altered"] if list(then) != list(now) else [])


def _named(altered: Sequence[str]) -> str:
    more = len(altered) - MOST_NAMED
    return "; ".join(altered[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _verdict(folder: Path, seal: Mapping[str, Any], evidence: Check) -> Check:
    """The verdict, drawn again from the evidence; nothing is drawn from evidence that was altered."""
    sealed = seal["verdict"].get("fields", {})
    if sha256(canonical(sealed)) != seal["verdict"].get("sha256"):
        return Check("verdict", FAILED, "the seal's hash of the verdict is not that of the verdict that it holds")
    if evidence.result != OK:
        return Check("verdict", NOT_CHECKED, "the evidence is not what was sealed, so no verdict is drawn from it")
    race = Race(folder)
    decision = {"code": race.verdict.decision, "sentence": decision_sentence(race.verdict)}
    differing = _differing_fields(sealed, verdict_fields(race.verdict), seal["software"])
    differing += ["decision"] if not differing and decision != seal["decision"] else []
    by = _by(seal["software"])
    if differing:
        return Check("verdict", FAILED, f"{by} Not the same: {', '.join(differing)}".strip())
    return Check("verdict", OK, f"{by} The evidence gives it again, to the byte: {decision['sentence']}".strip())


def _differing_fields(then: Mapping[str, Any], now: Mapping[str, Any], by: Mapping[str, Any]) -> list[str]:
    """Fields that are not the same to the byte; what a newer Deepenough says beside them is no contradiction."""
    names = list(then) if by.get("deepenough") != software()["deepenough"] else sorted({*then, *now})
    return [name for name in names if name not in now or canonical(then.get(name)) != canonical(now[name])]


def _by(then: Mapping[str, Any]) -> str:
    """Who sealed and who recomputes, where that is not the same; else empty."""
    now = software()
    changed = [name for name in now if then.get(name) != now[name]]
    if not changed:
        return ""
    was, here = (", ".join(f"{name} {by.get(name)}" for name in changed) for by in (then, now))
    return f"Sealed by {was}; recomputed by {here}."


def _model(folder: Path, seal: Mapping[str, Any]) -> Check:
    found = file_sha256(folder, MODEL)
    if seal["model"] is None:
        if found is None:
            return Check("model", NOT_CHECKED, "none was handed over when it was sealed")
        return Check("model", FAILED, f"{MODEL} was added after the run was sealed")
    if found != seal["model"]:
        return Check("model", FAILED, f"{MODEL} {'is missing' if found is None else 'was altered'}")
    try:
        listed = manifest.read(folder / "model")["files"]
        manifest.verify_files(folder / "model", listed)
    except ModelError as error:
        return Check("model", FAILED, str(error))
    return Check("model", OK, f"its manifest and its {len(listed):,} files are what was sealed")


def _signature(seal: Mapping[str, Any], key: Ed25519PublicKey | None) -> Check:
    signature = seal["signature"]
    if signature is None:
        if key is not None:
            return Check("signature", FAILED, "a signature by the given key is expected, and there is none")
        return Check("signature", NOT_CHECKED, "not signed: the seal shows damage, but anyone could have sealed anew")
    if not keys.is_installed():
        return Check("signature", NOT_CHECKED, f"it takes the package cryptography: {keys.INSTALL}")
    if why := keys.refused(signature, signed_content(seal), key):
        return Check("signature", FAILED, why)
    whose = "by the given key" if key is not None else "valid; whether you know its key, --key PUBLIC.pem checks"
    return Check("signature", OK, f"{whose} (fingerprint {signature['fingerprint'][:16]})")
