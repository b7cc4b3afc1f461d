"""One question about recordings: how long they are read, what hides parts of them, what is odd about them.

Needs that this module answers:

* Recordings keep their lengths up to one that holds nearly all of them; of longer ones the middle is read, and it is
  said.
* What recording itself gives away (a class that came from another device) is found and said: it is no skill.
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from deepenough.errors import SourceError
from deepenough.judge.traits import Trait
from deepenough.kinds import file_store, folders
from deepenough.kinds.audio import copies, decode
from deepenough.kinds.audio.inputs import Recordings
from deepenough.kinds.audio.spectrogram import picture
from deepenough.kinds.copies import Copies
from deepenough.kinds.file_sources import Form
from deepenough.kinds.file_store import Decoded
from deepenough.kinds.file_task import FileTask
from deepenough.kinds.folders import Item
from deepenough.task.rows import Asked
from deepenough.task.task import Question

LONGEST, SHORTEST = 10.0, 0.25
"""Seconds of a recording that are read: at most, unless a person asks for more, and at least."""
NEARLY_ALL = 0.98
"""Share of the recordings that are read whole, where they are no longer than `LONGEST`."""
LOOKED_AT = 300
"""Recordings whose own lengths say how long all are read."""
SILENT = -60.0
"""Decibels under which nobody hears anything."""
SHORT = 0.1
CLIPPED = 0.01
TOLD = 0.5
"""Of the classes beyond the most frequent one: when more can be told by how files were made, it is said."""
FIELDS = 6
"""A side, that are hidden one after the other to hear what an answer goes by: of the tones, and of the time."""
PLAYED, PLAYED_RATE = 4.0, 16_000
"""Seconds that can be played in the report."""
FORM = Form(
    "recording",
    "recordings",
    "audio",
    decode.is_recording,
    "Voices tell who speaks: they are personal data. Nothing of them leaves this machine.",
)


@dataclass(frozen=True)
class RecordingReader:
    """So many seconds of each recording at most."""

    seconds: float

    units = FORM.units
    advice = "read fewer seconds: --seconds"
    dtype = "<f2"
    row = (decode.BANDS,)

    @property
    def key(self) -> str:
        return f"{decode.VERSION} {self.seconds}"

    @property
    def bytes_each(self) -> int:
        return int(self.seconds * decode.RATE / decode.STEP) * decode.BANDS * 2

    def __call__(self, content: bytes) -> tuple[np.ndarray, dict[str, Any]]:
        heard, seen = decode.decoded(content, self.seconds)
        return heard, asdict(seen)


class AudioTask(FileTask):
    """Recordings and the answer to predict, made ready."""

    form: ClassVar[Form] = FORM
    all_inputs: Recordings

    @classmethod
    def reader_for(cls, items: Sequence[Item], question: Question) -> RecordingReader:
        return RecordingReader(seconds_of(items, question.options.get("seconds")))

    @classmethod
    def inputs_of(cls, decoded: Decoded) -> Recordings:
        return Recordings.mapped(decoded.path, decoded.lengths)

    def inputs_like(self, decoded: Decoded) -> Recordings:
        return self.inputs_of(decoded)

    @classmethod
    def copies_of(cls, inputs: Recordings, targets: np.ndarray, apart: bool) -> Copies:
        return copies.of(inputs, targets, apart)

    def beside(self, other: Recordings) -> Recordings:
        return Recordings.of([*self.all_inputs.read(), *other.read()])

    def read_as(self) -> Mapping[str, Any]:
        longest = int(self.all_inputs.lengths.max(initial=1))
        return {"steps": longest, "steps_a_second": decode.RATE // decode.STEP, "bands": decode.BANDS}

    def show(self, fold: int, places: np.ndarray) -> Sequence[Mapping[str, Any]]:
        judged = self.splits.folds[fold].judged[places].tolist()
        return [
            {
                "form": "sound",
                "name": self.names[row],
                "picture": base64.b64encode(picture(self.all_inputs.each(row))).decode("ascii"),
                "sound": self._played(row),
            }
            for row in judged
        ]

    def _played(self, row: int) -> str:
        """A recording as base64 of an MP3, some seconds of its middle; empty where its file is gone."""
        if not self.items:
            return ""
        try:
            samples, _ = decode.samples_of(self.items[row].read(), PLAYED)
            return base64.b64encode(decode.as_file(samples, PLAYED_RATE, "MP3")).decode("ascii")
        except (decode.NoSound, OSError, SourceError):
            return ""

    def occluded(self, units: Sequence[tuple[int, int]]) -> tuple[Any, tuple[int, int]] | None:
        """Each field in turn of its own mean: rows from high tones to low ones, columns from beginning to end."""
        hidden = []
        for fold, place in units:
            heard = self.all_inputs.each(int(self.splits.folds[fold].judged[place]))
            for number in range(FIELDS**2):
                row, column = divmod(number, FIELDS)
                region = (_part(len(heard), column), _part(decode.BANDS, FIELDS - 1 - row))
                changed = heard.copy()
                if changed[region].size:
                    changed[region] = changed[region].mean()
                hidden.append(changed)
        return Recordings.of(hidden), (FIELDS, FIELDS)

    def traits_of(self) -> Sequence[Trait]:
        pitch, pauses = measured(self.all_inputs).T
        return (
            Trait("seconds", self._known("seconds")),
            Trait("loudness", self._known("loudness")),
            Trait("sampling rate", self._known("rate")),
            Trait("height of its tones", pitch),
            Trait("share of pauses", pauses),
        )

    def _known(self, name: str) -> np.ndarray:
        return np.asarray(self.decoded.each(name)[self.order], dtype=np.float64)

    @classmethod
    def say_what_is_odd(cls, inputs: Recordings, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
        _say_what_is_odd(inputs, names, decoded, asked)


def _part(length: int, which: int) -> slice:
    return slice(which * length // FIELDS, (which + 1) * length // FIELDS)


def measured(recordings: Recordings) -> np.ndarray:
    """Of each recording the middle of its power in hertz, and the share of its steps in which it is far less loud than
    where it is loudest; float64, shape (n, 2)."""
    found = np.empty((len(recordings), 2))
    for row, heard in enumerate(recordings.read()):
        power = np.exp(heard.astype(np.float64))
        loudness = np.log(power.sum(axis=1))
        found[row] = power.sum(axis=0) @ decode.centres() / power.sum(), (loudness < loudness.max() - 6).mean()
    return found


def seconds_of(items: Sequence[Item], wanted: int | None) -> float:
    """Seconds that are read of each recording at most. wanted: those that a person asked for."""
    if wanted:
        return float(wanted)
    lengths = []
    for item in items[:: max(1, len(items) // LOOKED_AT)]:
        try:
            lengths.append(decode.length_of(item.read()))
        except (decode.NoSound, OSError, SourceError):
            continue
    nearly = float(np.quantile(lengths, NEARLY_ALL)) if lengths else LONGEST
    by_room = file_store.LARGEST_BYTES / max(1, len(items)) / (decode.RATE / decode.STEP * decode.BANDS * 2)
    return round(max(SHORTEST, min(math.ceil(4 * nearly) / 4, LONGEST, by_room)), 2)


def _say_what_is_odd(recordings: Recordings, names: Sequence[str], decoded: Decoded, asked: Asked) -> None:
    notes = asked.found.notes
    seconds, loudness = decoded.each("seconds"), decoded.each("loudness")
    read = float(recordings.lengths.max(initial=1)) * decode.STEP / decode.RATE
    notes.append(
        f"Recordings are read as {decode.BANDS} bands of tones up to {decode.RATE // 2:,} Hz, "
        f"{decode.RATE // decode.STEP} times a second; half of them last {np.median(seconds):.1f} seconds or more."
    )
    longer = int((seconds > read + 0.1).sum())
    if longer:
        notes.append(f"{longer:,} are longer than {read:.1f} seconds: their middle is read; --seconds asks for more.")
    for which, said in (
        (loudness < SILENT, "hold nothing that can be heard"),
        (seconds < SHORT, f"are shorter than {SHORT} seconds; they are raced"),
        (decoded.each("clipped") > CLIPPED, "are too loud for their format: their peaks are cut"),
    ):
        if which.any():
            shown = folders.shown([names[place] for place in np.flatnonzero(which).tolist()], 3)
            notes.append(f"{int(which.sum()):,} {said}: {shown}.")
    if (loudness < SILENT).mean() > 0.5:
        asked.found.flag("empty", "distrust", f"{int((loudness < SILENT).sum()):,} of {len(names):,} hold no sound")
    _doubt_devices(decoded, asked)


def _doubt_devices(decoded: Decoded, asked: Asked) -> None:
    """Warn where the class can be told by how a file was made, whatever is heard on it."""
    if asked.target.n_classes is None:
        return
    from deepenough.kinds.file_task import PLACE

    order = asked.frame.column(PLACE).values.astype(np.int64)
    classes = asked.target.values.astype(np.int64)
    made = [(f"{seen['rate']:,} Hz", seen["channels"], seen["format"]) for seen in decoded.seen]
    by_device: dict[Any, Counter[int]] = {}
    for place, label in zip(order.tolist(), classes.tolist(), strict=True):
        by_device.setdefault(made[place], Counter())[label] += 1
    told = sum(counts.most_common(1)[0][1] for counts in by_device.values()) / len(classes)
    usual = np.bincount(classes).max() / len(classes)
    if len(by_device) > 1 and told > usual + (1 - usual) * TOLD:
        kinds = folders.shown([f"{rate} {form}" for rate, _, form in by_device], 4)
        asked.found.flag(
            "devices",
            "warn",
            f"the class of {told:.0%} could be told by rate, channels and format of the files alone ({kinds}): what "
            "was recorded with another device may be recognised by the device",
        )
