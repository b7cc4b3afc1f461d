"""Why one answer: what it becomes when each column in turn takes its usual value.

Needs that this module answers:

* It asks the model that answers and nothing else, so it holds for every learner, and costs one row a column.
* It says what it is: columns are changed one at a time (ceteris paribus; Goldstein et al., 2015, arXiv 1309.6392). What
  only two columns together do is not seen, and nothing is said of causes.
* Where nobody knows what is usual, it is refused, and nothing is made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.errors import ModelError

if TYPE_CHECKING:
    from deepenough.model.folder import LoadedModel


def changes(model: LoadedModel, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """By column, the largest first, {column, value, usual, with_usual, change}: for classes the probability of the
    answered class, for numbers the number, if the column held its usual value; and how much of it is due to the value
    that it holds.

    Raises ModelError where the model was saved without usual values, or is of a kind that has none.
    """
    usual = _usual(model)
    others = [dict(row) | {name: value} for name, value in usual.items()]
    predictions = model.predict_raw(model.codec.encode([dict(row), *others]))
    said = predictions if predictions.ndim == 1 else predictions[:, int(np.argmax(predictions[0]))]
    found = [
        {"column": name, "value": row.get(name), "usual": usual[name], "with_usual": float(now)}
        | {"change": float(said[0] - now)}
        for name, now in zip(usual, said[1:], strict=True)
    ]
    return sorted(found, key=lambda item: -abs(item["change"]))


def moved(
    model: LoadedModel, rows: Sequence[Mapping[str, Any]], code: int | None
) -> tuple[list[str], Mapping[str, Any], np.ndarray]:
    """The same for many rows at once: the columns' names, what is usual in each, and how much of each row's answer is
    due to the value that it holds there, shape (rows, columns).

    code: of the class whose probability is the answer; None for numbers. Raises ModelError as `changes` does.
    """
    usual = _usual(model)
    names, given = list(usual), [dict(row) for row in rows]
    answers = [_answers(model, given, code)]
    answers += [_answers(model, [row | {name: usual[name]} for row in given], code) for name in names]
    return names, usual, np.stack([answers[0] - other for other in answers[1:]], axis=1)


def _answers(model: LoadedModel, rows: Sequence[Mapping[str, Any]], code: int | None) -> np.ndarray:
    predictions = model.predict_raw(model.codec.encode(rows))
    return predictions if code is None else np.asarray(predictions[:, code])


def _usual(model: LoadedModel) -> Mapping[str, Any]:
    usual = model.codec.usual()
    if not usual:
        raise ModelError(
            "This model knows no usual values to explain an answer against: its data have no columns, or it was saved "
            "by an older version. Race again to get them, or ask without explaining."
        )
    return usual
