"""New rows to choose among: what the model says of them, and what else stands in them.

Needs that this module answers:

* More rows than memory holds: of each a prediction is kept, and what was asked of it; the rows themselves are read
  again for those that are acted on.
* Rows of a table keep all their columns, also those that the model does not look at: a telephone number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    """predictions: as `LoadedModel.predict_raw` gives them, shape (n, ...). asked: by name, what was wanted."""

    source: Any
    model: LoadedModel
    predictions: np.ndarray
    asked: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.predictions)

    def taken(self, places: np.ndarray) -> pd.DataFrame:
        """The rows at these places, in the order of the places: their own columns, or what they are called."""
        import pandas as pd

        wanted = np.sort(places)
        found, begin = [], 0
        for part in _tables(self.source) if is_table(self.source) else _called(self.model, self.source):
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
    predictions = [model.predict_raw(codec.encode(part)) for part in codec.batches(source, BATCH)]
    told: dict[str, list[np.ndarray]] = {name: [] for name in asked}
    for part in _tables(source) if asked else ():
        frame = frames.from_frame(part)
        for name, look in asked.items():
            told[name].append(look(frame))
    known = {name: np.concatenate(parts) for name, parts in told.items()}
    together = np.concatenate(predictions) if predictions else np.empty((0,))
    if not len(together):
        raise OptionError(f"{source} holds no rows to act on.")
    return Rows(source, model, together, known)


def is_table(source: Any) -> bool:
    """Whether rows have columns of their own."""
    if frames.is_frame(source) or sql.is_address(source):
        return True
    return isinstance(source, str | Path) and bool(files.tabular_ending(Path(source).name)) and Path(source).is_file()


def _tables(source: Any) -> Iterator[pd.DataFrame]:
    import pandas as pd

    for part in sources.batches(source, BATCH):
        yield part if isinstance(part, pd.DataFrame) else _as_pandas(part)


def _as_pandas(part: Any) -> pd.DataFrame:
    import narwhals as nw
    import pandas as pd

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
