"""What studies found on tables like this one: sentences that can be looked up, fixed before the race.

Needs that this module answers:

* Each sentence has a source that can be looked up; what is only remembered does not stand here.
* It depends on what is known before anything is learnt: rows, how the rows are split, classes or a number.
* It is there to be compared with, and never moves a verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LCDB = "Counted from 121 tables of LCDB 1.1, arXiv 2505.15657"
BY_SIZE = ((0, 18, 46, 30, 24), (1_000, 50, 36, 51, 13), (4_000, 53, 23, 61, 16))
"""Rows from, tables, and in percent: classical better, equal within a point of error, deep better. A test counts them
again from the curves that are shipped."""
SPLITS_THAT_DEPEND = ("time", "group")


@dataclass(frozen=True)
class Study:
    """applies: whether a table of so many rows, so split, with so many classes (None: a number) is like those studied.

    expected: `classical`, `deep`, or `either` where little is between them.
    """

    sentence: str
    source: str
    expected: str
    applies: Callable[[int, str, int | None], bool]


STUDIES = (
    Study(
        "On 45 tables of about 10,000 rows tree ensembles were better than nets, even without counting their speed; "
        "inputs that tell nothing and irregular targets hurt the nets",
        "Grinsztajn and others, arXiv 2207.08815",
        "classical",
        lambda rows, splitting, classes: splitting not in SPLITS_THAT_DEPEND and 3_000 <= rows <= 30_000,
    ),
    Study(
        "On 176 tables with 19 learners the difference between nets and boosted trees was often negligible, or smaller "
        "than what a little tuning of the trees brought",
        "McElfresh and others, arXiv 2305.02997",
        "either",
        lambda rows, splitting, classes: splitting not in SPLITS_THAT_DEPEND and classes is not None,
    ),
    Study(
        "On 51 curated tables boosted trees were strong, deep learning caught up under larger budgets with ensembling, "
        "and ensembles of both were best",
        "TabArena, arXiv 2506.16791",
        "either",
        lambda rows, splitting, classes: splitting not in SPLITS_THAT_DEPEND,
    ),
    Study(
        "Where rows depend on time or on groups, trees and nets without pretraining led over pretrained ones (142 "
        "tables, 11 learners)",
        "BeyondArena, arXiv 2606.30410",
        "either",
        lambda rows, splitting, classes: splitting in SPLITS_THAT_DEPEND,
    ),
)


def of(rows: int, splitting: str, classes: int | None) -> tuple[dict[str, str], ...]:
    """What studies found on such tables: {sentence, source, expected}.

    splitting: as the plan has it. classes: how many; None where a number is predicted.
    """
    found = [study for study in STUDIES if study.applies(rows, splitting, classes)]
    told = [{"sentence": study.sentence, "source": study.source, "expected": study.expected} for study in found]
    return (*told, *(() if classes is None or splitting in SPLITS_THAT_DEPEND else (_counted(rows),)))


def _counted(rows: int) -> dict[str, str]:
    """What the shipped curves say of tables of this size, at equal rosters, each family's learner chosen apart."""
    low, tables, classical, equal, deep = [row for row in BY_SIZE if rows >= row[0]][-1]
    above = [row[0] for row in BY_SIZE if row[0] > low]
    sizes = f"{low:,} rows or more" if not above else f"under {above[0]:,} rows"
    sizes = f"{low:,} to {above[0]:,} rows" if low and above else sizes
    sentence = (
        f"On {tables} tables of {sizes}, three learners a family with default settings, they were equal within a point "
        f"of error in {equal} %, classical was better in {classical} %, deep in {deep} %"
    )
    shares = {"classical": classical, "either": equal, "deep": deep}
    return {"sentence": sentence, "source": LCDB, "expected": max(shares, key=lambda name: shares[name])}
