"""New rows to choose among: what the model says of them, and what else stands in them.

Needs that this module answers:

* More rows than memory holds: of each a prediction is kept, and what was asked of it; the rows themselves are read
  again for those that are acted on.
* Rows of a table keep all their columns, also those that the model does not look at: a telephone number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.errors import OptionError
from deepenough.model.folder import LoadedModel
from deepenough.task import files, sql
from deepenough.task import frame as frames
from deepenough.task import source as sources
from deepenough.task.frame import Frame

if TYPE_CHECKING:
    import pandas as pd

BATCH = 10_000
Asked = Callable[[Frame], np.ndarray]
"""What is wanted to be known of each row, of its columns."""


@dataclass(frozen=True)
class Rows:
    """predictions: as `LoadedModel.predict_raw` gives them, shape (n, ...). asked: by name, what was wanted. unread: by
    column, how many cells could not be read and count as missing."""

    source: Any
    model: LoadedModel
    predictions: np.ndarray
    asked: Mapping[str, np.ndarray]
    unread: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.predictions)

    def taken(self, places: np.ndarray) -> pd.DataFrame:
        """The rows at these places, in the order of the places: their own columns, or what they are called."""
        return _picked(_tables(self.source) if is_table(self.source) else _called(self.model, self.source), places)

    def as_read(self, places: np.ndarray) -> list[dict[str, Any]]:
        """The rows of a table at these places as the model reads them: paths lead from the table's own folder, numbers
        and dates are read in the file's own style."""
        frame = _picked(map(_as_pandas, self.model.codec.batches(self.source, BATCH)), places)
        return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _picked(parts: Iterable[pd.DataFrame], places: np.ndarray) -> pd.DataFrame:
    """The rows at these places of all parts, in the order of the places."""
    import pandas as pd

    wanted = np.sort(places)
    found, begin = [], 0
    for part in parts:
        inside = wanted[(wanted >= begin) & (wanted < begin + len(part))]
        if len(inside):
            found.append(part.iloc[inside - begin])
        begin += len(part)
    if not found:
        return pd.DataFrame(index=range(0))
    together = pd.concat(found, ignore_index=True)
    return together.iloc[np.argsort(np.argsort(places, kind="stable"), kind="stable")].reset_index(drop=True)


def read(source: Any, model: LoadedModel, asked: Mapping[str, Asked]) -> Rows:
    """Predict all rows of a source. Raises OptionError where columns are asked of what has none."""
    if asked and not is_table(source):
        raise OptionError(f"{' and '.join(f'--{name}' for name in asked)} need a table with that column.")
    codec = model.codec
    predictions, unread = [], Counter[str]()
    for part in codec.batches(source, BATCH):
        inputs = codec.encode(part)
        unread.update(codec.unread(part, inputs))
        predictions.append(model.predict_raw(inputs))
    told: dict[str, list[np.ndarray]] = {name: [] for name in asked}
    for part in _tables(source) if asked else ():
        frame = frames.from_frame(part)
        for name, look in asked.items():
            told[name].append(look(frame))
    known = {name: np.concatenate(parts) for name, parts in told.items()}
    together = np.concatenate(predictions) if predictions else np.empty((0,))
    if not len(together):
        raise OptionError(f"{source} holds no rows to act on.")
    return Rows(source, model, together, known, unread)


def is_table(source: Any) -> bool:
    """Whether rows have columns of their own."""
    if frames.is_frame(source) or sql.is_address(source):
        return True
    return isinstance(source, str | Path) and bool(files.tabular_ending(Path(source).name)) and Path(source).is_file()


def _tables(source: Any) -> Iterator[pd.DataFrame]:
    for part in sources.batches(source, BATCH):
        yield _as_pandas(part)


def _as_pandas(part: Any) -> pd.DataFrame:
    import narwhals as nw
    import pandas as pd

    if isinstance(part, pd.DataFrame):
        return part
    return pd.DataFrame(part) if isinstance(part, list) else nw.from_native(part, eager_only=True).to_pandas()


def _called(model: LoadedModel, source: Any) -> Iterator[pd.DataFrame]:
    """What units without columns are called, as far as anything names them."""
    import pandas as pd

    for part in model.codec.batches(source, BATCH):
        inputs = model.codec.encode(part)
        names = getattr(inputs, "files", ())
        yield pd.DataFrame({"file": list(names)} if len(names) == len(inputs) else index_of(len(inputs)))


def index_of(rows: int) -> dict[str, list[int]]:
    """A number a row."""
    return {"number": list(range(1, rows + 1))}
