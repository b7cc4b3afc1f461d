"""Small tables of known truth: what every learner of tables is tried on.

Needs that the design answers:

* Every role that a column can have, missing values, a rare class, and levels that only some rows know: what breaks
  learners in the field breaks them here.
* The truth is known, so that a learner that learns nothing is found out: each toy can be predicted far better than by
  its baseline, and by neither family alone.
* Made from a seed and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepenough.kinds.table.task import TableTask, make
from deepenough.task import source
from deepenough.task.task import Question

ROWS_BINARY, ROWS_CLASSES, ROWS_NUMBER = 320, 300, 240
FIRST_DAY = np.datetime64("2023-01-01")


def toys() -> Mapping[str, TableTask]:
    """By name: `binary`, `three_classes`, `number`."""
    return {"binary": binary(), "three_classes": three_classes(), "number": number()}


def binary(rows: int = ROWS_BINARY, seed: int = 1) -> TableTask:
    """Whether a parcel comes late: by weight, carrier, month, and a word in a note. Some values are missing."""
    rng = np.random.default_rng(seed)
    weight, distance = rng.normal(5, 2, rows), rng.uniform(1, 900, rows)
    carrier = rng.choice(["north", "south", "east", "rare"], rows, p=[0.45, 0.3, 0.23, 0.02])
    day = FIRST_DAY + rng.integers(0, 700, rows)
    month = day.astype("datetime64[M]").astype(int) % 12 + 1
    fragile = rng.random(rows) < 0.3
    notes = _notes(fragile, rng)
    score = 0.9 * (weight - 5) + 1.5 * (carrier == "south") + 1.2 * np.isin(month, (11, 12, 1)) + 1.6 * fragile - 1.6
    late = rng.random(rows) < 1 / (1 + np.exp(-1.5 * score))
    columns = {
        "weight": _with_gaps(weight.round(3), 0.08, rng),
        "distance": distance.round(1),
        "carrier": _with_gaps(carrier, 0.05, rng),
        "sent": day.astype(str),
        "note": notes,
        "late": np.where(late, "late", "in time"),
    }
    return _task(columns, "late")


def three_classes(rows: int = ROWS_CLASSES, seed: int = 2) -> TableTask:
    """Three kinds of flower by two sizes and a colour; one of them is rare."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, rows, p=[0.52, 0.42, 0.06])
    centres = np.array([[1.0, 4.0], [3.0, 3.0], [5.0, 1.0]])
    sizes = centres[kind] + rng.normal(0, 0.8, (rows, 2))
    likely = np.array(["white", "blue", "red"])[kind]
    colour = np.where(rng.random(rows) < 0.6, likely, rng.choice(["white", "blue", "red"], rows))
    columns = {
        "length": _with_gaps(sizes[:, 0].round(3), 0.05, rng),
        "width": sizes[:, 1].round(3),
        "colour": colour,
        "wet": rng.random(rows) < 0.5,
        "kind": np.array(["common", "frequent", "seldom"])[kind],
    }
    return _task(columns, "kind")


def number(rows: int = ROWS_NUMBER, seed: int = 3) -> TableTask:
    """The rent of a flat: by its area, its floor, its quarter and its year, with an interaction and noise."""
    rng = np.random.default_rng(seed)
    area, floor = rng.uniform(20, 140, rows), rng.integers(0, 9, rows)
    quarter = rng.choice(["centre", "harbour", "hills", "station"], rows)
    built = rng.integers(1900, 2021, rows)
    per_metre = 8 + 4 * (quarter == "centre") + 2 * (quarter == "hills") + 0.3 * floor * (quarter == "harbour")
    rent = area * per_metre + 2.0 * (built - 1960) + rng.normal(0, 40, rows)
    columns = {
        "area": area.round(1),
        "floor": _with_gaps(floor.astype(float), 0.1, rng),
        "quarter": quarter,
        "built": built,
        "rent": rent.round(2),
    }
    return _task(columns, "rent")


def _notes(fragile: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sentences, nearly all different, in which one word tells something."""
    people = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gina", "Hal", "Ida", "Jon"]
    things = ["books", "shoes", "lamps", "plates", "toys", "tools", "wine", "seeds"]
    places = ["at the door", "with a neighbour", "in the yard", "behind the house", "at the desk", "by the gate"]
    lines = []
    for breaks in fragile:
        person, thing, place = rng.choice(people), rng.choice(things), rng.choice(places)
        care = "fragile, please take care" if breaks else "nothing special to mind"
        lines.append(f"{thing} for {person} number {rng.integers(1, 99)}, leave {place}, {care}")
    return np.array(lines, dtype=object)


def _with_gaps(values: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    gaps = rng.random(len(values)) < share
    listed = values.astype(object)
    listed[gaps] = None
    return listed


def _task(columns: Mapping[str, Any], target: str) -> TableTask:
    cells = zip(*(values.tolist() for values in columns.values()), strict=True)
    rows = [dict(zip(columns, row, strict=True)) for row in cells]
    return make(source.read(rows), Question(target=target))
