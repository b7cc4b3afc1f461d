"""From a module and examples to a trained net, for every kind whose nets see more than a table's row.

Needs that this module answers:

* A kind says how the inputs of some examples become tensors; training, choosing the epoch and answering in batches are
  the same for all.
* What is saved is open: weights as safetensors, the architecture and what the outputs mean as JSON.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from deepenough.learner import Examples, Limits
from deepenough.nets import loop

MOST_INNER = 2_000
"""Inner rows that are looked at while training."""
BATCH = 256
"""Rows at once where nothing is trained."""

Given = Callable[[np.ndarray], tuple[Tensor, ...]]
"""What the module takes for these rows, on its device."""


class Meaning(Protocol):
    """What outputs mean; `nets.outputs.Outputs` of classes and numbers."""

    def loss(self, outputs: Tensor, goal: Tensor, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
        """What training lowers; outputs of shape (m, B, ...)."""

    def inner_loss(self, outputs: np.ndarray, standard: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The loss as it will be judged, by which the epoch is chosen."""


@contextlib.contextmanager
def seeded(seed: int, limits: Limits) -> Iterator[None]:
    """Torch with so many threads, and random numbers of its own from this seed; before a module is built."""
    torch.set_num_threads(limits.threads)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def train(
    net: nn.Module,
    given: Given,
    standard: np.ndarray,
    examples: Examples,
    meaning: Meaning,
    recipe: loop.Recipe,
    limits: Limits,
    seed: int,
    smoothing: float = 0.0,
    lengths: np.ndarray | None = None,
) -> loop.Trained:
    """Train in place on the outer rows, the epoch chosen on the inner ones; the module ends in evaluation mode.

    net: takes what `given` gives, and gives outputs of shape (m, B, ...), m members. standard: the targets as `meaning`
    has them, shape (n, ...). lengths: of all rows, where batches are padded to their longest (see `loop.train`).
    """
    outer = examples.outer if len(examples.outer) else np.arange(len(examples))
    inner = spread(examples.inner, MOST_INNER)
    weights = examples.weights_of(outer)
    net.to(limits.device)
    goals = torch.from_numpy(np.ascontiguousarray(standard[outer])).to(limits.device)
    counts = None if weights is None else torch.from_numpy(weights.astype(np.float32)).to(limits.device)

    def loss(places: Tensor) -> Tensor:
        found = net(*given(outer[places.cpu().numpy()]))
        return meaning.loss(found, goals[places], smoothing, None if counts is None else counts[places])

    def check() -> float:
        return meaning.inner_loss(outputs(net, given, inner), standard[inner], examples.weights_of(inner))

    sizes = None if lengths is None else lengths[outer]
    return loop.train(net, loss, check if len(inner) else None, len(outer), recipe, limits, seed, sizes)


def outputs(net: nn.Module, given: Given, rows: np.ndarray, batch: int = BATCH) -> np.ndarray:
    """Members' outputs of these rows, shape (m, n, ...), computed in batches."""
    parts: list[Any] = []
    with torch.inference_mode():
        for start in range(0, max(1, len(rows)), batch):
            parts.append(net(*given(rows[start : start + batch])).cpu().numpy())
    return np.concatenate(parts, axis=1)


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, evenly spread."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def padded(sequences: Sequence[np.ndarray], at_least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of integers as one array, shape (n, longest), 0 behind their ends; and their lengths."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    whole = np.zeros((len(sequences), max(at_least, int(lengths.max(initial=0)))), dtype=np.int64)
    for row, sequence in enumerate(sequences):
        whole[row, : len(sequence)] = sequence
    return whole, lengths
