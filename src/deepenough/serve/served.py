"""A model as a service has it: its newest version, and what rows become answers by it.

Needs that this module answers:

* A row is checked against the schema that the service shows, so what doesn't fit is named before the model sees it.
* A newer version that was put into the folder is loaded beside the one that answers, verified like any other, and takes
  its place between two requests; one that can't be verified never answers, and what is there goes on.
* Requests that began with a version end with it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from deepenough.errors import DeepenoughError, ModelError
from deepenough.kinds import Codec
from deepenough.model import manifest
from deepenough.model.folder import LoadedModel, load
from deepenough.serve.refusals import Refused
from deepenough.serve.schema import check

Answer = dict[str, Any]
T = TypeVar("T")


class Answers(list[Answer]):
    """Answers in their order. unanswered: sentences on what was asked about in vain."""

    unanswered: Sequence[str] = ()


class Pace:
    """How long an answer takes, by the last ones: what is quick needs no thread of its own."""

    def __init__(self) -> None:
        self._seconds = 1.0

    def timed(self, function: Callable[[], T], rows: int) -> T:
        """What the function gives; the time that it took is noted."""
        begun = time.perf_counter()
        found = function()
        took = (time.perf_counter() - begun) / max(rows, 1)
        self._seconds = max(took, 0.9 * self._seconds + 0.1 * took)  # slow at once, quick again after some
        return found

    def expected(self, rows: int) -> float:
        """Seconds of an answer for so many rows."""
        return rows * self._seconds


@dataclass(frozen=True)
class Version:
    """One version of a model that answers.

    name: twelve letters of the SHA-256 of its manifest, which holds the hashes of all its files. loaded_at: seconds
    since 1970. row: the schema of one. pace: what the last answers took.
    """

    model: LoadedModel
    name: str
    loaded_at: float
    row: Mapping[str, Any]
    pace: Pace

    @classmethod
    def of(cls, model: LoadedModel, name: str) -> Version:
        """A model that was loaded."""
        return cls(model, name, time.time(), model.codec.row_schema(), Pace())

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

    def answers(self, rows: Sequence[Any]) -> Answers:
        """The answer for every row, in their order; of histories those for all steps. Raises Refused (422)."""
        self.check(rows)
        model, codec = self.model, self.model.codec
        try:
            inputs = _encoded(codec, rows)
            if not self.together:
                self._refuse_unread(rows, inputs)
            found = Answers(codec.records(model.predict_raw(inputs), inputs))
            found.unanswered = codec.unanswered(inputs)
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
            if isinstance(row, bytes):
                said = f"The file can't be read; expected is {codec.file()}, sent as it is."
                raise Refused(422, said, row=place, field=name, expected=codec.file())
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


def _encoded(codec: Codec, rows: Sequence[Any]) -> Any:
    """Inputs of rows. Raises Refused (422) where a codec can't make any of what its schema lets through."""
    try:
        return codec.encode(list(rows))
    except (TypeError, ValueError, LookupError, OverflowError) as error:  # InputError is a ValueError
        said = str(error) if isinstance(error, DeepenoughError) else "The rows are not such as the model learnt from."
        raise Refused(422, said) from None


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
        except Exception as error:  # whatever a damaged file makes its reader raise: the one that answers goes on
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
