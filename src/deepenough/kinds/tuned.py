"""Pretrained nets of which the last layers are trained on: what kinds share that have them.

Needs that this module answers:

* Training starts from the weighted sum that fits the frozen net, so it can only be better than that, or stay there.
* What is not better on the inner rows is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deepenough.kinds.answers import Answers, outer_rows
from deepenough.kinds.weighted import WeightedSums, strength
from deepenough.learner import Examples, Limits
from deepenough.nets.outputs import Outputs

if TYPE_CHECKING:
    from torch import nn

    from deepenough.kinds.trained import Given


def start_from_sum(head: Any, vectors: np.ndarray, examples: Examples, limits: Limits) -> None:
    """Make the head the weighted sum that fits the frozen net's vectors of the outer rows."""
    import torch

    outer = outer_rows(examples)
    counts = examples.weights_of(outer)
    answers = Answers.of(examples.targets[outer], examples.n_classes, counts)
    if answers.n_classes is not None and answers.width < 2:
        return
    sums = WeightedSums(vectors[outer], answers.encode(examples.targets[outer]), answers, limits, counts)
    learnt = sums.weights(strength(vectors, examples, limits))
    if answers.width == 2:
        learnt = np.concatenate([np.zeros_like(learnt), learnt], axis=1)
    places = [0] if answers.n_classes is None else list(answers.present)
    weight, bias = np.zeros(head.weight.shape[1:]), np.zeros(head.weight.shape[2])
    if len(places) < len(bias):  # a class that none of these rows has stays as rare as it is
        scores = vectors[outer] @ learnt[:-1] + learnt[-1]
        bias += np.log(np.exp(scores).sum(axis=1)).mean() + np.log(answers.unseen)
    weight[:, places], bias[places] = learnt[:-1], learnt[-1]
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight[None]))
        head.bias.values.copy_(torch.from_numpy(bias))


def trained_on(
    last: nn.Module,
    given: Given,
    examples: Examples,
    target: Outputs,
    recipe: Mapping[str, Any],
    limits: Limits,
    seed: int,
    lengths: np.ndarray | None = None,
) -> float:
    """Train the last layers in place; as they were before, where the inner rows are not better predicted.

    given: how rows become what the last layers take. recipe: arguments of `nets.loop.Recipe`. lengths: see
    `nets.loop.train`. Returns the share of the plan that was done.
    """
    from deepenough.nets import loop, supervised

    standard, inner = target.standard(examples.targets), examples.inner
    before = {name: tensor.clone() for name, tensor in last.state_dict().items()}

    def loss() -> float:
        if not len(inner):
            return float("inf")
        found = supervised.outputs(last, given, inner)
        return target.inner_loss(found, standard[inner], examples.weights_of(inner))

    frozen = loss()
    trained = supervised.train(
        last, given, standard, examples, target, loop.Recipe(**recipe), limits, seed, lengths=lengths
    )
    if len(inner) and loss() >= frozen:
        last.load_state_dict(before)
    return trained.planned
