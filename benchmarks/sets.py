"""The sets of documents and of series that benchmarks run on: shipped ones, and those of a folder that you name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tables

SHIPPED = tables.SHIPPED


@dataclass(frozen=True)
class Bench:
    """One set: its file, and the arguments of `deepenough.race` that ask the question."""

    name: str
    path: Path
    asked: Mapping[str, Any]


_RIDES = {"target": "bikers", "time": "time", "known": ["holiday", "workingday"]}
SETS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "mails": ("mails.zip", {}),
    "topics": ("topics.parquet", {"target": "topic", "text": "text"}),
    "rides_a_day": ("bikes.csv", _RIDES | {"horizon": 24}),
    "rides_ahead": ("bikes.csv", _RIDES | {"horizon": 6}),
    "nights": ("nights.csv", {"target": "nights", "time": "quarter", "series": ["region"], "horizon": 4}),
    "days": ("days.parquet", {"target": "kind"}),
}
"""By name the file, and what is asked of it; README.md says where each comes from."""


def find(names: Sequence[str], folder: Path | None) -> Iterator[Bench]:
    """Those of the named sets that are there; the others are said to be missing, never left out in silence."""
    for name in names:
        file, asked = SETS[name]
        path = next((place / file for place in (folder, SHIPPED) if place and (place / file).exists()), None)
        if path is None:
            print(f"{name}: not there; put {file} into the folder that --data names")
        else:
            yield Bench(name, path, asked)


def arguments(about: str) -> argparse.ArgumentParser:
    """A parser with the options that all of these benchmarks have."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS), metavar="NAME")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder with more of the sets")
    return parser


show = tables.show
