"""Trees of every library as ONNX draws them: one operator finds each tree's leaf, the leaves' values are looked up.

Needs that this module answers:

* Sums are float64, as the libraries have them: the operator of trees answers in float32, so it is asked for leaves.
* What a leaf says may be a whole row of classes, and stands in the file once.
* Categories are sets of codes: each question of a set becomes a column of 0 and 1 that is looked up by the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import ML, Graph, Value

MOST_LEAVES = 2**24
"""Of one tree: a float32 counts so far."""


@dataclass(frozen=True)
class Trees:
    """Trees as flat arrays, one entry a node, one tree after the other; the first node of each is its root.

    sizes: nodes of each tree, shape (trees,). columns: the column that a node asks about. thresholds: float64; a row
    goes left where its value is not above. missing_left: whether NaN goes left. lefts, rights: the next nodes, counted
    within the tree. is_leaf: bool. values: what the leaves say, in the order of their nodes, shape (leaves, ...).
    """

    sizes: np.ndarray
    columns: np.ndarray
    thresholds: np.ndarray
    missing_left: np.ndarray
    lefts: np.ndarray
    rights: np.ndarray
    is_leaf: np.ndarray
    values: np.ndarray


def said(graph: Graph, matrix: Value, trees: Trees) -> Value:
    """What each tree says of each row: float64, shape (n, trees, ...). matrix: float64, shape (n, columns)."""
    return graph.cast(graph.gather(trees.values, _leaves(graph, matrix, trees)), np.float64)


def _leaves(graph: Graph, matrix: Value, trees: Trees) -> Value:
    """The place of each row's leaf among all leaves, int64, shape (n, trees)."""
    count = len(trees.sizes)
    tree = np.repeat(np.arange(count), trees.sizes)
    roots = np.cumsum([0, *trees.sizes[:-1]])
    node = np.arange(len(tree)) - roots[tree]
    before = np.concatenate([[0], np.cumsum(trees.is_leaf)])
    offsets = before[roots]
    leaf = np.flatnonzero(trees.is_leaf)
    within = before[leaf] - offsets[tree[leaf]]
    if len(within) and within.max() >= MOST_LEAVES:
        raise ModelError(f"A tree of it has more than {MOST_LEAVES:,} leaves, which no ONNX file can count.")
    places = graph.put(
        "TreeEnsembleRegressor",
        matrix,
        domain=ML,
        n_targets=count,
        nodes_treeids=tree.tolist(),
        nodes_nodeids=node.tolist(),
        nodes_featureids=np.where(trees.is_leaf, 0, trees.columns).tolist(),
        nodes_modes=np.where(trees.is_leaf, b"LEAF", b"BRANCH_LEQ").tolist(),
        nodes_values_as_tensor=_tensor(np.where(trees.is_leaf, 0.0, trees.thresholds)),
        nodes_truenodeids=np.where(trees.is_leaf, 0, trees.lefts).tolist(),
        nodes_falsenodeids=np.where(trees.is_leaf, 0, trees.rights).tolist(),
        nodes_missing_value_tracks_true=(trees.missing_left & ~trees.is_leaf).astype(np.int64).tolist(),
        target_treeids=tree[leaf].tolist(),
        target_nodeids=node[leaf].tolist(),
        target_ids=tree[leaf].tolist(),
        target_weights_as_tensor=_tensor(within.astype(np.float64)),
    )
    return graph.put("Add", graph.cast(places, np.int64), graph.constant(offsets, np.int64))


def _tensor(array: np.ndarray) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(array)


@dataclass
class Growing:
    """Trees that are read node by node. Sets of codes become columns behind those of the matrix."""

    width: int
    nodes: list[tuple[int, float, bool, int, int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    leaves: list[Any] = field(default_factory=list)
    sets: dict[tuple[int, bytes], int] = field(default_factory=dict)

    def column_of(self, codes: int, holds: np.ndarray) -> int:
        """The column that is 1 where the code in that column of codes is in the set. holds: bool, shape (codes,)."""
        return self.width + self.sets.setdefault((codes, np.packbits(holds).tobytes()), len(self.sets))

    def trees(self) -> Trees:
        """All of them."""
        columns, thresholds, missing_left, lefts, rights = (np.array(part) for part in zip(*self.nodes, strict=True))
        is_leaf = columns < 0
        known = (np.array(self.sizes), columns, thresholds.astype(np.float64), missing_left.astype(bool))
        return Trees(*known, lefts, rights, is_leaf, np.array(self.leaves, dtype=np.float64))

    def matrix(self, graph: Graph, numbers: Value | None, codes: Value | None, cardinalities: Sequence[int]) -> Value:
        """The matrix that the trees ask about, float64: the numbers, then a column for every set."""
        first = graph.repeated(np.zeros((1, self.width))) if numbers is None else graph.cast(numbers, np.float64)
        parts, order = [first], []
        for place, size in enumerate(cardinalities):
            own = [known for known in self.sets if known[0] == place]
            if own and codes is not None:
                held = [np.unpackbits(np.frombuffer(bits, np.uint8))[:size] for _, bits in own]
                looked_up = graph.gather(np.stack(held, axis=1).astype(np.float64), graph.columns(codes, [place]))
                parts.append(graph.shaped(looked_up, (-1, len(own))))
                order += own
        places = [self.width + order.index(known) for known in self.sets]
        return graph.columns(graph.joined(parts), [*range(self.width), *places])
