"""What a service counts, and how Prometheus reads it (text format 0.0.4)."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence

STATUSES = (200, 400, 401, 404, 405, 408, 413, 415, 421, 422, 429, 500, 503, 504)
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the seconds of a request, in a histogram."""
NO_MODEL = ""
"""Stands for requests that reached no model."""
_KINDS = {
    "requests": ("counter", "Requests by model and status."),
    "rows": ("counter", "Rows that were answered, by model."),
    "seconds_bucket": ("histogram", "Seconds from a request's head to its reply, by model."),
    "reloads": ("counter", "Newer versions that were taken, by model, counted by each process."),
    "reload_problem": ("gauge", "Processes to which a newer version can't be loaded, by model."),
    "routed": ("counter", "Records by what is done with them."),
    "waiting": ("gauge", "Records that wait to be sent on."),
}


def names(models: Sequence[str], destinations: Sequence[str] = ()) -> list[str]:
    """Every number that is kept, as `metric|label|value...`."""
    found = [f"requests|{model}|{status}" for model in (NO_MODEL, *models) for status in STATUSES]
    for model in models:
        found += [f"{metric}|{model}" for metric in ("rows", "seconds_sum", "reloads", "reload_problem")]
        found += [f"seconds_bucket|{model}|{bound}" for bound in (*BOUNDS, "+Inf")]
    return [*found, *(f"routed|{name}" for name in destinations), "waiting"]


def bucket(seconds: float) -> str:
    """The bucket that these seconds fall into."""
    place = bisect.bisect_left(BOUNDS, seconds)
    return str(BOUNDS[place]) if place < len(BOUNDS) else "+Inf"


def text(totals: Mapping[str, float]) -> str:
    """The page that is scraped."""
    return "\n".join([line for metric in _KINDS for line in _lines(metric, totals)]) + "\n"


def _lines(metric: str, totals: Mapping[str, float]) -> Iterator[str]:
    form, about = _KINDS[metric]
    base = f"deepenough_{metric.removesuffix('_bucket')}"
    called = f"{base}_total" if form == "counter" else base
    own = {name.split("|")[1:][0] if "|" in name else "": name for name in totals if name.split("|")[0] == metric}
    if not own:
        return
    yield f"# HELP {called} {about}"
    yield f"# TYPE {called} {form}"
    if form == "histogram":
        for model in own:
            yield from _histogram(base, model, totals)
        return
    for name, value in totals.items():
        if name.split("|")[0] == metric and (metric != "requests" or value):
            yield f"{called}{_labels(metric, name.split('|')[1:])} {value:.15g}"


def _labels(metric: str, values: Sequence[str]) -> str:
    keys = ("to",) if metric == "routed" else ("model", "status")
    pairs = [f'{key}="{_escaped(value)}"' for key, value in zip(keys, values, strict=False)]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _histogram(base: str, model: str, totals: Mapping[str, float]) -> Iterator[str]:
    count, label = 0.0, f'model="{_escaped(model)}"'
    for bound in (*BOUNDS, "+Inf"):
        count += totals[f"seconds_bucket|{model}|{bound}"]
        yield f'{base}_bucket{{{label},le="{bound}"}} {count:.15g}'
    yield f"{base}_sum{{{label}}} {totals[f'seconds_sum|{model}']:.9g}"
    yield f"{base}_count{{{label}}} {count:.15g}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
