"""Writing a seal, and reading one.

Needs that this module answers:

* Every byte of it counts: it is written in one way, holds a hash of itself, and anything else is refused.
* A signature is not lost by accident: a signed seal is replaced only by another signed one.
* The verdict itself stands in it, so that a later version which judges otherwise can say in what.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import deepenough
from deepenough.errors import RunError
from deepenough.files import write_whole
from deepenough.judge.verdict import Verdict
from deepenough.judge.words import decision_sentence
from deepenough.model.manifest import MANIFEST, installed_version
from deepenough.report.facts import as_plain
from deepenough.result import Race
from deepenough.seal import keys
from deepenough.seal.hashing import array_names, canonical, evidence_sha256, file_sha256, journal, sha256

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT = 1
"""Version of the seal's format; one of a newer version is refused."""

SEAL = "seal.json"
MODEL = f"model/{MANIFEST}"
_OUTSIDE = ("sha256", "signature")
"""What is computed from the rest of the seal."""
_EXPECTED: Mapping[str, type | tuple[type, ...]] = {
    "created": str,
    "data": dict,
    "decision": dict,
    "evidence": dict,
    "format": int,
    "model": (str, type(None)),
    "sha256": str,
    "signature": (dict, type(None)),
    "software": dict,
    "verdict": dict,
}


def write(race: Race, key: Ed25519PrivateKey | None = None, created: datetime | None = None) -> Path:
    """Seal a race as its folder stands now; returns the path of the seal.

    key: signs it, see `keys.private_key`. created: when, for the seal to say; default now.

    Raises RunError where evidence is missing or damaged, and where an unsigned seal would replace a signed one.
    """
    if key is None and is_signed(race.folder):
        raise RunError(
            f"{race.folder / SEAL} is signed, and is not replaced by one that is not. Sign again with --sign KEY.pem, "
            f"or remove {SEAL} first."
        )
    body = _body(race, created or datetime.now(UTC))
    content = canonical(body)
    signature = None if key is None else keys.sign(key, content)
    path = race.folder / SEAL
    write_whole(path, _rendered({**body, "sha256": sha256(content), "signature": signature}))
    return path


def at_the_end(race: Race, key: Ed25519PrivateKey | None = None) -> Path | None:
    """Seal a race that is over; one that was signed before and comes without a key now keeps the seal that it has."""
    return None if key is None and is_signed(race.folder) else write(race, key)


def _body(race: Race, created: datetime) -> dict[str, Any]:
    """All that is sealed; `docs/resume.md` says what each part is for."""
    source, fields = race.evidence.plan.source, verdict_fields(race.verdict)
    return {
        "format": FORMAT,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "software": software(),
        "data": {"name": as_plain(source.get("name")), "sha256": as_plain(source.get("sha256"))},
        "evidence": _evidence(race.folder),
        "verdict": {"sha256": sha256(canonical(fields)), "fields": fields},
        "decision": {"code": race.verdict.decision, "sentence": decision_sentence(race.verdict)},
        "model": file_sha256(race.folder, MODEL),
    }


def _evidence(folder: Path) -> dict[str, Any]:
    hashed, records = journal(folder)
    files = {name: file_sha256(folder, name) for name in array_names(records)}
    for name, found in files.items():
        if found is None:
            raise RunError(f"{folder} is damaged: {name} is missing. A run can only be sealed whole.")
    lines = [list(line) for line in hashed]
    return {"sha256": evidence_sha256(lines, files), "journal": lines, "files": files}


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """Every field of a verdict as JSON values: what is not finite is null."""
    fields: dict[str, Any] = as_plain(verdict)
    return fields


def software() -> dict[str, str]:
    """What computed the verdict: another version may judge otherwise, or round the last digit otherwise."""
    libraries = {name: installed_version(name) for name in ("numpy", "scipy")}
    return {"deepenough": deepenough.__version__, "python": platform.python_version(), **libraries}


def _rendered(content: Mapping[str, Any]) -> bytes:
    """The file as it is written: for people to read, and in one way only."""
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False).encode("ascii") + b"\n"


def signed_content(seal: Mapping[str, Any]) -> bytes:
    """What a seal's own hash and its signature are computed from."""
    return canonical({name: value for name, value in seal.items() if name not in _OUTSIDE})


def is_signed(folder: Path) -> bool:
    """Whether a run has a seal that bears a signature, valid or not."""
    try:
        return bool(json.loads((folder / SEAL).read_bytes())["signature"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def read(folder: Path) -> dict[str, Any]:
    """The seal of a run, intact by its own hash.

    Raises RunError where it is missing, was altered, or is of a newer version.
    """
    path = folder / SEAL
    if not path.is_file():
        raise RunError(f"{folder} holds no {SEAL}. Seal it with: deepenough seal {folder}")
    content = path.read_bytes()
    try:
        seal = json.loads(content)
        is_intact = _rendered(seal) == content and seal["sha256"] == sha256(signed_content(seal))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        is_intact = False
    if not is_intact:
        raise RunError(f"{path} is not as it was written: its own hash differs")
    if isinstance(seal.get("format"), int) and seal["format"] > FORMAT:
        raise RunError(
            f"{path} was written by a newer Deepenough (format {seal['format']}, this one reads up to {FORMAT}). "
            "Upgrade with `pip install --upgrade deepenough`."
        )
    if not _is_sound(seal):
        raise RunError(f"{path} lacks a part that every seal has, or it is not what it should be")
    return dict(seal)


def _is_sound(seal: Mapping[str, Any]) -> bool:
    """Whether each part is of the form in which it is written."""
    if not all(isinstance(seal.get(name), kind) for name, kind in _EXPECTED.items()):
        return False
    lines, files = seal["evidence"].get("journal"), seal["evidence"].get("files")
    return (
        isinstance(lines, list)
        and all(isinstance(line, list) and [type(word) for word in line] == [str, str] for line in lines)
        and isinstance(files, dict)
        and all(isinstance(found, str) for found in files.values())
        and isinstance(seal["verdict"].get("fields"), dict)
    )
