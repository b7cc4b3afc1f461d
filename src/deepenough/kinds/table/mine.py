"""A person's own estimator as a runner of the race: `--race-mine module:estimator`.

Needs that this module answers:

* It is raced as it is: what has `fit` and `predict` in scikit-learn's way gets a pandas frame with the columns' own
  names and types, the rows and folds of the finalists, and a seed.
* It is judged as they are: probabilities get a temperature from inner rows that the asking fit had not seen, and no
  probability is zero for what a training set never showed.
* Its mistakes are said before the race where they can be (a module that is not there, a thing that can't fit), and are
  a row of evidence where they can't.
* Nothing of it is saved: it is the person's already, and would take a pickle.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from deepenough.errors import ModelError, OptionError
from deepenough.kinds.table.inputs import Column, Table
from deepenough.learner import Examples, Learner, Limits, Model

if TYPE_CHECKING:
    import pandas as pd

NOT_HANDED_OVER = "Your own model is judged, and stays where it is: it is neither saved nor loaded here."


@dataclass(frozen=True)
class Mine(Learner):
    """An estimator with scikit-learn's `fit` and `predict`, found by its name.

    path: `module:name` of an estimator, or of what makes one when it is called.
    folder: where the module is looked for first.
    """

    path: str
    folder: str
    made: Any = field(init=False, compare=False, repr=False)

    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Import it before the clock of a fit starts."""
        object.__setattr__(self, "made", _named(self.path, self.folder))

    def fit(self, examples: Examples, limits: Limits, seed: int) -> MineModel:
        """Fit on all rows; of a classifier first on the outer ones, so that the inner ones can calibrate it."""
        everything = np.arange(len(examples))
        inner = None
        if examples.n_classes is not None and len(examples.inner):
            first = self._fitted(examples, examples.outer, seed)
            inner = first.predict(examples.inputs.take(examples.inner))
        model = self._fitted(examples, everything, seed)
        model.inner_predictions = inner
        return model

    def _fitted(self, examples: Examples, rows: np.ndarray, seed: int) -> MineModel:
        estimator = _fresh(self.made, seed)
        weights = examples.weights_of(rows)
        more = {} if weights is None else {_weight_name(estimator): weights}
        estimator.fit(frame(examples.inputs.take(rows)), examples.targets[rows], **more)
        return MineModel(estimator, examples.n_classes, len(rows))


class MineModel(Model):
    """The fitted estimator."""

    def __init__(self, estimator: Any, n_classes: int | None, rows: int) -> None:
        self.estimator, self.n_classes, self.rows = estimator, n_classes, rows

    def predict(self, inputs: Table) -> np.ndarray:
        if self.n_classes is None:
            return np.asarray(self.estimator.predict(frame(inputs)), dtype=np.float64).reshape(len(inputs))
        shares = np.zeros((len(inputs), self.n_classes))
        if hasattr(self.estimator, "predict_proba"):
            own = np.asarray(self.estimator.classes_).astype(np.int64)
            shares[:, own] = self.estimator.predict_proba(frame(inputs))
        else:  # a sure answer; the temperature makes it as sure as it is right
            answers = np.asarray(self.estimator.predict(frame(inputs))).astype(np.int64)
            shares[np.arange(len(inputs)), answers] = 1.0
        least = 1 / (self.rows + self.n_classes)
        return np.asarray((1 - self.n_classes * least) * shares / shares.sum(axis=1, keepdims=True) + least)

    def save(self, folder: Path) -> None:
        raise ModelError(NOT_HANDED_OVER)

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise ModelError(NOT_HANDED_OVER)


def named(where: str) -> Mine:
    """The learner of `module:name`, or of `path/to/file.py:name`. Raises OptionError where it leads nowhere."""
    module, _, name = str(where).rpartition(":")
    if not module or not name:
        raise OptionError(
            f"--race-mine {where!r} is no place of an estimator. Write module:name, or path/to/file.py:name."
        )
    path = Path(module).expanduser()
    if module.endswith(".py") and not path.is_file():
        raise OptionError(f"--race-mine: there is no file {module}. Write module:name, or path/to/file.py:name.")
    folder = path.resolve().parent if module.endswith(".py") else Path.cwd()
    try:
        return Mine(f"{path.stem if module.endswith('.py') else module}:{name}", str(folder))
    except OptionError:
        raise
    except Exception as error:  # whatever a person's module raises when it is imported
        raise OptionError(f"--race-mine {where} can't be imported: {type(error).__name__}: {error}.") from error


def _named(path: str, folder: str) -> Any:
    """The estimator itself, or what makes one."""
    module, _, name = path.partition(":")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    found = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise OptionError(f"--race-mine {path}: {module} has no {name}.")
        found = getattr(found, part)
    if not callable(found) and not (hasattr(found, "fit") and hasattr(found, "predict")):
        raise OptionError(
            f"--race-mine {path} is a {type(found).__name__}. Expected an estimator with fit and predict, or a "
            "function that makes one."
        )
    return found


def _fresh(made: Any, seed: int) -> Any:
    """An unfitted estimator of one's own, its random states set to the seed."""
    is_maker = inspect.isclass(made) or not hasattr(made, "fit")
    estimator = made() if is_maker else made
    if not (hasattr(estimator, "fit") and hasattr(estimator, "predict")):
        raise TypeError(f"made a {type(estimator).__name__}, which has no fit and predict")
    if not hasattr(estimator, "get_params"):
        return copy.deepcopy(estimator)
    from sklearn.base import clone

    own = clone(estimator)
    states = [name for name in own.get_params() if name == "random_state" or name.endswith("__random_state")]
    return own.set_params(**dict.fromkeys(states, seed))


def _weight_name(estimator: Any) -> str:
    """How its `fit` takes weights: by a pipeline's last step, or itself."""
    steps = getattr(estimator, "steps", None)
    last, prefix = (steps[-1][1], f"{steps[-1][0]}__") if steps else (estimator, "")
    if "sample_weight" not in inspect.signature(last.fit).parameters:
        raise TypeError(f"{type(last).__name__}.fit takes no sample_weight, and the rows have weights")
    return f"{prefix}sample_weight"


def frame(table: Table) -> pd.DataFrame:
    """The table as pandas has it: numbers, dates, and strings (numbers again where all levels are numbers)."""
    import pandas as pd

    return pd.DataFrame({column.name: _series(column) for column in table.columns})


def _series(column: Column) -> Any:
    import pandas as pd

    if column.role == "date":
        return pd.to_datetime(pd.Series(column.values), unit="s")
    if not column.levels:
        return pd.Series(column.values)
    levels = pd.Series([*column.levels, None], dtype=object)
    numbers = pd.to_numeric(levels, errors="coerce")
    if numbers[:-1].notna().all():
        levels = numbers
    return levels.iloc[column.values].reset_index(drop=True)
