"""A model as a service has it: its newest version, and what rows become answers by it.

Needs that this module answers:

* A row is checked against the schema that the service shows, so what doesn't fit is named before the model sees it.
* A newer version that was put into the folder is loaded beside the one that answers, verified like any other, and takes
  its place between two requests; one that can't be verified never answers, and what is there goes on.
* Requests that began with a version end with it.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepenough.errors import DeepenoughError, ModelError
from deepenough.model import manifest
from deepenough.model.folder import LoadedModel, load
from deepenough.serve.refusals import Refused
from deepenough.serve.schema import check

Answer = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """One version of a model that answers.

    name: twelve letters of the SHA-256 of its manifest, which holds the hashes of all its files. loaded_at: seconds
    since 1970.
    """

    model: LoadedModel
    name: str
    loaded_at: float
    row: Mapping[str, Any]

    @classmethod
    def of(cls, model: LoadedModel, name: str) -> Version:
        """A model that was loaded."""
        return cls(model, name, time.time(), model.codec.row_schema())

    @property
    def together(self) -> bool:
        """Whether rows are asked about together, and answered by others."""
        return self.model.codec.together

    def check(self, rows: Sequence[Any]) -> None:
        """Raise Refused (422) for the first row that is not what the schema says."""
        for place, row in enumerate(rows):
            if not (isinstance(row, bytes) and self.model.codec.takes_files):
                try:
                    check(row, self.row)
                except Refused as refused:
                    raise refused.at(place) from None

    def answers(self, rows: Sequence[Any]) -> list[Answer]:
        """The answer for every row, in their order; of histories those for all steps. Raises Refused (422)."""
        self.check(rows)
        model, codec = self.model, self.model.codec
        try:
            inputs = codec.encode(list(rows))
            if not self.together:
                self._refuse_unread(rows, inputs)
            found = plain(codec.decode(model.predict_raw(inputs), inputs))
        except DeepenoughError as error:
            raise Refused(422, str(error)) from None
        if not self.together and len(found) != len(rows):
            said = f"{len(rows)} rows were taken for {len(found)} units. Ask about rows of one name one by one."
            raise Refused(422, said)
        return found

    def _refuse_unread(self, rows: Sequence[Any], inputs: Any) -> None:
        """Refuse cells that hold something which the model would take for missing."""
        codec = self.model.codec
        if not (counts := codec.unread(rows, inputs)):
            return
        for place, row in enumerate(rows):
            if len(rows) > 1 and not (counts := codec.unread([row], codec.encode([row]))):
                continue
            name = next(iter(counts))
            own = self.row.get("properties", {}).get(name, {})
            what = own.get("description", "").split(";")[0].rstrip(".") or "something that can be read"
            what = what[:1].lower() + what[1:]
            said = f"The field {name!r} can't be read; expected is {what}."
            raise Refused(422, said, row=place, field=name, expected=what)

    def each(self, rows: Sequence[Any]) -> list[Answer | Refused]:
        """Of every row its answer, or why there is none. Halves are tried until each bad row stands alone."""
        if not rows:
            return []
        try:
            return list(self.answers(rows))
        except Refused as refused:
            if len(rows) == 1:
                return [refused]
        middle = len(rows) // 2
        return [*self.each(rows[:middle]), *self.each(rows[middle:])]

    def explained(self, rows: Sequence[Any]) -> list[Answer]:
        """Answers, each with what every column has to do with it. Raises Refused (422)."""
        if self.together or not self.model.codec.usual():
            raise Refused(
                422, "This model can't explain its answers: it knows no usual values of columns. Ask without explain."
            )
        try:
            return [
                {"answer": answer, "explanation": self.model.explain(row)}
                for answer, row in zip(self.answers(rows), rows, strict=True)
            ]
        except ModelError as error:
            raise Refused(422, str(error)) from None


def plain(frame: Any) -> list[Answer]:
    """The rows of a frame of answers as plain values; what is no number is null."""
    columns = [_cells(frame[name].to_numpy()) for name in frame.columns]
    names = list(map(str, frame.columns))
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _cells(array: Any) -> list[Any]:
    if array.dtype.kind == "M":
        return [None if text == "NaT" else text for text in array.astype("datetime64[s]").astype(str).tolist()]
    values: list[Any] = array.tolist()
    if array.dtype.kind == "f":
        return [value if math.isfinite(value) else None for value in values]
    return values


@dataclass
class Served:
    """A model under its name. folder: of a run, or of a saved model. problem: why the newest one doesn't answer."""

    name: str
    folder: Path
    current: Version
    problem: str = ""
    _stamp: tuple[Any, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, name: str, folder: Path) -> Served:
        """Load it. Raises ModelError where it can't be verified."""
        served = cls(name, folder, _loaded(folder))
        served._stamp = _stamp(folder)
        return served

    def refresh(self) -> bool:
        """Take the version that lies in the folder now, if it is another one; returns whether it is."""
        try:
            stamp = _stamp(self.folder)
            if stamp == self._stamp:
                self.problem = ""
                return False
            if _digest(self.folder) != self.current.name:
                self.current = _loaded(self.folder)
                self._stamp, self.problem = stamp, ""
                return True
            self._stamp, self.problem = stamp, ""
        except (DeepenoughError, OSError, ValueError, KeyError, TypeError) as error:
            self.problem = str(error) or type(error).__name__
        return False


def _stamp(folder: Path) -> tuple[Any, ...]:
    facts = (manifest.locate(folder) / manifest.MANIFEST).stat()
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def _digest(folder: Path) -> str:
    return hashlib.sha256((manifest.locate(folder) / manifest.MANIFEST).read_bytes()).hexdigest()[:12]


def _loaded(folder: Path) -> Version:
    """The model with its version. Raises ModelError where it was replaced meanwhile."""
    before = _digest(folder) if folder.exists() else ""
    model = load(folder)
    if _digest(folder) != before:
        raise ModelError(f"{folder} was replaced while it was read. It is read again soon.")
    return Version.of(model, before)
