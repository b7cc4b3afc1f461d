"""The kinds of data, found and never listed: every folder here is a kind, every file in its families a learner.

Other distributions add to them by entry points: `deepenough.kinds` names a package built like the folders here,
`deepenough.learners` a Learner class that says its `kind` and `family`. One that can't be used takes no part, and
`unusable` says why: a broken distribution must not end the races of all others.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import inspect
import os.path
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from deepenough.errors import ModelError, OptionError, SourceError
from deepenough.evidence import FAMILIES
from deepenough.graph import Graph
from deepenough.kinds import schemas
from deepenough.learner import Inputs, Learner
from deepenough.task import files
from deepenough.task.task import Question, Task, mean_of


class Codec(ABC):
    """JSON to inputs and back: what a saved model accepts and what it answers.

    example: a row that it accepts, or several where rows are asked about together; None where there is none.
    together: whether rows are asked about together, as those of a history are, and answered by other rows.
    takes_files: whether a row is a file, and the bytes of one are a row.
    """

    example: Any = None
    together: ClassVar[bool] = False
    takes_files: ClassVar[bool] = False

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The schema as plain JSON: columns, types, levels, classes."""

    @classmethod
    @abstractmethod
    def from_json(cls, schema: Mapping[str, Any]) -> Codec:
        """The codec again."""

    @abstractmethod
    def encode(self, rows: Any) -> Inputs:
        """Inputs of rows in any shape that a person has them: a frame, a list of objects."""

    @abstractmethod
    def decode(self, predictions: np.ndarray, inputs: Any) -> Any:
        """Predictions for these inputs as a person reads them: a frame with the answer and, for classes, their
        probabilities."""

    def blended(self, answers: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
        """What several models say together, as `SupervisedTask.blended` of the kind's tasks; by default their mean."""
        return mean_of(answers, weights)

    @abstractmethod
    def batches(self, source: Any, size: int) -> Iterator[Any]:
        """Rows of a source that may be larger than memory, in order, at most `size` at once; `encode` reads them."""

    def unread(self, rows: Any, inputs: Any) -> Mapping[str, int]:
        """By column, how many cells of a batch hold something that `inputs`, made of it, count as missing."""
        return {}

    def unanswered(self, inputs: Any) -> Sequence[str]:
        """Sentences on what of a batch gets no answer, where `encode` made these inputs of it; by default none."""
        return ()

    def file(self) -> str:
        """What is expected of a file that is a row, for messages; only where `takes_files`."""
        return "a file"

    def row_schema(self) -> dict[str, Any]:
        """JSON Schema of a row as a service takes it (see `kinds.schemas`); by default what the example tells."""
        return schemas.of_example(self.example)

    def answer_schema(self) -> dict[str, Any]:
        """JSON Schema of one answer; by default nothing is said of it."""
        return {}

    def records(self, predictions: np.ndarray, inputs: Any) -> list[dict[str, Any]]:
        """The same answers as `decode` gives, as plain values, an object each; what is no number is None."""
        return schemas.records(self.decode(predictions, inputs))

    def compared(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """By name, what rules compare of a record (see `serve.routes`) where its fields are no plain values; by default
        nothing, and rules compare its fields. An empty record has every name."""
        return {}

    def usual(self) -> Mapping[str, Any]:
        """By column, its usual value: what an answer is explained against; empty where that is unknown."""
        return {}

    def onnx(self, graph: Graph) -> None:
        """Declare what a row is made of as the inputs of a graph. Raises ModelError where it can't, as by default."""
        raise ModelError("Only models of tables can be exported as ONNX: rows of other data are no plain columns.")

    def fed(self, inputs: Any) -> dict[str, np.ndarray]:
        """Inputs as the graph takes them, by the names that `onnx` declared, each of shape (n, 1)."""
        raise ModelError("Only models of tables can be exported as ONNX: rows of other data are no plain columns.")

    def labels(self) -> Sequence[Any]:
        """The classes as they are answered with, in the order of the probabilities; empty for numbers."""
        return ()


@dataclass(frozen=True)
class Glance:
    """What is seen of a source without making its task ready.

    rows, features: of the source, without the target. classes, majority_share: how many, and the largest one's share of
    the rows; None where nothing can be said, and then `unknown` says why, as a clause.
    """

    rows: int = 0
    features: int = 0
    classes: int | None = None
    majority_share: float = 0.0
    unknown: str = ""


class Kind(ABC):
    """One kind of data and question. A subclass stands in the `__init__.py` of its folder."""

    name: str
    about: str
    extra: str
    """The extra that brings the packages of both of its families."""
    precedence: int = 50
    """Who is asked first whether a source is of its kind: the lowest number."""

    @abstractmethod
    def recognise(self, source: Any, question: Question) -> str:
        """Why this source is of this kind; empty where it is not."""

    @abstractmethod
    def load(self, source: Any, question: Question) -> Task:
        """Read the source and make its task ready: checked, split, its columns typed."""

    @abstractmethod
    def codec(self, task: Any) -> Codec:
        """What the saved model will accept and answer."""

    @abstractmethod
    def codec_class(self) -> type[Codec]:
        """The class that reads a saved schema."""

    @abstractmethod
    def toys(self) -> Mapping[str, Task]:
        """Small tasks of known truth, for the contract."""

    def glance(self, source: Any, question: Question) -> Glance:
        """What `guess` goes by, in seconds whatever the source's size; by default that nothing is known."""
        return Glance(unknown=f"no curves of data of the kind {self.name!r} are shipped")

    def expectation(self, task: Any) -> Sequence[Mapping[str, str]]:
        """What studies found on data like this: {sentence, source, expected}, see `report.expectation`; default none.

        expected: `classical`, `deep`, or `either` where little is between them. Only what has a source stands here.
        """
        return ()

    def mine(self, where: str) -> Learner:
        """A learner around a person's own estimator, found at `module:name`. Raises OptionError where there is none."""
        raise OptionError(f"--race-mine {where}: a model of your own can't race on data of the kind {self.name!r} yet.")


@dataclass(frozen=True)
class Entry:
    """A learner that was found. `missing` names distributions that it needs and that are not installed."""

    name: str
    kind: str
    family: str
    cls: type[Learner]
    missing: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.cls.__module__}:{self.cls.__qualname__}"

    @property
    def about(self) -> str:
        """The first sentence of the docstring."""
        return (inspect.getdoc(self.cls) or "").split("\n\n")[0].replace("\n", " ")


def find() -> dict[str, Kind]:
    """Every kind, by name."""
    kinds = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.ispkg:
            kinds[module.name] = kind_of(importlib.import_module(f"{__name__}.{module.name}"))
    for point in importlib.metadata.entry_points(group="deepenough.kinds"):
        found = _loaded(point, kind_of)
        if isinstance(found, Kind) and point.name not in kinds:
            kinds[point.name] = found
    return kinds


def unusable() -> dict[str, str]:
    """Entry points of other distributions that take no part, by name, each with the reason."""
    reasons = {}
    for group, look in (("deepenough.kinds", kind_of), ("deepenough.learners", _learner)):
        for point in importlib.metadata.entry_points(group=group):
            found = _loaded(point, look)
            if isinstance(found, str):
                reasons[point.name] = found
    return reasons


def _loaded(point: importlib.metadata.EntryPoint, look: Callable[[Any], Any]) -> Any:
    """What an entry point leads to, looked at; or the reason why it can't be used."""
    whose = f"{point.value} of {point.dist.name if point.dist else 'another distribution'}"
    try:
        if not re.fullmatch(r"[\w.-]+", point.name):  # blends are called by two names with + and @ between them
            raise OptionError(f"{point.name!r} is no name: letters, digits, _, . and - are")
        return look(point.load())
    except Exception as error:  # whatever a stranger's module raises when it is imported
        said = str(error) if isinstance(error, OptionError) else f"{type(error).__name__}: {error}"
        return f"{whose} can't be used ({said.rstrip('.')})"


def kind_of(package: Any) -> Kind:
    """The Kind that stands in a package. Raises OptionError where there is none."""
    for member in vars(package).values():
        if inspect.isclass(member) and issubclass(member, Kind) and member.__module__ == package.__name__:
            return member()
    raise OptionError(f"{package.__name__} has no Kind in its __init__.py.")


def _learner(cls: Any) -> type[Learner]:
    """The class, if it is a Learner that says where it belongs."""
    if not (inspect.isclass(cls) and issubclass(cls, Learner)):
        raise OptionError(f"{cls!r} is no class of Learner")
    family, kind = getattr(cls, "family", None), getattr(cls, "kind", None)
    if family not in (*FAMILIES, "baseline") or not isinstance(kind, str):
        raise OptionError(
            f"{cls.__name__} says kind = {kind!r} and family = {family!r}; expected the name of a kind, and "
            f"{', '.join(FAMILIES)} or baseline"
        )
    return cls


def find_learners(kind: str) -> list[Entry]:
    """Every learner of a kind, both families and the baseline, the champions first.

    A stranger's learner that has the name of one that is already there is called `<name>.<distribution>`.
    """
    entries = learners_in(importlib.import_module(_package_of(kind)), kind)
    for point in importlib.metadata.entry_points(group="deepenough.learners"):
        cls: Any = _loaded(point, _learner)
        if not isinstance(cls, str) and cls.kind == kind:
            is_taken = any(entry.name == point.name for entry in entries)
            name = f"{point.name}.{point.dist.name if point.dist else cls.__module__}" if is_taken else point.name
            entries.append(Entry(name, kind, cls.family, cls, missing(cls)))
    return sorted(entries, key=lambda entry: (entry.family, entry.cls.priority, entry.name))


def learners_in(package: Any, kind: str) -> list[Entry]:
    """The learners that stand in the folders of a kind's package, a file each."""
    entries = []
    for family in (*FAMILIES, "baseline"):
        folder = Path(str(package.__file__)).parent / family
        for module in pkgutil.iter_modules([str(folder)]):
            entries.append(_entry(importlib.import_module(f"{package.__name__}.{family}.{module.name}"), kind, family))
    return entries


def _package_of(kind: str) -> str:
    for point in importlib.metadata.entry_points(group="deepenough.kinds"):
        if point.name == kind:
            return point.value
    return f"{__name__}.{kind}"


def _entry(module: Any, kind: str, family: str) -> Entry:
    for member in vars(module).values():
        if inspect.isclass(member) and issubclass(member, Learner) and member.__module__ == module.__name__:
            return Entry(module.__name__.rsplit(".", 1)[1], kind, family, member, missing(member))
    raise OptionError(f"{module.__name__} holds no Learner.")


def missing(cls: type[Learner]) -> tuple[str, ...]:
    """Distributions that a learner needs and that are not installed."""
    absent = []
    for distribution in cls.needs:
        try:
            importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            absent.append(distribution)
    return tuple(absent)


def settings_of(learner: Learner) -> dict[str, Any]:
    """The hyperparameters, as they go into the evidence."""
    names = [item.name for item in dataclasses.fields(learner)]  # type: ignore[arg-type]  # every learner is a dataclass
    values = {name: getattr(learner, name) for name in names}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def recognise(source: Any, question: Question, kinds: Sequence[Kind] | None = None) -> tuple[Kind, str]:
    """The kind of a source, with the reason."""
    for kind in sorted(kinds if kinds is not None else find().values(), key=lambda kind: kind.precedence):
        reason = kind.recognise(source, question)
        if reason:
            return kind, reason
    if isinstance(source, str | Path):
        files.check_exists(Path(os.path.expanduser(source)))
    given = source if isinstance(source, str | Path) else f"A {type(source).__name__}"
    raise SourceError(
        f"{given} is of no kind that is known. Known kinds: {', '.join(find())}. If it is a table, give it a name that "
        "says so, such as data.csv or data.parquet."
    )
