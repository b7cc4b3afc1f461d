"""What one step of time is: so many seconds, months or business days, or a plain number; moments to steps and back.

Needs that this module answers:

* Months, quarters and years have no one length; weeks of business have days that are not there.
* Moments that are a little off (a minute late, another day of the month) still belong to their step.
* Series begin their steps at moments of their own (at half past, at noon, at midnight of their zone), and are answered
  at these; days, months and business days are those of where midnight is, not of UTC.
* What days, hours and months mean is told to learners as angles, so that December stands beside January.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0
YEAR = 365.2425 * DAY
EASTERN = 10.5 * HOUR
"""Midnight of a zone that lies later in the day in UTC begins the next day: from +13:00 to -10:00 each has its own."""
CHANGED = 0.1
"""So large a share of moments that are an hour off shows that clocks change."""
SERIES_ASKED = 2_000
"""So many series at most say what a step is."""
_MONTHS_OF_DAYS = {
    range(28, 32): 1,
    range(59, 63): 2,
    range(89, 93): 3,
    range(120, 124): 4,
    range(181, 185): 6,
    range(365, 367): 12,
}
_USUAL = (
    *(0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 15.0, 30.0),
    *(MINUTE * count for count in (1, 5, 10, 15, 20, 30)),
    *(HOUR * count for count in (1, 2, 3, 4, 6, 8, 12)),
    *(DAY * count for count in (1, 7, 14)),
)
_SEASONS = {
    "months": {1: (12,), 2: (6,), 3: (4,), 4: (3,), 6: (2,)},
    "business": {1: (5,)},
}


@dataclass(frozen=True)
class Step:
    """One step of time.

    unit: `seconds`, `months`, `business` (days) or `number`. size: how many of them.
    anchor: where steps begin: seconds since 1970 of the first, its day of the month (0 for the last), or the number.
    offset: of several months: which of them a step begins with, counted from January 1970.
    turn: seconds after midnight in UTC from which a moment belongs to the next day.
    """

    unit: str
    size: float
    anchor: float = 0.0
    offset: int = 0
    turn: float = DAY

    @classmethod
    def of(cls, times: Sequence[np.ndarray], dated: bool, zoned: bool = False) -> Self:
        """The step of most series, each of sorted distinct times (seconds or numbers).

        zoned: whether moments named zones, so that days may begin at another hour than in UTC.
        """
        turn = EASTERN if zoned else DAY
        everything = np.concatenate(list(times)) if len(times) else np.zeros(1)
        first = float(everything.min())
        several = [np.diff(own) for own in times if len(own) > 1]
        if not several:
            return cls("seconds" if dated else "number", DAY if dated else 1.0, first)
        gaps = np.concatenate(several)
        if not dated:
            common = _most_common(several)
            near = gaps[np.abs(gaps - common) < 0.2 * common]  # decimals that were cut (.083, .167) differ a little
            return cls("number", float(f"{near.mean():.12g}"), first)
        common = _most_common_seconds(several, gaps)
        common = _settled(common, np.concatenate([own for own in several if _has(own, common)]))
        days = np.round(gaps / DAY)
        for span, months in _MONTHS_OF_DAYS.items():
            if round(common / DAY) in span and _are_months(days[np.isin(days, span)], months):
                local = everything + DAY - turn
                offset = Counter((_months(local) % months).tolist()).most_common(1)[0][0]
                return cls("months", float(months), float(_day_of_month(local)), offset, turn)
        if common == DAY:
            for hour in (DAY, EASTERN):
                if _is_business(everything + DAY - hour, days):
                    return cls("business", 1.0, first, turn=hour)
        if common % DAY == 0:
            return cls("seconds", common, float(np.floor((first + DAY - turn) / DAY)) * DAY, turn=turn)
        return cls("seconds", common, first)

    def places(self, times: np.ndarray) -> np.ndarray:
        """Which step each time of one series belongs to, int64."""
        if self.unit == "months":
            return np.asarray(np.floor_divide(_months(times + DAY - self.turn) - self.offset, int(self.size)))
        if self.unit == "business":
            days = np.busday_offset(_days(times + DAY - self.turn), 0, roll="backward")
            return np.busday_count(np.datetime64("1970-01-01"), days).astype(np.int64)
        steps = (times - self.anchor - self._phase(times)) / self.size
        return _nearest(steps)

    def late(self, times: np.ndarray) -> np.ndarray:
        """How much later than its step begins each time of one series is, but for what is off by chance: all are alike,
        or of days and longer steps of two kinds an hour apart, where clocks change."""
        usual = self._phase(times)
        if not self._is_of_days or float(np.ptp(times % DAY)) < 1:
            return np.full(len(times), usual)
        away = self._after_midnight(times) - usual if self._on_calendar else self._off(times, usual)
        sides = [np.abs(away - hour) < 1 for hour in (HOUR, -HOUR)]
        side = max(sides, key=np.count_nonzero)
        return np.where(side & (side.mean() >= (CHANGED if self.turn == DAY else 0)), usual + away, usual)

    @property
    def year(self) -> int:
        """Steps of about a year, whole weeks of them where steps are days."""
        if self.unit == "number":
            return 1
        seconds = {"months": self.size * YEAR / 12, "business": 1.4 * DAY}.get(self.unit, self.size)
        return max(1, round((YEAR if self.unit == "months" else 364 * DAY) / seconds))

    @property
    def _on_calendar(self) -> bool:
        return self.unit in ("months", "business")

    @property
    def _is_of_days(self) -> bool:
        return self._on_calendar or (self.unit == "seconds" and self.size % DAY == 0)

    def _after_midnight(self, times: np.ndarray) -> np.ndarray:
        """Seconds since the day of each time began; below 0 before midnight in UTC of a day that begins earlier."""
        return np.asarray((times + DAY - self.turn) % DAY - (DAY - self.turn))

    def _off(self, times: np.ndarray, phase: float) -> np.ndarray:
        """How far each time is from where its step begins in a series of such a phase."""
        away = times - self.anchor - phase
        return np.asarray(away - self.size * _nearest(away / self.size))

    def _phase(self, times: np.ndarray) -> float:
        """How much later than steps begin most moments of a series are; 0 where these are now here, now there."""
        if self._on_calendar:
            usual, is_sure = _usual(self._after_midnight(times), DAY)
            return self._folded(usual, DAY) if is_sure else 0.0
        usual, is_sure = _usual(times - self.anchor, self.size)
        near = abs(usual - self.size * round(usual / self.size)) < 0.1 * self.size
        return 0.0 if near and not is_sure else self._folded(usual, self.size)

    def _folded(self, phase: float, size: float) -> float:
        """The same phase within the step to which it belongs: that of its day, or the nearest."""
        low = self.turn - DAY if self._is_of_days and size == DAY else -size / 2
        return float(phase - size * np.floor((phase - low) / size))

    def times(self, places: np.ndarray) -> np.ndarray:
        """The moment of each step, float64: seconds since 1970, or numbers."""
        if self.unit == "months":
            months = (places * int(self.size) + self.offset).astype("datetime64[M]")
            last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
            day = last if self.anchor == 0 else np.minimum(int(self.anchor), last)
            return np.asarray((months.astype("datetime64[D]").astype(np.int64) + day - 1) * DAY)
        if self.unit == "business":
            days = np.busday_offset(np.datetime64("1970-01-01"), places, roll="forward")
            return np.asarray(days.astype(np.int64) * DAY)
        return np.asarray(self.anchor + places * self.size)

    def dates(self, times: np.ndarray) -> np.ndarray:
        """Seconds since 1970 as moments, to the second, or where steps are no whole seconds to the microsecond."""
        if self.unit == "seconds" and self.size % 1:
            return np.asarray(np.rint(times * 1e6).astype("datetime64[us]"))
        return np.asarray(np.rint(times).astype("datetime64[s]"))

    def seasons(self) -> tuple[int, ...]:
        """Lengths of the seasons that such steps usually have, the shortest first; none for plain numbers."""
        if self.unit in _SEASONS:
            return _SEASONS[self.unit].get(int(self.size), ())
        if self.unit == "number":
            return ()
        if self.size >= 7 * DAY:
            return (52,) if self.size == 7 * DAY else ()
        if self.size >= DAY:
            return (7,) if self.size == DAY else ()
        found = [HOUR / self.size] if self.size < MINUTE else []
        found += [DAY / self.size, 7 * DAY / self.size]
        return tuple(round(length) for length in found if abs(length - round(length)) < 1e-6 and length >= 2)

    @property
    def words(self) -> str:
        """What steps are called, in the plural."""
        known = {
            ("months", 1): "months",
            ("months", 3): "quarters",
            ("months", 12): "years",
            ("business", 1): "business days",
            ("seconds", 7 * DAY): "weeks",
            ("seconds", DAY): "days",
            ("seconds", HOUR): "hours",
            ("seconds", MINUTE): "minutes",
            ("seconds", 1): "seconds",
        }
        if self.unit == "number":
            return "steps"
        if name := known.get((self.unit, self.size)):
            return name
        for unit, size in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)):
            if self.unit == "seconds" and self.size % size == 0:
                return f"steps of {self.size / size:g} {unit}"
        return f"steps of {self.size:g} {self.unit}"

    def shown(self, time: float) -> str:
        """A moment as people write it."""
        if self.unit == "number":
            return f"{time:g}"
        if self.size >= DAY or self.unit != "seconds":
            return str(_days(np.array(round(time) + DAY - self.turn)))
        if self.size % 1:
            return str(np.datetime64(round(time * 1e6), "us"))
        return str(np.datetime64(round(time), "s"))[: 16 if self.size >= MINUTE else 19]

    def angles(self, times: np.ndarray, seen: float = np.inf) -> np.ndarray:
        """Sine and cosine of where in the day, the week and the year moments are, as far as steps are finer than these,
        and twice as long was seen (seconds): of half a year a line would be drawn into the other half. Float32, shape
        (*times, width)."""
        cycles = []
        if self.unit != "number":
            if self.unit == "seconds" and self.size < DAY:
                cycles.append((DAY, 0.0))
            if self.unit == "business" or (self.unit == "seconds" and self.size < 7 * DAY):
                cycles.append((7 * DAY, 3 * DAY))
            if self.unit != "months" or self.size < 12:
                cycles.append((YEAR, 0.0))
        seconds = np.nan_to_num(times)
        parts = [(seconds + shift) / length for length, shift in cycles if 2 * length <= seen]
        turns = [2 * np.pi * (part - np.floor(part)) for part in parts]
        waves = [wave(turn) for turn in turns for wave in (np.sin, np.cos)]
        return np.stack(waves, axis=-1).astype(np.float32) if waves else np.zeros((*times.shape, 0), dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Itself again."""
        return cls(**facts)


def _nearest(steps: np.ndarray) -> np.ndarray:
    """The nearest whole numbers, int64; all halves go down, for to the even one they would meet in pairs."""
    return np.asarray(np.ceil(np.round(steps, 4) - 0.5), dtype=np.int64)


def _usual(times: np.ndarray, size: float) -> tuple[float, bool]:
    """What is left of most times when whole steps are taken off, and whether a third of them share it; where not, the
    middle of it around the circle."""
    rest = times - size * np.floor(times / size)
    if rest.max() - rest.min() < 1e-5 * size:
        return float(rest[len(rest) // 2]), True
    rough = np.round(rest / size, 5) % 1
    found, counts = np.unique(rough, return_counts=True)
    own = rest[rough == found[counts.argmax()]]
    if 3 * counts.max() >= len(times):
        return float(np.median(own if found[counts.argmax()] else np.where(own > size / 2, own - size, own))), True
    angle = np.angle(np.exp(2j * np.pi * rest / size).mean())
    return float(np.round(angle / (2 * np.pi) * size)) if size >= 60 else float(angle / (2 * np.pi) * size), False


def _most_common(gaps: Sequence[np.ndarray]) -> float:
    """The gap that is the most common one of most series; of those that are of as many, the most common of all, then
    the smallest."""
    votes: Counter[float] = Counter()
    whole: Counter[float] = Counter()
    for own in gaps[:: -(-len(gaps) // SERIES_ASKED)]:
        found, counts = np.unique(np.round(own, 9), return_counts=True)
        votes[float(found[counts.argmax()])] += 1
        whole.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    return max(votes, key=lambda gap: (votes[gap], whole[gap], -gap))


def _most_common_seconds(several: Sequence[np.ndarray], gaps: np.ndarray) -> float:
    """The most common gap in seconds: to the microsecond where more than half of them have it, else to the second, for
    clocks are a little off; 0 where gaps are shorter than a microsecond."""
    fine = _most_common([np.round(own, 6) for own in several])
    whole = [rounded for own in several if len(rounded := np.round(own)[own >= 0.5])]
    if not whole or (np.abs(gaps - fine) < 1e-5).mean() > 0.5:
        return fine
    return _most_common(whole)


def _has(gaps: np.ndarray, common: float) -> bool:
    return bool((np.abs(gaps - common) <= (0.5 if common >= 1 else 1e-5)).any())


def _settled(common: float, gaps: np.ndarray) -> float:
    """The most common gap in seconds; where most are no multiples of it, for clocks are a little off, the usual step
    that is nearest to the middle one."""
    if common <= 0 or (np.abs(gaps - np.rint(gaps / common) * common) <= 0.01 * common).mean() > 0.5:
        return common
    middle = float(np.median(gaps))
    usual = min(_USUAL, key=lambda size: abs(np.log(size / middle)))
    is_near = abs(usual / middle - 1) < 0.1 and (np.abs(gaps / middle - 1) < 0.2).mean() > 0.5
    return usual if is_near else common


def _are_months(days: np.ndarray, months: int) -> bool:
    """Whether gaps of about so many months differ in length, as months do: four weeks or 30 days never change."""
    return months == 12 or len(days) <= 3 or len(np.unique(days)) > 1


def _days(times: np.ndarray) -> np.ndarray:
    return np.floor(np.asarray(times) / DAY).astype(np.int64).astype("datetime64[D]")


def _months(times: np.ndarray) -> np.ndarray:
    return np.asarray(_days(times).astype("datetime64[M]").astype(np.int64))


def _day_of_month(times: np.ndarray) -> int:
    """The day that most times have; 0 where that is the last of its month."""
    days = _days(times)
    months = days.astype("datetime64[M]")
    last = (months + 1).astype("datetime64[D]") - 1
    if (days == last).mean() > 0.5:
        return 0
    counts: Counter[int] = Counter((days - months.astype("datetime64[D]")).astype(np.int64).tolist())
    return counts.most_common(1)[0][0] + 1


def _is_business(times: np.ndarray, days: np.ndarray) -> bool:
    """Whether no time lies on a weekend, and gaps of three days are as common as weekends are."""
    return bool(np.is_busday(_days(times)).all() and 0.1 < (days == 3).mean() < 0.4)
