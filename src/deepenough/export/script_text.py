"""The pieces of a script that know neither kind nor learner: its head, its scores, its main function.

Needs that this module answers:

* A score is what the race calls so, in a line or two of scikit-learn or numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

HEAD = '''"""Trains the winner of a race of Deepenough on each of its folds and prints the score beside the race's own.

    python THIS_SCRIPT [DATA]

It needs the packages that are imported below, and not Deepenough. Which rows are trained on and judged stands in the
file FOLDS beside it. What the race chose stands below; nothing is searched for again.
"""

'''

MAIN = """

def main():
    table = read(sys.argv[1] if len(sys.argv) > 1 else DATA)
    folds = pd.read_csv(Path(__file__).with_name(FOLDS))
    for fold, chosen in CHOSEN.items():
        own = folds[folds["fold"] == fold]
        training = own[own["part"] != "judged"]
        train = table.iloc[training["row"]].reset_index(drop=True)
        fitted = (training["part"] == "train").to_numpy()
        judged = table.iloc[own.loc[own["part"] == "judged", "row"]].reset_index(drop=True)
        predictions = fit_and_predict(train, fitted, judged, chosen)
        print(f"fold {fold}: {metric} {score(truth(judged), predictions):.9g} (raced: {RACED[fold]:.9g})")


if __name__ == "__main__":
    main()
"""


class Scored(NamedTuple):
    """imports: the line that it needs. function: the text of `score(truth, predictions)`."""

    imports: str
    function: str


def _scored(name: str, called: str) -> Scored:
    imports = f"from sklearn.metrics import {name}" if name else "import numpy as np"
    return Scored(imports, f"\n\ndef score(truth, predictions):\n    return {called}\n")


_GIVEN = "predictions[np.arange(len(truth)), truth.astype(int)]"
_SAID = "predictions.argmax(axis=1)"
METRICS: Mapping[str, Scored] = {
    "log_loss": _scored("", f"-np.mean(np.log(np.clip({_GIVEN}, 1e-15, 1)))"),
    "accuracy": _scored("", f"np.mean({_SAID} == truth)"),
    "auc": _scored("roc_auc_score", "roc_auc_score(truth, predictions[:, 1])"),
    "balanced_accuracy": _scored("balanced_accuracy_score", f"balanced_accuracy_score(truth, {_SAID})"),
    "rmse": _scored("", "np.sqrt(np.mean((predictions - truth) ** 2))"),
    "mae": _scored("", "np.mean(np.abs(predictions - truth))"),
    "r2": _scored("r2_score", "r2_score(truth, predictions)"),
}


def metric_of(asked: str, scores: Mapping[str, float]) -> str:
    """The race's metric, if its text stands here; else the first that does of those that were measured beside."""
    return next(name for name in (asked, "log_loss", "rmse", *scores) if name in METRICS and name in scores)
