"""Filters of the statistical forecasts, for many windows at once: seasons taken off, exponential smoothing, ARIMA.

Needs that this module answers:

* Thousands of windows in a moment: each step of a filter is one operation over all windows, not one a window.
* A window is filtered by what it shows and nothing else, so alone it gets the forecast that it gets among others.
* Windows of different length stand in one array, their ends together; what lies before a window's first value is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEASONAL = 0.35
"""A season is taken off only where it explains so large a share of what is left beside the trend."""

ALPHAS = np.array([0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.99])
"""Weights of the last value that the Theta method tries."""


def histories(values: np.ndarray, m: int) -> np.ndarray:
    """Gaps within a window filled with what was a season before, or else with the value before; NaN stays before its
    first value. values: shape (n, length)."""
    known = np.isfinite(values)
    begun = np.logical_or.accumulate(known, axis=1)
    found = values.copy()
    for step in np.flatnonzero((begun & ~known).any(axis=0)).tolist():
        earlier = found[:, step - m] if m > 1 and step >= m else found[:, step - 1]
        told = np.where(np.isfinite(earlier), earlier, found[:, step - 1])
        found[:, step] = np.where(known[:, step], values[:, step], told)
    return found


def lengths(values: np.ndarray) -> np.ndarray:
    """How many steps each window shows, shape (n,)."""
    return np.asarray(np.isfinite(values).sum(axis=1))


@dataclass(frozen=True)
class Seasons:
    """profile: shape (n, m), by how many steps before the first step ahead, modulo m, counted from 1; times: whether it
    multiplies (else it is added), shape (n,)."""

    profile: np.ndarray
    times: np.ndarray

    def ahead(self, steps: int) -> np.ndarray:
        """Of each step ahead, shape (n, steps)."""
        m = self.profile.shape[1]
        return self.profile[:, (-np.arange(steps) - 1) % m]

    def off(self, values: np.ndarray) -> np.ndarray:
        """The windows without their season."""
        m, length = self.profile.shape[1], values.shape[1]
        own = self.profile[:, (length - 1 - np.arange(length)) % m]
        times = self.times[:, None]
        return np.where(times, values / np.where(times, own, 1.0), values - own)

    def on(self, paths: np.ndarray) -> np.ndarray:
        """Paths with their season."""
        own = self.ahead(paths.shape[1])
        return np.asarray(np.where(self.times[:, None], paths * own, paths + own))


def seasons(values: np.ndarray, m: int) -> Seasons:
    """The season of each window by classical decomposition (Kendall and Stuart, 1983): multiplying where all is above
    zero, else added; none where a window is shorter than two seasons, or where it explains little."""
    n, length = values.shape
    nothing = Seasons(np.zeros((n, max(m, 1))), np.zeros(n, dtype=bool))
    if m < 2 or length < 2 * m:
        return nothing
    positive = np.where(np.isfinite(values), values, 1.0).min(axis=1) > 0
    profile, apart = _profile(values, m, positive)
    neutral = np.where(positive, 1.0, 0.0)[:, None]
    whole = np.isfinite(profile).all(axis=1) & (lengths(values) >= 2 * m) & (~positive | (profile.min(axis=1) > 0.01))
    profile = np.where(whole[:, None], profile, neutral)
    back = length - 1 - np.arange(length)
    own, times = profile[:, back % m], positive[:, None]
    left = np.where(times, apart / np.where(times, own, 1.0), apart - own)
    explained = 1 - _variance(left) / np.maximum(_variance(apart), 1e-300)
    kept = whole & (explained > SEASONAL)
    return Seasons(np.where(kept[:, None], profile, 0.0), kept & positive)


def _profile(values: np.ndarray, m: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each phase of what is left beside the trend, shape (n, m), and what is left, shape (n, length)."""
    trend = _moving_mean(values, m) if values.shape[1] > m else np.full(values.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(times[:, None], values / trend, values - trend)
    profile = _phase_means(apart, m)
    middle = row_means(profile)[:, None]
    with np.errstate(invalid="ignore"):
        return np.where(times[:, None], profile / np.where(middle != 0, middle, 1.0), profile - middle), apart


def _phase_means(values: np.ndarray, m: int) -> np.ndarray:
    """Of what is known of each phase, counted back from the last step, shape (n, m); NaN where nothing is."""
    n, length = values.shape
    cycles = -(-length // m)
    whole = np.full((n, cycles * m), np.nan)
    whole[:, cycles * m - length :] = values
    turned = whole.reshape(n, cycles, m)[:, :, ::-1]
    known = np.isfinite(turned)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, turned, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _moving_mean(values: np.ndarray, m: int) -> np.ndarray:
    """Centred over a season, its ends counting half where m is even; NaN where not all of it is known."""
    width = m + 1 if m % 2 == 0 else m
    weights = np.full(width, 1.0 / m)
    if m % 2 == 0:
        weights[[0, -1]] = 0.5 / m
    found = np.full(values.shape, np.nan)
    views = np.lib.stride_tricks.sliding_window_view(values, width, axis=1)
    half = width // 2
    found[:, half : half + views.shape[1]] = views @ weights
    return found


def row_means(values: np.ndarray) -> np.ndarray:
    """Of what is known of each row, shape (n,); NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _variance(values: np.ndarray) -> np.ndarray:
    middle = row_means(values)
    return np.asarray(np.nan_to_num(row_means((values - middle[:, None]) ** 2)))


def theta(values: np.ndarray, steps: int, m: int) -> np.ndarray:
    """The Theta method: simple exponential smoothing with half of the trend's slope as drift, the season apart.

    Assimakopoulos and Nikolopoulos, 2000, in the form of Hyndman and Billah, 2003. The smoothing of each window is the
    one whose one-step errors in it are smallest.
    """
    season = seasons(values, m)
    rest = season.off(values)
    known = np.isfinite(rest)
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    told = np.nan_to_num(rest)
    level = np.repeat(told[np.arange(len(rest)), first][:, None], len(ALPHAS), axis=1)
    errors = np.zeros_like(level)
    active = (np.arange(rest.shape[1])[:, None] > first)[:, :, None]  # a step first: one operation a step, for all
    each = told.T[:, :, None]
    for place in range(1, rest.shape[1]):
        off = (each[place] - level) * active[place]
        errors += off * off
        level += ALPHAS * off
    chosen = errors.argmin(axis=1)
    alpha, level = ALPHAS[chosen], level[np.arange(len(level)), chosen]
    count = lengths(rest).astype(np.float64)
    since = np.where(known, np.arange(rest.shape[1]) - first[:, None], 0.0)
    middle, mean = since.sum(axis=1) / np.maximum(count, 1), np.nan_to_num(row_means(rest))
    spread = np.where(known, (since - middle[:, None]) ** 2, 0.0).sum(axis=1)
    slope = np.where(known, (since - middle[:, None]) * (told - mean[:, None]), 0.0).sum(axis=1)
    drift = np.where(count >= 4, slope / np.maximum(spread, 1e-300), 0.0) / 2
    start = (1 - (1 - alpha) ** np.maximum(count, 1)) / alpha
    paths = level[:, None] + drift[:, None] * (np.arange(steps) + start[:, None])
    return season.on(paths)


@dataclass(frozen=True)
class Smoothing:
    """Parameters of exponential smoothing, one of each a window: weights of level, trend and season, and the damping.

    trend: whether there is one. season: `N`, `A` or `M`.
    """

    alpha: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    phi: np.ndarray
    trend: bool
    season: str


def exponential(values: np.ndarray, steps: int, m: int, how: Smoothing) -> np.ndarray:
    """Exponential smoothing (Hyndman, Koehler, Ord and Snyder, 2008) of each window, started from its line and season.

    A season that multiplies is for windows that are above 0 throughout.
    """
    n, length = values.shape
    seasonal = how.season != "N" and m > 1
    known = np.isfinite(values)
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    width = m if seasonal else 1
    multiplies = how.season == "M"
    level, slope, states = _started(values, first, width, how.trend, multiplies)
    ratio = how.beta / np.maximum(how.alpha, 1e-9)
    each, since = np.nan_to_num(values).T, np.arange(length)[:, None] - first
    flat, places = states.ravel(), np.arange(n) * width + since % width
    for step in range(length):
        now, place, active = each[step], places[step], since[step] >= 0
        own = flat[place]
        bent = how.phi * slope
        before = level + bent
        seen = now / own if multiplies else now - own
        new = before + how.alpha * (seen - before)
        if how.trend:
            slope = np.where(active, bent + ratio * (new - level - bent), slope)
        if seasonal:
            told = now / np.where(before != 0, before, 1e-9) if multiplies else now - before
            flat[place] = np.where(active, own + how.gamma * (told - own), own)
        level = np.where(active, new, level)
    states = flat.reshape(n, width)
    ahead = np.arange(1, steps + 1)
    damped = np.cumsum(how.phi[:, None] ** ahead, axis=1)
    paths = level[:, None] + damped * slope[:, None]
    phases = (length - first[:, None] + ahead - 1) % width
    told = np.take_along_axis(states, phases, axis=1)
    return np.asarray(paths * told if multiplies else paths + told if seasonal else paths)


def _started(
    values: np.ndarray, first: np.ndarray, m: int, trend: bool, multiplies: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level, slope and season before the first value: the season of the whole window, and the line through the rest.

    Where the weights of new values are small, that is what least squares would find; where they are large, it is soon
    forgotten.
    """
    n, length = values.shape
    profile = np.full((n, m), 1.0 if multiplies else 0.0)
    if m > 1:
        profile = _profile(values, m, np.full(n, multiplies))[0]
        profile = np.where(np.isfinite(profile).all(axis=1, keepdims=True), profile, 1.0 if multiplies else 0.0)
    own = profile[:, (length - 1 - np.arange(length)) % m]
    rest = values / np.where(own != 0, own, 1.0) if multiplies else values - own
    since = np.where(np.isfinite(rest), np.arange(length) - first[:, None] + 1.0, np.nan)
    middle, mean = np.nan_to_num(row_means(since)), np.nan_to_num(row_means(rest))
    apart = np.nan_to_num(since - middle[:, None])
    slope = (apart * np.nan_to_num(rest - mean[:, None])).sum(axis=1) / np.maximum((apart**2).sum(axis=1), 1e-300)
    slope = np.where(lengths(rest) >= 4, slope, 0.0) if trend else np.zeros(n)
    phases = (length - 1 - first[:, None] - np.arange(m)) % m
    return mean - slope * middle, slope, np.take_along_axis(profile, phases, axis=1)


def arima(
    values: np.ndarray, steps: int, ar: np.ndarray, ma: np.ndarray, mean: np.ndarray, drift: np.ndarray
) -> np.ndarray:
    """Forecasts of ARIMA models (Box and Jenkins, 1970) from conditional innovations, which are 0 before a window can
    tell them.

    ar: shape (n, p): weights of the last values, differences multiplied in. ma: shape (n, q), of the last innovations.
    mean: taken off each value; drift: taken off each, times its place.
    """
    n, length = values.shape
    p, q = ar.shape[1], ma.shape[1]
    own = np.where(ar != 0, np.arange(1, p + 1), 0).max(axis=1, initial=0)
    known = np.isfinite(values)
    first = np.where(known.any(axis=1), known.argmax(axis=1), 0)
    place = np.arange(length + steps)
    whole = np.concatenate([np.nan_to_num(values), np.zeros((n, steps))], axis=1)
    whole = whole - mean[:, None] - drift[:, None] * (place - length)
    off = np.zeros((n, length + steps))
    off[:, :length] = whole[:, :length]
    for lag in range(1, min(p, length - 1) + 1):
        off[:, lag:length] -= ar[:, lag - 1, None] * whole[:, : length - lag]
    off[:, :length] *= np.arange(length) >= (first + own)[:, None]
    active = (np.arange(length)[:, None] >= first + own).astype(float)
    backwards = ma[:, ::-1]
    for step in range(1 if q else length, length):
        reach = min(q, step)
        shocks = off[:, step - reach : step]
        off[:, step] -= active[step] * (backwards[:, q - reach :] * shocks).sum(axis=1)
    for step in range(length, length + steps):
        past, shocks = whole[:, max(0, step - p) : step][:, ::-1], off[:, max(0, step - q) : step][:, ::-1]
        said = (ar[:, : past.shape[1]] * past).sum(axis=1) + (ma[:, : shocks.shape[1]] * shocks).sum(axis=1)
        whole[:, step] = said
    return np.asarray(whole[:, length:] + mean[:, None] + drift[:, None] * np.arange(steps))
