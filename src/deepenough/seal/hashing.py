"""What a seal is computed from: one way to write plain data, and a hash of everything that the verdict rests on.

Needs that this module answers:

* The bytes decide, not what they mean: a line of the journal is hashed as it stands, so that a later version of
  Deepenough, which may read it otherwise, still computes the same hash.
* What was altered can be named: every line and every file has a hash of its own below the one of all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from deepenough.evidence import Event, Plan, Trial, lines

Line = tuple[str, str]
"""What a line of the journal holds (`plan`, `trial 7`), and the SHA-256 of its bytes."""


def canonical(value: Any) -> bytes:
    """The one way in which plain data are written to be hashed or signed: keys sorted, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def sha256(content: bytes) -> str:
    """The hash of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def journal(folder: Path) -> tuple[list[Line], list[Plan | Trial]]:
    """The lines of plan and trials in their order, with the records that they hold.

    Raises RunError where the journal is damaged.
    """
    hashed, records = [], []
    for line, record in lines(folder):
        if not isinstance(record, Event):
            hashed.append(("plan" if isinstance(record, Plan) else f"trial {record.number}", sha256(line)))
            records.append(record)
    return hashed, records


def array_names(records: Iterable[Plan | Trial]) -> list[str]:
    """Paths below the run folder of the arrays that plan and trials speak of: who judged, and what they recorded."""
    names = []
    for record in records:
        if isinstance(record, Plan):
            names += [f"units/{fold}.npz" for fold in range(record.folds)]
        elif record.records:
            names.append(record.records)
    return sorted(set(names))


def file_sha256(folder: Path, name: str) -> str | None:
    """The hash of a plain file below a folder; None where there is none, or where the path leads out of it."""
    is_below = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
    if not is_below or not (folder / name).is_file():
        return None
    with open(folder / name, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def evidence_sha256(hashed: Sequence[Sequence[str]], files: Mapping[str, str | None]) -> str:
    """The hash of the evidence: of the hashes of its lines, in their order, and of its files."""
    return sha256(canonical({"files": dict(files), "journal": [list(line) for line in hashed]}))
