"""The sets of documents, series and pictures that benchmarks run on: shipped ones, and those of a folder you name."""

from __future__ import annotations

import argparse
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tables

from deepenough import kinds
from deepenough.kinds import Kind
from deepenough.task.task import Question

SHIPPED = tables.SHIPPED
LEVELS = ("_5", "_25", "", "_75", "_95"), (0.05, 0.25, 0.5, 0.75, 0.95)
"""What forecasts of each quantile are called, after the target, and which these are."""
ORIGINS = 40
"""Moments that are forecast from in what was held out, at most."""


@dataclass(frozen=True)
class Bench:
    """One set: its file, and the arguments of `deepenough.race` that ask the question."""

    name: str
    path: Path
    asked: Mapping[str, Any]

    def frame(self) -> Any:
        """All rows, as a pandas frame."""
        import pandas as pd

        if self.path.suffix == ".zip":
            return _documents(self.path) if "text" in self.asked else _files(self.path)
        return pd.read_parquet(self.path) if self.path.suffix == ".parquet" else pd.read_csv(self.path)

    def halves(self) -> tuple[Any, Any]:
        """What is learnt from and what is held out: a fifth of the rows at random, or the last fifth of the time."""
        frame = self.frame()
        if self.is_forecast:
            moments = np.sort(frame[self.asked["time"]].unique())
            cut = moments[round(0.8 * len(moments)) - 1]
            return frame[frame[self.asked["time"]] <= cut], frame
        held_out = np.random.default_rng(0).permutation(len(frame)) % 5 == 0
        return frame[~held_out].reset_index(drop=True), frame[held_out].reset_index(drop=True)

    def task(self, frame: Any, seed: int) -> tuple[Kind, Any]:
        """The kind that recognises the frame and the question, and its task."""
        of_kind = {name: value for name, value in self.asked.items() if name not in ("target", "time")}
        asked = Question(self.asked["target"], time=self.asked.get("time"), seed=seed, options=of_kind)
        kind, _ = kinds.recognise(frame, asked, list(kinds.find().values()))
        return kind, kind.load(frame, asked)

    @property
    def is_forecast(self) -> bool:
        """Whether what comes next is asked."""
        return "horizon" in self.asked

    def losses(self, model: Any, train: Any, held_out: Any) -> np.ndarray:
        """Of a model on what was held out: log loss of each row, or scaled pinball loss of the forecasts from each
        moment; lower is better."""
        return self._pinball(model, train, held_out) if self.is_forecast else self._log_loss(model, held_out)

    def _log_loss(self, model: Any, held_out: Any) -> np.ndarray:
        answers = model.predict(held_out.drop(columns=self.asked["target"]))
        truth = held_out[self.asked["target"]].astype(str)
        given = [answers.at[row, f"probability_{name}"] for row, name in enumerate(truth)]
        return np.asarray(-np.log(np.clip(given, 1e-15, 1)))

    def _pinball(self, model: Any, train: Any, frame: Any) -> np.ndarray:
        """From each of some moments the next steps, each series in units of its own naive error before the cut."""
        import pandas as pd

        target, time, series = self.asked["target"], self.asked["time"], list(self.asked.get("series", ()))
        horizon, known = self.asked["horizon"], list(self.asked.get("known", ()))
        frame = frame.assign(**{time: pd.to_datetime(frame[time])})
        moments, last = np.sort(frame[time].unique()), pd.to_datetime(train[time]).max()
        first = int(np.searchsorted(moments, np.datetime64(last)))
        origins = np.unique(np.linspace(first, len(moments) - horizon - 1, ORIGINS).astype(int))
        past = frame[frame[time] <= last].sort_values(time)
        naive = (past.groupby(series)[target] if series else past[target]).diff().abs()
        unit = naive.groupby([past[name] for name in series]).mean() if series else float(naive.mean())
        losses = []
        for origin in origins.tolist():
            seen = frame[frame[time] <= moments[origin]]
            ahead = frame[(frame[time] > moments[origin]) & (frame[time] <= moments[origin + horizon])]
            blank = [name for name in frame if name not in (time, *series, *known)]
            given = pd.concat([seen, ahead.assign(**dict.fromkeys(blank, np.nan))])
            answers = model.predict(given).astype({time: "datetime64[ns]"})
            both = answers.merge(ahead[[*series, time, target]], on=[*series, time], suffixes=("", "_came"))
            scale = both.set_index(series).index.map(unit).to_numpy() if series else unit
            levels = []
            for name, level in zip(*LEVELS, strict=True):
                off = (both[f"{target}_came"] - both[f"{target}{name}"]).to_numpy()
                levels.append(np.nanmean(2 * np.maximum(level * off, (level - 1) * off) / scale))
            losses.append(np.mean(levels))
        return np.array(losses)


def _documents(path: Path) -> Any:
    """A zip with a folder a class, as a frame of `text` and `kind`."""
    import pandas as pd

    with zipfile.ZipFile(path) as archive:
        files = sorted(name for name in archive.namelist() if name.endswith(".txt"))
        rows = [(archive.read(name).decode("utf-8"), Path(name).parent.name) for name in files]
    return pd.DataFrame(rows, columns=["text", "kind"])


def _files(path: Path) -> Any:
    """A zip of pictures, recordings or clips with a folder a class, unpacked, as a frame of `file` and `kind`."""
    import pandas as pd

    place = Path(tempfile.gettempdir()) / f"deepenough-benchmarks-{os.getuid()}" / path.stem
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith((".png", ".wav", ".mp4")))
        if not all((place / name).is_file() for name in names):
            archive.extractall(place, names)
    return pd.DataFrame([(str(place / name), Path(name).parent.name) for name in names], columns=["file", "kind"])


_RIDES = {"target": "bikers", "time": "time", "known": ["holiday", "workingday"]}
SETS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "mails": ("mails.zip", {"target": "kind", "text": ["text"]}),
    "topics": ("topics.parquet", {"target": "topic", "text": ["text"]}),
    "rides_a_day": ("bikes.csv", _RIDES | {"horizon": 24}),
    "stations": (
        "stations.csv",
        {"target": "rides", "time": "day", "series": ["station"], "horizon": 14, "known": ["holiday"]},
    ),
    "nights": ("nights.csv", {"target": "nights", "time": "quarter", "series": ["region"], "horizon": 4}),
    "days": ("days.parquet", {"target": "kind"}),
    "tweets": ("tweets.parquet", {"target": "source", "text": ["text"]}),
    "demand": ("demand.csv", {"target": "demand", "time": "time", "known": ["workday"], "horizon": 48}),
    "jobs": ("jobs.csv", {"target": "employed", "time": "month", "series": ["series"], "horizon": 12}),
    "houses": ("houses.csv", {"target": "sales", "time": "time", "series": ["city"], "horizon": 12}),
    "fashion": ("fashion.zip", {"target": "kind", "image": "file"}),
    "digits": ("digits.zip", {"target": "kind", "image": "file"}),
    "motions": ("motions.zip", {"target": "kind", "video": "file"}),
    "prompts": ("prompts.zip", {"target": "kind", "audio": "file"}),
    "births": ("births.csv", {"target": "births", "time": "day", "series": ["state"], "horizon": 14}),
}
"""By name the file, and what is asked of it; README.md says where each comes from, `make_sets.py` makes them."""


def find(names: Sequence[str], folder: Path | None) -> Iterator[Bench]:
    """Those of the named sets that are there; the others are said to be missing, never left out in silence."""
    for name in names:
        file, asked = SETS[name]
        path = next((place / file for place in (folder, SHIPPED) if place and (place / file).exists()), None)
        if path is None:
            print(f"{name}: not there; put {file} into the folder that --data names")
        else:
            yield Bench(name, path, asked)


def arguments(about: str, names: Sequence[str] = tuple(SETS)) -> argparse.ArgumentParser:
    """A parser with the options that all of these benchmarks have."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--sets", nargs="+", choices=names, default=list(names), metavar="NAME")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder with more of the sets")
    return parser


show = tables.show
