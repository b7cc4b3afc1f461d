"""PURE: units that can be named, for which what is predicted happens more or less often than for the others, or for
which the answers are worse.

Needs that this module answers:

* Nobody finds what luck put there: one half of the clusters names, the other tests, and the other way round, with
  Holm's correction over all that is tested, as for segments of families (`judge.segments`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepenough.evidence import FAMILIES
from deepenough.judge import segments
from deepenough.judge.segments import Span
from deepenough.judge.traits import Trait

ALPHA = 0.025
"""Of all groups that are tested for one outcome: half of what outcomes and errors may be wrong in together."""


@dataclass(frozen=True)
class Risk:
    """Units on which an outcome is higher or lower than on the others.

    words, conditions: which; see `traits.in_words` and `traits.as_data`. is_above: whether it is higher there.
    inside, elsewhere: its mean, with bounds. rows: of the `of_rows` that tested it. p: Holm's, that luck alone would
    show it.
    """

    words: str
    conditions: list[dict[str, Any]]
    is_above: bool
    inside: Span
    elsewhere: Span
    rows: int
    of_rows: int
    p: float


def risks(
    outcome: np.ndarray, clusters: np.ndarray, known: Sequence[Trait], seed: int, is_rate: bool
) -> tuple[Risk, ...]:
    """The surest first.

    outcome: of each unit, shape (m,). clusters: shape (m,) or (m, 2); equal numbers are one observation. known: the
    units' traits. seed: of how clusters are dealt into halves. is_rate: the outcome is 0 or 1.
    """
    usual = float(outcome.mean())
    found = segments.find(outcome - usual, clusters, known, 0.0, seed, ALPHA, is_rate)
    return tuple(
        Risk(
            own.words,
            own.conditions,
            own.family == FAMILIES[1],  # `find` calls what lies above so, for it holds deep against classical
            _shifted(own.gap, usual),
            _shifted(own.elsewhere, usual),
            own.rows,
            own.of_rows,
            own.p,
        )
        for own in found.segments
    )


def _shifted(span: Span, by: float) -> Span:
    return Span(span.value + by, span.low + by, span.high + by)
