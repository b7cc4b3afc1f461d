"""What a trial gets: all that it may see, as arrays and plain values, so that it can cross into another process.

Needs that this module answers:

* A trial makes its inputs again by the name of their class; no object crosses.
* Labels of what is judged are in no job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepenough.learner import Examples


@dataclass(frozen=True)
class Job:
    """All that a trial may see, as arrays and plain values, so that it can cross into another process.

    shape: `supervised`, `interactive` or `unlabelled`; says which function of `racing.trial` runs it.
    arrays: by name, no objects among them.
    facts: JSON values.
    """

    shape: str
    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]


def form_of(asked: Any) -> dict[str, Any]:
    """Of a task or of examples as JSON values, what a path or a list is made of; of other answers nothing."""
    paths, lists = getattr(asked, "paths", None), getattr(asked, "lists", None)
    if lists is not None:
        return {"lists": [lists.most, lists.classes, lists.width]}
    return {} if paths is None else {"paths": [paths.steps, paths.levels]}


def supervised_job(examples: Examples, inputs: Any) -> Job:
    """Learn from the examples, and answer these inputs."""
    arrays = _arrays("train", examples.inputs) | _arrays("judge", inputs)
    arrays |= {"targets": examples.targets, "inner": examples.inner}
    arrays |= {} if examples.weights is None else {"weights": examples.weights}
    facts = {"inputs": path_of(inputs), "n_classes": examples.n_classes, **form_of(examples)}
    return Job("supervised", arrays, facts)


def unlabelled_job(examples: Any, inputs: Any) -> Job:
    """The same from inputs alone."""
    return Job("unlabelled", _arrays("train", examples) | _arrays("judge", inputs), {"inputs": path_of(inputs)})


def predicting_job(task: Any, inputs: Any, models: Sequence[Path]) -> Job:
    """No fit: models that trials kept answer units that none of them learnt from.

    task: of the models. models: their folders; each answers all units.
    """
    facts = {"inputs": path_of(inputs), "n_classes": getattr(task, "n_classes", None), **form_of(task)}
    return Job("predicted", _arrays("judge", inputs), facts | {"models": [str(place.resolve()) for place in models]})


def path_of(inputs: Any) -> str:
    """The class of inputs, by which a trial makes them again: `module:Class`."""
    return f"{type(inputs).__module__}:{type(inputs).__qualname__}"


def _arrays(whose: str, inputs: Any) -> dict[str, np.ndarray]:
    return {f"{whose}.{name}": array for name, array in inputs.to_arrays().items()}
