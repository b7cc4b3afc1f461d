"""Weights that are sums of rows: of a penalised fit they are never anything else, and rows are fewer than columns.

Needs that this module answers:

* A descent over the shares of ten thousand rows moves a twentieth of the numbers of one over their 400,000 columns.
* A product goes through the matrix column by column, so that what is jumped to and fro in is rows, which the
  processor's cache holds; columns that many rows have are dense.
"""

from __future__ import annotations

from typing import Any

import numpy as np

DENSE = 0.1
"""A column that more of the rows have is kept dense, where there are several outputs: about twice the memory of these,
a sixth of the time."""
FEW = 3_000
"""So many rows' products with each other are kept, where there are several outputs: they take the time of some twenty
steps, and a penalty is chosen in a hundred."""


class RowSums:
    """Sums of the rows of a sparse matrix, each row with its shares in them.

    matrix: float32, shape (n, columns), one of scipy's. outputs: how many sums are taken at once.
    """

    def __init__(self, matrix: Any, outputs: int) -> None:
        self.columns, several = matrix.shape[1], outputs > 1
        owners = np.bincount(matrix.indices, minlength=self.columns)
        dense = owners > (DENSE * matrix.shape[0] if several else matrix.shape[0])
        self._common, self._rare = np.flatnonzero(dense), np.flatnonzero(~dense & (owners > 0))
        self._dense = _some(matrix, self._common).toarray()
        rows = _some(matrix, self._rare)
        self._sparse = rows.T.tocsr()
        self._products: np.ndarray | None = None
        if several and matrix.shape[0] <= FEW:
            self._products = self._dense @ self._dense.T + (rows @ self._sparse).toarray()

    def weights(self, shares: np.ndarray) -> np.ndarray:
        """The sums, float32, shape (columns, outputs). shares: shape (n, outputs)."""
        shares = shares.astype(np.float32)
        found = np.zeros((self.columns, shares.shape[1]), dtype=np.float32)
        found[self._common], found[self._rare] = self._dense.T @ shares, self._sparse @ shares
        return found

    def scores(self, shares: np.ndarray) -> np.ndarray:
        """Each row times the sums, float32, shape (n, outputs). shares: shape (n, outputs)."""
        shares = shares.astype(np.float32)
        if self._products is not None:
            return np.asarray(self._products @ shares)
        return np.asarray(self._dense @ (self._dense.T @ shares) + self._sparse.T @ (self._sparse @ shares))


def _some(matrix: Any, columns: np.ndarray) -> Any:
    place = np.full(matrix.shape[1], -1, dtype=np.int32)
    place[columns] = np.arange(len(columns))
    return renumbered(matrix, place[matrix.indices], len(columns))


def renumbered(matrix: Any, places: np.ndarray, count: int) -> Any:
    """A sparse matrix of so many columns. places: the new column of each number that is kept; of others -1."""
    from scipy.sparse import csr_matrix

    kept = np.flatnonzero(places >= 0)
    ends = np.searchsorted(kept, matrix.indptr)
    return csr_matrix((matrix.data[kept], places[kept], ends), shape=(matrix.shape[0], count))
