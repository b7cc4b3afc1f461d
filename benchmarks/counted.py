"""What a simulation counted, beside what was promised: shares with their intervals, and the verdict on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from scipy.stats import beta

Job = TypeVar("Job")
Done = TypeVar("Done")
RESAMPLES = 2000


@dataclass(frozen=True)
class Line:
    """One counted thing. low, high: 90 % interval. target: None where nothing was promised; at_least says which side.

    of: how many it was counted of. note: what the figure alone would not say.
    """

    section: str
    what: str
    value: float
    low: float
    high: float
    of: int
    target: float | None = None
    at_least: bool = False
    unit: str = ""
    note: str = ""

    @property
    def judgement(self) -> str:
        """Whether the figure itself keeps the promise; a miss that chance alone explains is said to be one."""
        if self.target is None:
            return ""
        sign = 1 if self.at_least else -1
        if sign * (self.value - self.target) >= 0:
            return "PASS"
        best = self.high if self.at_least else self.low
        return "miss (interval reaches the target)" if sign * (best - self.target) >= 0 else "MISS"

    def facts(self) -> dict[str, Any]:
        return asdict(self) | {"judgement": self.judgement}


def share(section: str, what: str, hits: Sequence[bool], clusters: Sequence[int] | None = None, **rest: Any) -> Line:
    """A share of hits with its interval: Clopper and Pearson's (1934), or, where hits of one cluster (a table) are not
    independent, the bootstrap's over clusters."""
    counted = np.asarray(hits, dtype=np.float64)
    if len(counted) == 0:
        return Line(section, what, float("nan"), 0.0, 1.0, 0, **{**rest, "target": None, "note": "nothing to count"})
    low, high = exact(int(counted.sum()), len(counted)) if clusters is None else _resampled(counted, clusters)
    return Line(section, what, float(counted.mean()), low, high, len(counted), **rest)


def exact(hits: int, of: int, alpha: float = 0.10) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share."""
    low = float(beta.ppf(alpha / 2, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - alpha / 2, hits + 1, of - hits)) if hits < of else 1.0
    return low, high


def _resampled(counted: np.ndarray, clusters: Sequence[int]) -> tuple[float, float]:
    """Whole clusters drawn anew; where every cluster says the same, the exact interval of as many as there are."""
    _, code = np.unique(clusters, return_inverse=True)
    sums, sizes = np.bincount(code, weights=counted), np.bincount(code)
    if counted.min() == counted.max():
        return exact(int(counted[0]) * len(sizes), len(sizes))
    drawn = np.random.default_rng(0).integers(0, len(sizes), (RESAMPLES, len(sizes)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.05, 0.95])
    return float(low), float(high)


def spread(work: Callable[[Job], Done], jobs: Iterable[Job], workers: int) -> list[Done]:
    """Every job done, in order, on so many processes; one thread each."""
    listed = list(jobs)
    if workers < 2:
        return [work(job) for job in listed]
    with ProcessPoolExecutor(workers, initializer=_one_thread) as pool:
        return list(pool.map(work, listed, chunksize=max(1, len(listed) // (16 * workers))))


def _one_thread() -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def show(lines: Sequence[Line]) -> None:
    """Aligned, one line each."""
    width = max((len(line.what) for line in lines), default=0)
    for line in lines:
        digits = f"{line.value:.3f} [{line.low:.3f}, {line.high:.3f}]{line.unit and ' ' + line.unit}"
        promise = "" if line.target is None else f"{'>=' if line.at_least else '<='} {line.target:g}"
        print(
            f"  {line.what:<{width}}  {digits:<24} of {line.of:>5}  {promise:<8} {line.judgement}  {line.note}".rstrip()
        )
