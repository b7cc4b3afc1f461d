"""The model that is handed over: a folder without pickle that predicts, or says why it doesn't.

    model/manifest.json   who is in it, what was judged, every file with its hash
    model/schema.json     what goes in and what comes out (the kind's codec)
    model/members/0/...   the fitted models, in open formats
    model/README.md       the model card

Needs that the design answers:

* Whole or not at all: it is written beside and renamed.
* What can't be verified is refused before it is used (see `manifest`).
* The same answer as in the race: each member's temperature and weight are part of it, and `verify_same` proves it.
* One row costs little more than its members: no frame is built where the kind's codec needs none.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import platform
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import deepenough
from deepenough.errors import ModelError, OptionError
from deepenough.graph import Graph, Value
from deepenough.learner import Lists, Model
from deepenough.model import calibration, manifest, sinks
from deepenough.model.card import card
from deepenough.model.intervals import Intervals

if TYPE_CHECKING:
    from deepenough.kinds import Codec, Kind


@dataclass(frozen=True)
class Member:
    """One fitted model on its way into the folder.

    learner, model: `module:Class` of the learner, and of the Model whose `load` reads `source`.
    source: the folder that the model was saved into; its content is copied.
    weight: its share of the answer; those of all members need not sum to 1.
    temperature: of its probabilities, or the spread of its quantiles, see `calibration`; 1 for numbers.
    needs: distributions that predicting needs, as pip names them; None: what the Model's class says, or where that says
        nothing its learner's.
    """

    name: str
    family: str
    learner: str
    model: str
    source: Path
    weight: float = 1.0
    temperature: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs: Sequence[str] | None = None


def save(folder: Path, members: Sequence[Member], codec: Codec, facts: Mapping[str, Any]) -> Path:
    """Write the model folder, whole or not at all; one that is there is replaced. Returns the folder.

    facts: JSON values. `kind` is its name; `note` says in plain sentences what was judged and what this model saw;
        `task` holds `target`, `n_classes` (None for numbers), `paths` ([steps, levels]) or `lists` ([most, classes,
        width]) where these are predicted, by default what `question` says of them. Anything else goes into the
        manifest as it is.
    """
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _write(part, members, codec.to_json(), facts)
        _replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _write(part: Path, members: Sequence[Member], schema: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    _write_json(part / manifest.SCHEMA, schema)
    for index, member in enumerate(members):
        shutil.copytree(member.source, part / "members" / str(index))
    content = _described(members, facts) | {"files": manifest.hashes(part)}
    _write_json(part / manifest.MANIFEST, content)
    (part / manifest.CARD).write_text(card(content, schema), encoding="utf-8")
    for path in sorted(part.rglob("*")):
        _to_disk(path)


def _described(members: Sequence[Member], facts: Mapping[str, Any]) -> dict[str, Any]:
    task = facts.get("task") or _task(facts.get("question", {}))
    about = [_member_facts(index, member) for index, member in enumerate(members)]
    needed = sorted({name for member in about for name in ("numpy", *member["needs"])})
    versions = {name: manifest.installed_version(name) for name in needed}
    return {
        **facts,
        "format": manifest.FORMAT,
        "deepenough": deepenough.__version__,
        "created_by": {"python": platform.python_version(), "system": platform.platform(), **versions},
        "task": task,
        "blend": f"mean of {_what(task)}",
        "members": about,
    }


def _task(question: Mapping[str, Any]) -> dict[str, Any]:
    """Target and number of classes, as the question tells them."""
    classes = question.get("classes")
    n_classes = len(classes) if isinstance(classes, list | tuple) else classes
    form = {name: question[name] for name in ("paths", "lists") if question.get(name)}
    return {"target": question.get("target"), "n_classes": n_classes or None, **form}


def _what(task: Mapping[str, Any]) -> str:
    """What a member answers with."""
    if task.get("lists"):
        return "lists"
    return "quantiles" if task.get("paths") else "numbers" if task.get("n_classes") is None else "probabilities"


def _member_facts(index: int, member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "family": member.family,
        "learner": member.learner,
        "model": member.model,
        "folder": f"members/{index}",
        "weight": float(member.weight),
        "temperature": float(member.temperature),
        "settings": dict(member.settings),
        "needs": list(_needs(member) if member.needs is None else member.needs),
    }


def _needs(member: Member) -> Sequence[str]:
    """What the class that predicts says that it needs, or else the one that fits."""
    said: Sequence[str] | None = _imported(member.model).needs
    fitting: Sequence[str] = _imported(member.learner).needs
    return fitting if said is None else said


def _imported(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} can't stand in a model's manifest: {value!r}")


def _to_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk; Windows can't do that for folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(part: Path, folder: Path) -> None:
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(part, folder)
    shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class Part:
    """A part of a source that was predicted, see `LoadedModel.predict_parts`."""

    rows: Any
    inputs: Any
    predictions: np.ndarray
    answers: Any


class LoadedModel:
    """A model to predict with. Made by `load`.

    about: the manifest: its members, what was judged, and with which versions it was made.
    unread: of the last file that it predicted, by column, how many cells could not be read and counted as missing.
    unanswered: of the last file that it predicted, sentences on what got no answer.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any], members: Sequence[Model], codec: Codec) -> None:
        self.folder = folder
        self.about = about
        self.unread: Counter[str] = Counter()
        self.unanswered: list[str] = []
        self._codec = codec
        self._members = members
        self._temperatures = [float(member["temperature"]) for member in about["members"]]
        weights = np.array([float(member["weight"]) for member in about["members"]])
        self._weights = weights / weights.sum()
        self._shape = _shape(about["task"])

    def __repr__(self) -> str:
        names = " + ".join(str(member["name"]) for member in self.about["members"])
        return f"<{type(self).__name__} {names} from {self.folder}>"

    @property
    def codec(self) -> Codec:
        """What it accepts and how it answers: the kind's own."""
        return self._codec

    @property
    def card(self) -> str:
        """The model card, as Markdown."""
        path = self.folder / manifest.CARD
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def predict(self, rows: Any, *, interval: float | None = None) -> Any:
        """A frame with the answer for every row, in their order, and, for classes, their probabilities.

        rows: in any shape that the kind takes: a frame, a list of objects, one object.
        interval: .9 adds the columns `low_90` and `high_90`, between which the truth lies in 90 % of rows like those
            judged (see `intervals`). Raises OptionError for classes, and where too few rows were judged.
        """
        rows = [rows] if isinstance(rows, Mapping) else rows
        inputs = self._codec.encode(rows)
        return self._answered(self.predict_raw(inputs), inputs, interval)

    def explain(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the answer for a row becomes when each column in turn takes its usual value, the largest change first.

        Each has {column, value, usual, with_usual, change}; see `model.explain`. Raises ModelError for models that know
        no usual values: those of data without columns, and those saved by older versions.
        """
        from deepenough.model.explain import changes

        return changes(self, row)

    def _answered(self, predictions: np.ndarray, inputs: Any, interval: float | None) -> Any:
        answers = self._codec.decode(predictions, inputs)
        if interval is None:
            return answers
        low, high = self.intervals.around(predictions, interval)
        level = f"{100 * interval:.6g}"
        return answers.assign(**{f"low_{level}": low, f"high_{level}": high})

    @functools.cached_property
    def intervals(self) -> Intervals:
        """How wrong the judged models were. Raises OptionError where the model has no say about that."""
        if self._shape:
            own = "forecasts come with quantiles" if self.about["task"].get("paths") else "finds come with chances"
            own = "classes come with their probabilities" if len(self._shape) == 1 else own
            raise OptionError(f"--interval is for numbers; {own}.")
        if not self.about.get("intervals"):
            raise OptionError("This model has no residuals to make intervals of: too few rows were judged. Race again.")
        return Intervals.from_json(self.about["intervals"])

    def predict_raw(self, inputs: Any) -> np.ndarray:
        """What the members say of the kind's own inputs, calibrated and blended: probabilities, shape (n, n_classes),
        numbers, shape (n,), quantiles of paths, shape (n, steps, levels), or lists, shape (n, most, 2 + width)."""
        nothing, answers = self._nothing(len(inputs)), []
        if not len(inputs):
            return nothing
        for member, temperature in zip(self._members, self._temperatures, strict=True):
            predictions = np.asarray(member.predict(inputs), dtype=np.float64)
            if predictions.shape != nothing.shape or not np.isfinite(predictions).all():
                name, got = type(member).__name__, predictions.shape
                raise ModelError(f"{name} gave no usable answer: shape {got} where {nothing.shape} was asked for.")
            answers.append(calibration.apply(predictions, temperature))
        return self._codec.blended(answers, self._weights.tolist())

    def onnx(self, graph: Graph) -> Value:
        """The same as an ONNX graph: what `predict_raw` gives. Raises ModelError where a member can't be drawn."""
        self._codec.onnx(graph)
        shares = []
        for member, temperature, weight in zip(self._members, self._temperatures, self._weights, strict=True):
            said = calibration.drawn(graph, member.onnx(graph), temperature, len(self._shape))
            shares.append(graph.put("Mul", said, graph.constant(weight, np.float64)))
        return functools.reduce(lambda one, other: graph.put("Add", one, other), shares)

    def _nothing(self, rows: int) -> np.ndarray:
        return np.zeros((rows, *self._shape))

    def predict_file(self, source: Any, out: Path | str, batch: int = 10_000, *, interval: float | None = None) -> int:
        """Predict a file of any size into a .csv, .parquet or .jsonl, row by row in its order; returns how many rows.

        batch: rows held in memory at once.
        interval: as in `predict`.
        """
        sinks.apart(source, out)
        rows = 0
        with sinks.opened(Path(out)) as sink:
            for part in self.predict_parts(source, batch, interval=interval):
                sink.write(part.answers)
                rows += len(part.inputs)
        return rows

    def predict_parts(self, source: Any, batch: int = 10_000, *, interval: float | None = None) -> Iterator[Part]:
        """Predict a source part by part, in its order: of each the `rows` as they were read, the `inputs` that they
        became, their raw `predictions`, and the frame of `answers`. A source without rows gives one part without any.

        batch: rows held in memory at once.
        interval: as in `predict`.
        """
        rows, self.unread, self.unanswered = 0, Counter[str](), []
        for part in self._codec.batches(source, batch):
            inputs = self._codec.encode(part)
            self.unread.update(self._codec.unread(part, inputs))
            self.unanswered += self._codec.unanswered(inputs)
            if len(inputs):
                yield self._part(part, inputs, interval)
            rows += len(inputs)
        if not rows:
            yield self._part([], self._codec.encode([]), interval)

    def _part(self, rows: Any, inputs: Any, interval: float | None) -> Part:
        predictions = self.predict_raw(inputs)
        return Part(rows, inputs, predictions, self._answered(predictions, inputs, interval))


def _shape(task: Mapping[str, Any]) -> tuple[int, ...]:
    """Of one answer."""
    n_classes, paths, lists = task.get("n_classes"), task.get("paths"), task.get("lists")
    if lists:
        return Lists(*lists).shape
    return (paths[0], len(paths[1])) if paths else () if n_classes is None else (n_classes,)


def load(folder: Path | str, *, trust: Sequence[str] = (), kind: Kind | None = None) -> LoadedModel:
    """The model of a run's folder or of a model's own folder, every file of it verified.

    trust: modules whose Model classes may read the folder, beside Deepenough's own and those of installed packages that
        registered learners.
    kind: what its data are; found by the manifest's name by default.
    """
    place = manifest.locate(Path(folder))
    about = manifest.read(place)
    manifest.verify_files(place, about["files"])
    manifest.require_installed(about["members"])
    classes = [manifest.model_class(member["model"], trust) for member in about["members"]]
    codec = _codec(place, kind or _kind(about["kind"]))
    members = [cls.load(place / "members" / str(index)) for index, cls in enumerate(classes)]
    return LoadedModel(place, about, members, codec)


def _kind(name: str) -> Kind:
    from deepenough import kinds

    found = kinds.find()
    if name not in found:
        known = ", ".join(found)
        raise ModelError(f"The model is for data of the kind {name!r}, which is not installed. Installed: {known}.")
    return found[name]


def _codec(place: Path, kind: Kind) -> Codec:
    try:
        schema = json.loads((place / manifest.SCHEMA).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{place / manifest.SCHEMA} can't be read ({error}).") from error
    return kind.codec_class().from_json(schema)


def verify_same(
    folder: Path, inputs: Any, expected: np.ndarray, tolerance: float = 1e-4, *, loaded: LoadedModel | None = None
) -> float:
    """Load what was saved, predict, and refuse it where it differs from what is expected; returns the difference.

    expected: what the fitted members gave for the inputs, blended; shape as `LoadedModel.predict_raw`.
    tolerance: the largest difference that is let pass; of numbers beyond 1, relative to them.
    """
    again = (loaded or load(folder)).predict_raw(inputs)
    if again.shape != np.shape(expected):
        raise ModelError(f"The saved model gives shape {again.shape}, the fitted one gave {np.shape(expected)}.")
    difference = float(np.max(np.abs(again - expected) / np.maximum(np.abs(expected), 1), initial=0.0))
    if not difference <= tolerance:
        raise ModelError(f"The saved model predicts otherwise than the fitted one, by up to {difference:.2g}.")
    return difference
