"""Vectors of units that were dear to compute, left by one trial for the next.

Needs that this module answers:

* A process that is killed while it writes, or another that writes at the same time, damages nothing: each file is
  written whole under a name of its own, then gets its name in one step, and is never changed.
* A unit is known by the hash of its content alone; only what is asked for is held in memory.
* The folder doesn't grow without end.
"""

from __future__ import annotations

import hashlib
import os
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MOST_BYTES = 256 * 1024 * 1024
"""Of a folder; what comes later is not kept."""


def key_of(content: str | bytes) -> bytes:
    """16 bytes that stand for a unit's content."""
    told = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return hashlib.blake2b(told, digest_size=16).digest()


@dataclass(frozen=True)
class Kept:
    """Vectors in a folder, by the keys of their units; None: nothing is kept."""

    folder: Path | None

    def find(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        """The vectors of these units that are there."""
        wanted, found = set(keys), dict[bytes, np.ndarray]()
        if self.folder is None or not wanted or not self.folder.is_dir():
            return found
        for path in sorted(self.folder.glob("*.npz")):
            try:
                with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                    names, vectors = stored["keys"], stored["vectors"]
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                continue  # not written by `add`: a disk that lost power, or somebody's own file
            for place, name in enumerate(names):
                if (key := name.tobytes()) in wanted:
                    found[key] = vectors[place]
        return found

    def add(self, vectors: Mapping[bytes, np.ndarray]) -> None:
        """Keep these too, if there is room."""
        if self.folder is None or not vectors:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            sizes = [path.stat().st_size for path in self.folder.glob("*.npz")]
            if sum(sizes) > MOST_BYTES:
                return
            name = f"{os.getpid()}-{uuid.uuid4().hex}"
            unfinished = self.folder / f"{name}.unfinished"
            keys = np.frombuffer(b"".join(vectors), dtype=np.uint8).reshape(-1, 16)
            with open(unfinished, "wb") as file:
                np.savez(file, allow_pickle=False, keys=keys, vectors=np.stack(list(vectors.values())))
            os.replace(unfinished, self.folder / f"{name}.npz")
        except OSError:
            return  # a full disk, or a folder that is gone: then the next one computes them again
