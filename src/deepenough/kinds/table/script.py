"""What scripts about a table share: its constants, how it is read, and which of its rows are fitted on and judged.

Needs that this module answers:

* A script repeats the race or is refused: what it would read otherwise (numbers with units, texts, pictures, a sample
  of a larger file, weights) is named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds.answers import Answers
from deepenough.kinds.table import script_text as text
from deepenough.kinds.table.prepare import Encoder
from deepenough.script import Fit, Script
from deepenough.task.parsing import MISSING

SEPARATORS = (",", ";", "\t", "|")
WRITTEN = {"words": text.TRUTH_OF_WORDS, "logical": text.TRUTH_OF_WORDS}


def script(
    task: Any,
    fits: Sequence[Fit],
    needs: Sequence[str],
    constants: Sequence[tuple[str, Any, str]],
    functions: Sequence[str],
    chosen: Callable[[Any], Mapping[str, Any]],
    watched: bool = False,
) -> Script:
    """The script of a learner: its own constants and functions behind those of the table.

    needs: modules beside numpy and pandas. chosen: what was chosen in a fit, of its model.
    watched: whether levels are learnt of rows that are not fitted on too.
    """
    reading, how = _reading(task)
    encoder = _encoder(fits[0].model)
    _refuse(task, fits)
    is_class = task.n_classes is not None
    truth = WRITTEN.get(task.target.written, text.TRUTH_OF_NUMBERED) if is_class else text.TRUTH_OF_A_NUMBER
    calibration = [text.CALIBRATED] if is_class else []
    blurred = any(_is_blurred(_encoder(fit.model)) for fit in fits)
    plain = not blurred and all(role != "date" for _, role in encoder.columns)
    numbers = text.NUMBERS.replace("{sharp}", text.SHARP if blurred else "")
    numbers = text.PLAIN_NUMBERS if plain else numbers.replace("{sharpened}", text.SHARPENED if blurred else "")
    pieces = [text.READ.replace("{reading}", reading), truth, numbers, text.CODES, *calibration, *functions]
    parts = {fit.fold: _parts(task, fit, watched) for fit in fits}
    told = {
        fit.fold: {"seed": fit.seed % 2**31}
        | dict(chosen(fit.model))
        | ({"temperature": fit.temperature} if is_class else {})
        for fit in fits
    }
    known = [*how, *_columns(task, encoder, plain), *constants]
    return Script(needs, known, "\n".join(pieces), told, parts)


def dense(fits: Sequence[Fit], scaling: str, one_hot_up_to: int) -> list[str]:
    """The functions that make a matrix without holes. scaling, one_hot_up_to: as `Dense` has them."""
    ranked, n_classes = scaling in ("ranks", "both"), fits[0].model.answers.n_classes
    large = any(size > one_hot_up_to for fit in fits for size in _encoder(fit.model).cardinalities)
    blocks = [*([] if scaling == "ranks" else ["filled"]), *(["ranks(*filled)"] if ranked else [])]
    filled = text.DENSE
    for name, value in {
        "{ranks_said}": " and their ranks" if scaling == "both" else " as ranks" if ranked else "",
        "{blocks}": ", ".join(blocks),
        "{large_said}": text.LARGE_SAID if large else "",
        "{large}": text.LARGE if large else "",
        "{small}": text.SMALL if large else "enumerate(sizes)",
        "{scaling}": "" if scaling == "raw" else text.STANDARD,
    }.items():
        filled = filled.replace(name, value)
    goals = text.GOALS_OF_A_NUMBER if n_classes is None else text.GOALS_OF_CLASSES
    averages = [text.AVERAGES.replace("{goals}", goals)] if large else []
    return [filled, *averages, *([text.RANKED] if ranked else [])]


def _encoder(model: Any) -> Encoder:
    encoder: Encoder = model.dense.encoder if hasattr(model, "dense") else model.encoder
    return encoder


def _reading(task: Any) -> tuple[str, list[tuple[str, Any, str]]]:
    """The call that reads the file, and its constants."""
    import pandas as pd

    facts = task.source
    form, path = facts.get("format"), facts.get("path")
    if not path or form not in ("csv", "parquet"):
        raise ModelError("Scripts read CSV and Parquet files; the race read its rows from elsewhere. Save them as one.")
    if facts.get("rows_in_source") != facts.get("rows"):
        raise ModelError("The race read a sample of a larger file, which a short script can't draw again.")
    name = [("DATA", facts["name"], "")]
    if form == "parquet":
        return text.READ_PARQUET, name
    encoding = facts.get("encoding") or "utf-8"
    wanted = {column.part for column in task.table.columns} | {task.target.name}
    for separator in SEPARATORS:
        with contextlib.suppress(ValueError, LookupError, OSError):  # what pandas can't read so, a script can't either
            header = pd.read_csv(path, dtype=str, nrows=0, sep=separator, encoding=encoding)
            if wanted <= {str(column).strip() for column in header.columns}:
                return text.READ_CSV, [*name, ("SEPARATOR", separator, ""), ("ENCODING", encoding, "")]
    raise ModelError("The file has no plain header with the names of all columns: no short script reads it.")


def _columns(task: Any, encoder: Encoder, plain: bool) -> list[tuple[str, Any, str]]:
    by_role: dict[str, list[str]] = {role: [] for role in ("number", "date", "category")}
    for name, role in encoder.columns:
        by_role[role].append(name)
    forms = {name: task.raw[name].reading or "iso" for name in by_role["date"]}
    logical = any(task.raw[name].reading == "logical" for name in by_role["category"])
    logical = logical or task.target.written == "logical"
    measured = [name for name, role in encoder.columns if role != "category"]
    target: list[tuple[str, Any, str]] = [("TARGET", task.target.name, "")]
    if task.n_classes is not None:
        numbered = task.target.written not in WRITTEN
        names = [float(name) for name in task.target.classes] if numbered else list(task.target.classes)
        target.append(("CLASSES", names, ""))
    return [
        *target,
        ("NUMBERS", by_role["number"], ""),
        ("DATES", {name: "ISO8601" if form == "iso" else form for name, form in forms.items()}, ""),
        ("CATEGORIES", by_role["category"], ""),
        *([] if plain else [("MEASURED", measured, "Numbers and dates, in order.")]),
        ("MISSING", sorted(MISSING), "What stands for nothing, in lower case."),
        ("TRUTH_VALUES", ["true", "false"] if logical else [], "Levels that may be written in any case."),
    ]


def _is_blurred(encoder: Encoder) -> bool:
    """Whether a float32 would blur a number of it."""
    return bool(encoder.shifts.any() or (encoder.units != 1).any())


def _refuse(task: Any, fits: Sequence[Fit]) -> None:
    """Raise ModelError where a script would not do what the race did."""
    if task.weighs is not None:
        raise ModelError("The race gave its rows weights, which scripts do not know.")
    for column in task.table.columns:
        if column.role == "text" or column.of:
            raise ModelError(f"The column {column.part!r} holds texts or pictures, which scripts do not know.")
        if column.role == "number" and task.raw[column.name].reading:
            raise ModelError(f"The column {column.name!r} holds numbers in a style that scripts do not know.")
    every = tuple(range(task.n_classes or 0))
    if any(fit.model.answers.present != every for fit in fits):
        raise ModelError("Some fold learnt from no row of some class, which scripts do not know.")


def _parts(task: Any, fit: Fit, watched: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the file: fitted on, looked at only, judged. Whether the model was fitted again with the rows that it had
    stopped on is told by what it knows of its targets."""
    rows, inner = task.splits.train(fit.n_train, fit.fold, fit.seed)
    outer = np.setdiff1d(np.arange(len(rows)), inner)
    in_file, judged = task.target.rows, task.splits.folds[fit.fold].judged
    for fitted in (np.arange(len(rows)), outer):
        if Answers.of(task.targets[rows[fitted]], task.n_classes) == fit.model.answers:
            own = np.zeros(len(rows), dtype=bool)
            own[fitted] = True
            if watched:
                return in_file[rows], own, in_file[judged]
            return in_file[rows[fitted]], np.ones(len(fitted), dtype=bool), in_file[judged]
    raise ModelError("Which rows its models were fitted on can't be told any more: race again.")
