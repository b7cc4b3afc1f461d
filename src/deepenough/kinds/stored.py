"""What a model learnt, on the disk: plain values as JSON, arrays as npz, nothing that runs code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def write(folder: Path, name: str, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Plain values as `name.json`, arrays as `name.npz`."""
    (folder / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")
    np.savez(folder / f"{name}.npz", allow_pickle=False, **arrays)


def read(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `write` wrote."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        return json.loads((folder / f"{name}.json").read_text(encoding="utf-8")), dict(arrays)
