"""What is wrong with a table before anyone learns from it: columns to set aside, leaks, hidden groups.

Needs that the design answers:

* A column that gives the target away makes every learner perfect and the race worthless: it is set aside, and said.
  Being predictive is no crime: only a column without which most of the skill is lost, and with which one simple rule
  suffices, is one.
* A column that is set aside never ends the race, and is always named with its reason.
* Quick: samples of at most 5,000 rows wherever a sample says enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from deepenough.kinds.table.inputs import Column, Table

SAMPLE_ROWS = 5_000
SKILL_ROWS = 2_000
GIVEN_AWAY_AUC, GIVEN_AWAY_R2 = 0.995, 0.999
GIVEN_AWAY_SKILL = 0.5
"""A column is a leak only if more than this share of the skill goes with it."""
FEW_ROWS = 50
BINS = 64

_ID_NAME = re.compile(r"(?:^|[^a-z])(?:id|uuid|guid|key|index|rowid|row|nr|no)$|^unnamed|^index$", re.IGNORECASE)
_ID_CAMEL = re.compile(r"[a-z](?:ID|Id|Nr|No)$")
_OWNER_NAME = re.compile(
    r"(?:^|[^a-z])(?:patient|subject|user|customer|client|person|household|family|group|session|device|store|site|"
    r"school|hospital|speaker|author|company)(?:[^a-z]|$)",
    re.IGNORECASE,
)

Flag = Mapping[str, str]


def unusable(table: Table, keep: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """Columns that can't help, each with the reason: empty, constant, or an identifier.

    keep: columns that a person named for some use, and that are no inputs to judge.
    """
    for column in table.columns:
        if column.name in keep:
            continue
        reason = _empty_or_constant(column) or _identifier(column)
        if reason:
            yield column.name, reason


def _empty_or_constant(column: Column) -> str:
    present = column.values[~missing(column)]
    if len(present) == 0:
        return "empty: no row has a value"
    if (present == present[0]).all() and len(present) == len(column.values):
        return "constant: every row has the same value"
    return ""


def _identifier(column: Column) -> str:
    """Why a column numbers or names the rows instead of describing them; empty where it does not."""
    values = column.values
    if len(values) < 10 or missing(column).any() or column.role not in ("number", "category"):
        return ""
    named = names_rows(column.name)
    if column.role == "category":
        if len(column.levels) >= 0.99 * len(values) and len(np.unique(values)) == len(values):
            return "an identifier: every row has its own value, and it is no text"
        if named and len(np.unique(values)) > 0.95 * len(values):
            return "an identifier by its name: nearly every row has its own value"
        return ""
    if not (values == np.round(values)).all() or len(np.unique(values)) < len(values):
        return ""
    steps = np.diff(values)
    if (steps == 1).all() or (steps == -1).all():
        return "an identifier: it counts the rows"
    if named:
        return "an identifier by its name: every row has its own number"
    if (steps > 0).all() and len(values) >= FEW_ROWS:
        return "an identifier: whole numbers that rise from row to row, each once"
    return ""


def names_rows(name: str) -> bool:
    """Whether a column is called like an identifier: id, customer_id, userID, index."""
    return bool(_ID_NAME.search(name) or _ID_CAMEL.search(name))


def names_owners(name: str) -> bool:
    """Whether a column is called like what rows belong to: customer, store, patient_id."""
    return names_rows(name) or bool(_OWNER_NAME.search(name))


def missing(column: Column) -> np.ndarray:
    """Which rows hold nothing, shape (n,), bool."""
    return np.asarray(np.isnan(column.values) if column.values.dtype.kind == "f" else column.values < 0)


def given_away(table: Table, targets: np.ndarray, n_classes: int | None, seed: int = 0) -> list[tuple[str, str]]:
    """Columns that give the target away, each with the reason; all of them together, for a leak may stand there twice.

    A candidate foretells the target alone by one binned rule (AUC above .995 of every class, or R2 above .999), judged
    on rows that the rule was not made on. It is a leak if without the candidates more than half of the skill is lost.
    """
    if len(targets) < 40 or len(table.columns) < 1:
        return []
    rows = _sampled(len(targets), SAMPLE_ROWS, seed)
    sample, known = table.take(rows), targets[rows]
    found = {}
    for column in sample.columns:
        strength = _alone(column, known, n_classes, seed)
        if strength > (GIVEN_AWAY_R2 if n_classes is None else GIVEN_AWAY_AUC):
            found[column.name] = strength
    if not found or not _skill_lost(sample, known, n_classes, set(found), seed):
        return []
    measure = "R2" if n_classes is None else "AUC"
    return [
        (name, f"gives the target away: alone it foretells it ({measure} {strength:.4f}), and without it most is lost")
        for name, strength in found.items()
    ]


def _alone(column: Column, targets: np.ndarray, n_classes: int | None, seed: int) -> float:
    """How well one column foretells the target by itself, on the half that the rule was not made on."""
    odd = np.random.default_rng([seed, 7]).permutation(len(targets)) % 2 == 1
    bins = _bins(column)
    if n_classes is None:
        return _r2_alone(column, bins, targets, odd)
    scores = []
    for code in range(n_classes):
        is_it = (targets == code).astype(np.float64)
        if min(is_it[~odd].sum(), is_it[odd].sum()) >= 3:
            scores.append(auc(is_it[odd] > 0, _bin_means(bins, is_it, ~odd)[bins[odd]]))
    return min(scores, default=0.0)


def _bins(column: Column) -> np.ndarray:
    """A bin per row: the level, or up to 64 quantiles of the number; one more for missing."""
    absent = missing(column)
    if column.values.dtype.kind != "f":
        return np.where(absent, len(column.levels), column.values).astype(np.int64)
    present = column.values[~absent]
    if len(present) == 0:
        return np.zeros(len(column.values), dtype=np.int64)
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, column.values, side="right")
    return np.where(absent, len(edges) + 1, bins).astype(np.int64)


def _bin_means(bins: np.ndarray, values: np.ndarray, made_on: np.ndarray) -> np.ndarray:
    """The mean of each bin on some rows, drawn to the whole mean by one row, so that empty bins know something."""
    counts = np.bincount(bins[made_on], minlength=bins.max() + 1)
    sums = np.bincount(bins[made_on], weights=values[made_on], minlength=bins.max() + 1)
    return np.asarray((sums + values[made_on].mean()) / (counts + 1))


def _r2_alone(column: Column, bins: np.ndarray, targets: np.ndarray, odd: np.ndarray) -> float:
    """R2 of drawing a line from each known number to the next, or of the means of levels."""
    guess, judged = _bin_means(bins, targets, ~odd)[bins], odd
    present = ~missing(column)
    if column.values.dtype.kind == "f" and (present & ~odd).sum() >= 2:
        points, place = np.unique(column.values[present & ~odd], return_inverse=True)
        heights = np.bincount(place, weights=targets[present & ~odd]) / np.bincount(place)
        guess = np.where(present, np.interp(column.values, points, heights), guess)
        judged = odd & ~(column.values < points[0]) & ~(column.values > points[-1])  # no line leads beyond the ends
    spread = ((targets[judged] - targets[~odd].mean()) ** 2).sum()
    return 0.0 if spread == 0 else float(1 - ((targets[judged] - guess[judged]) ** 2).sum() / spread)


def auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Chance that a positive row scores above a negative one, ties half."""
    _, ranks = np.unique(score, return_inverse=True)
    counts = np.bincount(ranks)
    middle = np.cumsum(counts) - (counts - 1) / 2
    n = int(positive.sum())
    return float((middle[ranks][positive].sum() - n * (n + 1) / 2) / (n * (len(score) - n)))


def _skill_lost(table: Table, targets: np.ndarray, n_classes: int | None, without: set[str], seed: int) -> bool:
    """Whether more than half of the skill goes with these columns."""
    rows = _sampled(len(targets), SKILL_ROWS, seed)
    rest = Table(tuple(column for column in table.columns if column.name not in without))
    if not rest.columns:
        return True
    whole = _skill(table.take(rows), targets[rows], n_classes)
    return whole > 0 and _skill(rest.take(rows), targets[rows], n_classes) < GIVEN_AWAY_SKILL * whole


def _skill(table: Table, targets: np.ndarray, n_classes: int | None) -> float:
    """Share of the squared error (of the classes' indicators, or of the number) that small boosted trees explain on the
    half that they have not seen."""
    from deepenough.kinds.table import small_trees

    goals = np.eye(n_classes)[targets] if n_classes is not None else targets[:, None].astype(np.float64)
    bins = np.stack([_few_bins(column) for column in table.columns], axis=1)
    odd = np.arange(len(targets)) % 2 == 1
    trivial = ((goals[odd] - goals[~odd].mean(axis=0)) ** 2).sum()
    guess = small_trees.fit_and_guess(bins[~odd], goals[~odd], bins[odd])
    return 0.0 if trivial == 0 else float(1 - ((goals[odd] - guess) ** 2).sum() / trivial)


def _few_bins(column: Column) -> np.ndarray:
    """At most 32 bins in an order; levels by how often they occur."""
    bins = _bins(column)
    if column.values.dtype.kind != "f":
        counts = np.bincount(bins)
        place = np.empty(len(counts), dtype=np.int64)
        place[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        return np.asarray(np.minimum(place[bins], 31))
    return np.asarray(bins // 2 if bins.max() > 31 else bins)


def grouped(table: Table, seed: int = 0) -> Flag | None:
    """A warning where rows look as if they came in groups: an owner's id repeats, or it fixes other columns."""
    rows = _sampled(len(table), 2 * SAMPLE_ROWS, seed)
    sample = table.take(rows)
    codes = {column.name: np.unique(_codes(column), return_inverse=True)[1] for column in sample.columns}
    counts = {name: int(code.max()) + 1 for name, code in codes.items() if len(code)}
    for column in sample.columns:
        name, levels = column.name, counts[column.name]
        if column.role not in ("number", "category") or not 10 <= levels <= len(rows) / 2:
            continue
        if names_owners(name) or (levels >= FEW_ROWS and len(_fixed_by(codes, counts, name)) >= 2):
            return {
                "flag": "groups",
                "severity": "warn",
                "reason": f"rows with the same {name!r} seem to belong together ({levels:,} values, each repeated); if "
                f"new rows will have new ones, run again with --group {name}",
            }
    return None


def _fixed_by(codes: dict[str, np.ndarray], counts: dict[str, int], name: str) -> list[str]:
    """Other columns of at least ten values that never change while `name` stays the same."""
    fixed = []
    for other, code in codes.items():
        if other != name and 10 <= counts[other] <= counts[name]:
            pairs = codes[name].astype(np.int64) * counts[other] + code
            if len(np.unique(pairs)) == counts[name]:
                fixed.append(other)
    return fixed


def _codes(column: Column) -> np.ndarray:
    return np.asarray(np.where(missing(column), -1.0, column.values))


def _sampled(rows: int, most: int, seed: int) -> np.ndarray:
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng([seed, 3]).choice(rows, most, replace=False))
