"""One question about what comes next: series made ready, windows that learn, rolling origins that are judged.

Needs that this module answers:

* The future never helps: who is judged from a moment on learnt from nothing after it, and sees nothing after its own
  origin but the covariates that a person named as known in advance.
* Windows overlap and are not independent: those that share their steps are one observation, and it is said where there
  are few of them.
* A thousand series of a thousand steps fit: windows point into one pool, and no more are drawn than are needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepenough.errors import OptionError, SourceError, TargetError
from deepenough.evidence import Units
from deepenough.judge.metrics import Metric
from deepenough.judge.stats import count_clusters
from deepenough.kinds.forecast import grid, metrics, moments
from deepenough.kinds.forecast.grid import Columns, Said, Series
from deepenough.kinds.forecast.inputs import Layout, Windows
from deepenough.kinds.forecast.pool import Pool, folds, longest
from deepenough.kinds.forecast.steps import Step
from deepenough.learner import Examples, Paths
from deepenough.task import source as sources
from deepenough.task.frame import Frame, Raw
from deepenough.task.splits import inner_count
from deepenough.task.task import Question, SupervisedMetric, SupervisedTask

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_WINDOWS, MOST_JUDGED = 200_000, 2_000
"""To learn from, and to judge in each fold."""
MANY_SERIES = 20
"""With so many series each is one observation, beside what all share in a stretch of time; with fewer it is the stretch
alone."""
FEW_CLUSTERS, TOO_FEW_CLUSTERS = 10, 4
SHOWN_STEPS = 90
RARE = 0.5
"""Of the rows, that leave a covariate of numbers empty, if none of it need be known ahead."""
MOST_ROWS = 4_000_000
MOST_KEPT_BYTES = 2**25
"""Judged windows of a fold that take no more are made once a race, not once a trial."""
MOST_TARGETS = 20_000_000
"""Windows times steps to learn from: 160 MB of numbers."""
REFUSED = {
    "group": "series are told apart by --series",
    "folds": "folds follow the time",
    "weights": "every window weighs the same",
    "positive": "it is for classes",
}


class ForecastTask(SupervisedTask):
    """Series and the number to forecast, made ready.

    pool: windows of everything, whose arrays hold all series, each followed by `horizon` steps.
    """

    judging, splitting, n_classes = "folds", "time", None
    new_source = ("new.csv", "the history up to now, and below it the coming steps with what is known of them")

    def __init__(
        self,
        frame: Frame,
        columns: Columns,
        question: Question,
        step: Step,
        series: Sequence[Series],
        said: Said,
    ) -> None:
        horizon = int(question.options["horizon"])
        self.columns_of, self.series, self.step = columns, list(series), step
        lowest = min(float(np.nanmin(own.values)) for own in series)
        seasons = grid.found_seasons(step, series)
        known, past = columns.named(columns.known), columns.named(columns.past)
        self.layout = Layout(horizon, LEVELS, seasons, step, known, past, 0.0 if lowest >= 0 else None)
        self.paths = Paths(horizon, LEVELS)
        self.metric: Metric = metrics.find(question.metric, LEVELS)
        self.seed, self.source = question.seed, dict(frame.facts)
        self._zoned = moments.are_zoned(frame, columns.time)
        self._pool = Pool(self.series, self.layout)
        parts = folds(self._pool)
        if not parts:
            raise _too_long(self.series, self.layout)
        self._say_what_is_odd(said)
        self._cuts = [part.cut for part in parts]
        self._training = [self._order(part.learnt, fold) for fold, part in enumerate(parts)]
        self._judged = [self._thinned(part.judged, fold) for fold, part in enumerate(parts)]
        self._inputs: dict[int, Windows] = {}
        self.folds = len(self._judged)
        self.largest = min(map(len, self._training))
        self.smallest = min(self.largest, 32)
        self.rows, self.columns = len(self._pool.learnable(None)), 1 + len(known) + len(past)
        self._doubt(said)
        self.set_aside, self.flags = tuple(said.set_aside), tuple(said.flags)
        self.notes = (*frame.notes, *said.notes)
        self.question_facts = self._facts(question)

    def _facts(self, question: Question) -> dict[str, Any]:
        count, target = len(self.series), self.columns_of.target
        whose = f" for each of {count:,} series" if count > 1 else ""
        return {
            "target": target,
            "task": "quantiles of what comes next",
            "time": self.columns_of.time,
            "classes": [],
            "metric": self.metric.name,
            "weighted": False,
            "paths": [self.layout.horizon, list(LEVELS)],
            "step": self.step.words,
            "season": self.layout.season,
            "about": f"{target!r} is forecast {self.layout.horizon:,} {self.step.words} ahead{whose}; each row of the "
            "race is a moment from which it is",
        }

    def _say_what_is_odd(self, said: Said) -> None:
        layout, series = self.layout, self.series
        if holes := grid.gaps(series):
            said.notes.append(f"{holes:,} {self.step.words} within the series have no value.")
        season = f"a season of {layout.season:,} of them" if layout.seasons else "no season"
        others = "".join(f", and one of {length:,}" for length in layout.seasons[1:])
        said.notes.append(f"Time goes in {self.step.words}; {season} is looked for{others}.")
        constant = [own.name for own in series if np.nanmax(own.values) == np.nanmin(own.values)]
        if constant:
            unit = "they are measured by the unit of the others"
            said.notes.append(f"{len(constant):,} series never change{some(constant)}; {unit}.")
        short = [own.name for own in series if len(own.values) < layout.season]
        if short and layout.seasons:
            said.notes.append(f"{len(short):,} series are shorter than a season{some(short)}.")
        if layout.past:
            shown = ", ".join(layout.past[:8])
            said.notes.append(f"Known up to the present only: {shown}. What is known in advance is named by --known.")

    def _order(self, at: np.ndarray, fold: int) -> np.ndarray:
        """The most recent origins first, series in a drawn order; older ones thinned where there are too many."""
        rng = np.random.default_rng([self.seed, 1, fold])
        most = min(MOST_WINDOWS, MOST_TARGETS // self.layout.horizon)
        mixed = rng.permutation(at)
        mixed = mixed[np.argsort(-self._pool.places[mixed], kind="stable")]
        near, rest = mixed[: most // 2], mixed[most // 2 :]
        if len(mixed) <= most:
            return mixed
        return np.concatenate([near, rest[np.linspace(0, len(rest) - 1, most - len(near)).astype(np.int64)]])

    def _thinned(self, found: np.ndarray, fold: int) -> np.ndarray:
        """Origins that are judged: of all series about as many, evenly over the fold's time."""
        if len(found) <= MOST_JUDGED:
            return found
        rng = np.random.default_rng([self.seed, 2, fold])
        owners, first, counts = np.unique(self._pool.owner[found], return_index=True, return_counts=True)
        each = -(-MOST_JUDGED // len(owners))
        kept = []
        for start, count in zip(first.tolist(), counts.tolist(), strict=True):
            own = min(each, count)
            kept.append(start + ((np.arange(own) + rng.random()) * count / own).astype(np.int64))
        places = rng.permutation(np.concatenate(kept))[:MOST_JUDGED]
        return np.asarray(found[np.sort(places)])

    def _doubt(self, said: Said) -> None:
        clusters = count_clusters(np.concatenate([self.units(fold).clusters for fold in range(self.folds)]))
        what = "series" if len(self.series) >= MANY_SERIES else f"stretches of {self.layout.horizon} {self.step.words}"
        if clusters < TOO_FEW_CLUSTERS:
            reason = f"{clusters} {what} are too few to judge on; {TOO_FEW_CLUSTERS} are the least"
            said.flags.append({"flag": "too_few", "severity": "distrust", "reason": reason})
        elif clusters < FEW_CLUSTERS:
            reason = f"{clusters} {what} are few to judge on: moments near each other are no independent proof"
            said.flags.append({"flag": "few_stretches", "severity": "warn", "reason": reason})

    def train(self, n_train: int, fold: int, seed: int) -> Examples:
        return self._examples(self._training[fold][:n_train], self._cuts[fold])

    def everything(self, seed: int) -> Examples:
        return self._examples(self._order(self._pool.learnable(None), self.folds), None)

    def _examples(self, at: np.ndarray, cut: int | None) -> Examples:
        inner = np.sort(np.argsort(-self._pool.places[at], kind="stable")[: inner_count(len(at))])
        windows, targets = self._pool.windows(at, cut), self._pool.targets(at, cut)
        return Examples(windows, targets, None, inner.astype(np.int64), paths=self.paths)

    def inputs(self, fold: int) -> Windows:
        if fold not in self._inputs:
            found = self._pool.windows(self._judged[fold], None).closed()
            if found.values.nbytes + found.times.nbytes + found.covariates.nbytes > MOST_KEPT_BYTES:
                return found
            self._inputs[fold] = found
        return self._inputs[fold]

    def truth(self, fold: int) -> np.ndarray:
        at = self._judged[fold]
        scale = self._pool.scales(self._cuts[fold])[self._pool.owner[at]]
        return np.column_stack([self._pool.targets(at, None), scale])

    def units(self, fold: int) -> Units:
        at = self._judged[fold]
        clusters = (self._pool.places[at] // self.layout.horizon).astype(np.int64)
        if len(self.series) >= MANY_SERIES:
            clusters = np.stack([self._pool.owner[at], clusters], axis=1)
        return Units(at.astype(np.int64), np.full(len(at), fold, dtype=np.int64), clusters)

    def metrics(self) -> Sequence[SupervisedMetric]:
        known = metrics.all_of(LEVELS)
        judged: Any = known[self.metric.name]
        return [judged, *(metric for name, metric in known.items() if name != self.metric.name)]

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        windows = self.inputs(fold).take(places)
        length = int(np.clip(3 * self.layout.horizon, 24, SHOWN_STEPS))
        shown = []
        for row in range(len(windows)):
            one = windows.take(np.array([row]))
            history = [None if np.isnan(value) else float(f"{value:.5g}") for value in one.history(length)[0].tolist()]
            starts = self.step.shown(float(one.times_ahead()[0, 0]))
            shown.append({"form": "path", "name": one.names[int(one.series[0])], "starts": starts, "history": history})
        return shown

    def said_of_drivers(self, drivers: Sequence[Mapping[str, Any]]) -> Sequence[str]:
        from deepenough.kinds.forecast import reach

        return reach.sentences(drivers, self.step.words)

    def told_together(self, part: str) -> bool:
        from deepenough.kinds.forecast import reach

        return reach.is_age(part)

    def found(self, alpha: float) -> Sequence[Mapping[str, Any]]:
        """Seasons and events."""
        from deepenough.kinds.forecast import seasons

        told = (self.layout.season, (*self.layout.known, *self.layout.past), self.columns_of.target, alpha, self._zoned)
        return list(seasons.found(self.series, self.step, *told))

    def describe(self) -> dict[str, Any]:
        """The series in plain values."""
        lengths = [len(own.values) for own in self.series]
        return {
            "rows": self.rows,
            "series": len(self.series),
            "steps": {"shortest": min(lengths), "median": float(np.median(lengths)), "longest": max(lengths)},
            "columns": [{"name": name, "role": "known"} for name in self.layout.known]
            + [{"name": name, "role": "past"} for name in self.layout.past],
            "target": dict(self.question_facts),
            "splits": {"judging": self.judging, "splitting": self.splitting, "folds": self.folds},
        }


def _too_long(series: Sequence[Series], layout: Layout) -> OptionError:
    """What is said where no fold is left."""
    most = max(len(own.values) for own in series)
    history = f"the longest history has {most:,} {layout.step.words}"
    if able := longest(series, layout):
        told = f"--horizon {layout.horizon} is longer than can be judged: {history}"
        return OptionError(f"{told}. Take at most {able:,}, or give longer ones.")
    return OptionError(f"There is too little to learn from and to judge: {history}. Give longer ones.")


def some(names: Sequence[str]) -> str:
    """The first of these names, in brackets."""
    shown = ", ".join(repr(name) for name in names[:3] if name)
    return f" ({shown}{', ...' if len(names) > 3 else ''})" if shown else ""


def load(source: Any, question: Question) -> ForecastTask:
    """Read a source and make its task ready. Raises an InputError that says what to do where it can't."""
    for name, why in REFUSED.items():
        if getattr(question, name) is not None:
            raise OptionError(f"--{name} is not heeded where what comes next is forecast: {why}. Leave it out.")
    ids = tuple(question.options.get("series") or ())
    return make(whole(source, question.options, question.seed, ids), question)


def whole(source: Any, options: Mapping[str, Any] | None = None, seed: int = 0, ids: Sequence[str] = ()) -> Frame:
    """All rows of a source. Raises SourceError where these are too many: a sample would leave holes in every series.

    ids: columns that tell series apart, which are read as they stand.
    """
    frame = sources.read(source, options, max_rows=MOST_ROWS, seed=seed, ids=ids)
    if (rows := frame.facts["rows_in_source"]) > frame.rows:
        raise SourceError(
            f"The source has {rows:,} rows of {len(frame.columns)} columns; {frame.rows:,} of them can be read. Give "
            "fewer series or columns, or a coarser step."
        )
    return frame


def make(frame: Frame, question: Question) -> ForecastTask:
    """The task of rows that were read."""
    if question.target is None:
        raise OptionError("No column to forecast was named: --target COLUMN.")
    if not question.options.get("horizon"):
        raise OptionError("How far ahead is to be forecast was not said: --horizon STEPS.")
    frame.column(question.target)
    said = Said()
    columns = _columns(frame, question, said)
    step, series = grid.read(frame, columns, said)
    grid.check_regular(series, step, columns, frame)
    series = _long_enough(series, question, said)
    return ForecastTask(frame, columns, question, step, series, said)


def _columns(frame: Frame, question: Question, said: Said) -> Columns:
    """Which columns are what; those that are of no use are set aside with the reason."""
    series = tuple(question.options.get("series") or ())
    known = tuple(question.options.get("known") or ())
    time = question.time or _only_date(frame, said)
    for name in series:
        frame.column(name, "--series")
    for name in known:
        frame.column(name, "--known")
    for name in question.drop:
        frame.column(name, "--drop")
    named = (time, question.target, *series)
    if double := [name for name in (*series, *known) if name in (time, question.target)] or set(series) & set(known):
        raise OptionError(f"{next(iter(double))!r} is named for two things. Name another column for one of them.")
    past, levels = [], {}
    for column in frame.columns:
        if column.name in named:
            continue
        if column.name in question.drop:
            said.set_aside.append({"name": column.name, "reason": "you dropped it"})
            continue
        if column.name in known and (own := _levels(column)):
            levels[column.name] = own
            if column.missing.any():
                said.notes.append(
                    f"{column.name!r} is empty in {int(column.missing.sum()):,} rows: none of its values."
                )
        elif reason := _useless(column, column.name in known):
            said.set_aside.append({"name": column.name, "reason": reason})
        elif column.name not in known:
            past.append(column.name)
    gone = {item["name"] for item in said.set_aside}
    known = tuple(name for name in known if name not in gone)
    reading = moments.reading_of(frame, time)
    if reading:
        said.notes.append(f"The moments in {time!r} were read as {reading}.")
    rare = tuple(name for name in known if name not in levels and frame.column(name).missing.mean() > RARE)
    target = str(question.target)
    return Columns(time, target, series, known, tuple(past), levels, reading, none=True, rare=rare, as_it_stands=True)


def _levels(column: Raw) -> tuple[str, ...]:
    """Of a covariate of words its levels; of a flag, which holds one value or is empty, that one; else none."""
    told = {value for value in column.strings() if value is not None} if _is_constant(column) else set()
    if column.form != "date" and len(told) == 1 and column.missing.any():
        return tuple(told)
    words = column.form == "words" and column.reading != "logical"
    return column.levels if words and 1 < len(column.levels) <= grid.MOST_LEVELS else ()


def _is_constant(column: Raw) -> bool:
    """Whether all values that are there are the same."""
    present = column.values[~column.missing]
    return bool((present == present[:1]).all())


def _useless(column: Raw, known: bool) -> str:
    """Why a column can be no covariate; empty where it can."""
    if column.missing.all():
        return "empty: no row has a value"
    if _is_constant(column):
        return f"constant: every row {'that has a value ' if column.missing.any() else ''}has the same value"
    if column.form == "date":
        return "dates beside the time of each row are not used"
    if column.form == "words" and column.reading != "logical":
        if known:
            return f"{len(column.levels):,} different words: only covariates of up to {grid.MOST_LEVELS} are used"
        return "words are used only if they are known in advance (--known)"
    return ""


def _only_date(frame: Frame, said: Said) -> str:
    """The only column of dates, where no time was named."""
    dates = [column.name for column in frame.columns if column.form == "date"]
    if len(dates) != 1:
        what = f"there are {len(dates)} columns of dates ({', '.join(dates)})" if dates else "no column holds dates"
        raise OptionError(f"What comes next needs an order in time: name its column with --time ({what}).")
    said.notes.append(f"{dates[0]!r} is taken as the time of each row: it is the only column of dates.")
    return dates[0]


def _long_enough(series: Sequence[Series], question: Question, said: Said) -> list[Series]:
    kept = []
    for own in series:
        if np.isfinite(own.values).sum() < 3:
            said.set_aside.append({"name": own.name, "reason": "it has fewer than 3 values"})
        else:
            kept.append(own)
    if not kept:
        raise TargetError(f"No series of {question.target!r} has 3 values or more: there is nothing to forecast from.")
    return kept
