"""The stubs as a kind, with a codec and toys, and as contenders of a race."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deepenough.evidence import Contender
from deepenough.kinds import Codec, Entry, Kind
from deepenough.learner import Learner
from deepenough.task.task import Question, Task
from tests.stubs.supervised import Array, StubSupervised


def contender(cls: type[Learner], name: str = "", **settings: Any) -> Contender:
    """A stub as it takes part in a race."""
    learner = cls.__name__.lower()
    return Contender(
        name=name or learner,
        learner=learner,
        path=f"{cls.__module__}:{cls.__qualname__}",
        family=cls.family,  # type: ignore[attr-defined]  # every stub has one
        settings=settings,
        priority=cls.priority,
        deterministic=cls.deterministic,
    )


def entry(cls: type[Learner]) -> Entry:
    """A stub as `kinds.find_learners` would give it."""
    return Entry(cls.__name__.lower(), "stub", cls.family, cls)  # type: ignore[attr-defined]  # every stub has one


@dataclass(frozen=True)
class StubCodec(Codec):
    """Rows are objects with the three columns by name."""

    n_classes: int | None = 2
    names: ClassVar[tuple[str, ...]] = ("answer", "difficulty", "identity")

    def to_json(self) -> dict[str, Any]:
        return {"n_classes": self.n_classes}

    @classmethod
    def from_json(cls, schema: Mapping[str, Any]) -> StubCodec:
        return cls(schema["n_classes"])

    def encode(self, rows: Any) -> Array:
        rows = rows.to_dict("records") if hasattr(rows, "to_dict") else rows
        return Array(np.array([[float(row[name]) for name in self.names] for row in rows]).reshape(-1, 3))

    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        import pandas as pd

        if self.n_classes is None:
            return pd.DataFrame({"y": predictions})
        shares = {f"probability_{code}": predictions[:, code] for code in range(self.n_classes)}
        return pd.DataFrame({"y": predictions.argmax(axis=1), **shares})

    def batches(self, source: Any, size: int) -> Iterator[Any]:
        with open(source, newline="") as file:
            rows = list(csv.DictReader(file))
        for start in range(0, len(rows), size):
            yield rows[start : start + size]


class StubKind(Kind):
    """The kind of all stubs."""

    name = "stub"
    about = "Tasks whose truth was put there."
    extra = "dev"

    def recognise(self, source: Any, question: Question) -> str:
        return "it is a stub" if isinstance(source, Task) else ""

    def load(self, source: Any, question: Question) -> Task:
        return source  # type: ignore[no-any-return]  # a stub's source is the task itself

    def codec(self, task: Any) -> Codec:
        return StubCodec(task.n_classes)

    def codec_class(self) -> type[Codec]:
        return StubCodec

    def toys(self) -> Mapping[str, Task]:
        return {
            "two classes": StubSupervised(rows=200),
            "three classes": StubSupervised(rows=240, n_classes=3),
            "numbers": StubSupervised(rows=200, n_classes=None),
        }
