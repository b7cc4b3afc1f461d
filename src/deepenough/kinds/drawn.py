"""What classical learners answer with, drawn as an ONNX graph: from what was predicted to probabilities or numbers."""

from __future__ import annotations

import numpy as np

from deepenough.graph import Graph, Value
from deepenough.kinds.answers import LEAST_PROBABILITY, Answers


def decoded(graph: Graph, raw: Value, answers: Answers) -> Value:
    """As `Answers.decode`. raw: float64, of numbers shape (n, 1), of classes (n, width). Gives shape (n,) or
    (n, n_classes)."""
    if answers.n_classes is None:
        numbers = graph.put("Mul", graph.shaped(raw, (-1,)), graph.constant(answers.scale, np.float64))
        numbers = graph.put("Add", numbers, graph.constant(answers.centre, np.float64))
        if answers.least is None:
            return numbers
        return graph.put("Max", numbers, graph.constant(answers.least, np.float64))
    known = graph.put("Max", raw, graph.constant(LEAST_PROBABILITY, np.float64))
    if answers.width < answers.n_classes:
        first = graph.columns(known, [0])
        nothing = graph.put("Mul", first, graph.constant(0.0))
        unseen = graph.put("Add", nothing, graph.constant(answers.unseen, np.float64))
        place = {code: index for index, code in enumerate(answers.present)}
        wanted = [place.get(code, answers.width) for code in range(answers.n_classes)]
        known = graph.columns(graph.joined([known, unseen]), wanted)
    return graph.put("Div", known, graph.total(known, axis=1, keep=True))


def chances(graph: Graph, scores: Value, answers: Answers) -> Value:
    """Probabilities of the present classes, shape (n, width), from scores (of two classes one, of the second); numbers
    as they are."""
    if answers.n_classes is None:
        return scores
    if answers.width == 2:
        scores = graph.joined([graph.put("Mul", scores, graph.constant(0.0)), scores])
    return graph.put("Softmax", scores, axis=1)
