"""The forward pass of a trained net as an ONNX graph, step by step as `forward` has it in numpy, in float32.

Shapes are those of `blocks` and `bodies`: B rows, m members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepenough.errors import ModelError
from deepenough.graph import Graph, Value
from deepenough.nets.forward import EPSILON
from deepenough.nets.outputs import Outputs

Weights = Mapping[str, np.ndarray]


def forward(
    graph: Graph,
    architecture: Mapping[str, Any],
    weights: Weights,
    numbers: Value | None,
    flags: Value | None,
    codes: Value | None,
) -> Value:
    """Members' outputs, float32, shape (m, B, outputs). numbers, flags, codes: as `bodies.Front` takes them."""
    body = _BODIES.get(architecture["class"])
    if body is None:
        raise ModelError(f"Nets of the form {architecture['class']} can't be exported.")
    return body(graph, _below(weights, "body"), _front(graph, architecture["front"], weights, numbers, flags, codes))


def answered(graph: Graph, outputs: Value, target: Outputs) -> Value:
    """As `Outputs.answer`: float64, shape (B, n_classes) or (B,)."""
    wide = graph.cast(outputs, np.float64)
    if target.n_classes is not None:
        mean = graph.put("ReduceMean", graph.put("Softmax", wide, axis=2), axes=[0], keepdims=0)
        return graph.put("Div", mean, graph.total(mean, axis=1, keep=True))
    mean = graph.shaped(graph.put("ReduceMean", wide, axes=[0], keepdims=0), (-1,))
    numbers = graph.put("Mul", mean, graph.constant(target.deviation, np.float64))
    numbers = graph.put("Add", numbers, graph.constant(target.mean, np.float64))
    margin = 0.1 * (target.high - target.low)
    low = target.low - margin if target.least is None else max(target.low - margin, target.least)
    return graph.put("Clip", numbers, graph.constant(low, np.float64), graph.constant(target.high + margin, np.float64))


def _below(weights: Weights, name: str) -> dict[str, np.ndarray]:
    return {key[len(name) + 1 :]: array for key, array in weights.items() if key.startswith(f"{name}.")}


def _parts(weights: Weights, name: str) -> list[dict[str, np.ndarray]]:
    count = len({key.split(".")[1] for key in weights if key.startswith(f"{name}.")})
    return [_below(weights, f"{name}.{place}") for place in range(count)]


def _front(
    graph: Graph,
    about: Mapping[str, Any],
    weights: Weights,
    numbers: Value | None,
    flags: Value | None,
    codes: Value | None,
) -> Value:
    own = _below(weights, "front")
    parts = []
    if numbers is not None:
        parts.append(_waves(graph, _below(own, "waves"), numbers) if "waves.mix" in own else numbers)
    parts += [] if flags is None else [flags]
    if "pieces.low" in own and numbers is not None:
        parts.append(_pieces(graph, _below(own, "pieces"), numbers))
    if "vectors.vectors" in own and codes is not None:
        vectors = own["vectors.vectors"]
        starts = np.cumsum([0, *about["cardinalities"][:-1]])
        places = graph.put("Add", codes, graph.constant(starts[None], np.int64))
        parts.append(graph.shaped(graph.gather(vectors, places), (-1, len(starts) * vectors.shape[-1])))
    if not parts:
        raise ModelError("None of its columns held anything in training: there is nothing to export.")
    x = graph.joined(parts)
    return graph.put("Mul", x, graph.constant(own["scale.factor"])) if "scale.factor" in own else x


def _waves(graph: Graph, own: Weights, numbers: Value) -> Value:
    frequencies = (2 * np.pi * own["frequencies"][:, None, :]).astype(np.float32)
    features, _, out = own["mix"].shape
    across = graph.put("Unsqueeze", graph.put("Transpose", numbers, perm=[1, 0]), graph.constant([2], np.int64))
    angles = graph.put("Mul", across, graph.constant(frequencies))
    angles = graph.put("Add", angles, graph.constant(own["phases"][:, None, :]))
    mixed = graph.put("MatMul", graph.put("Cos", angles), graph.constant(own["mix"]))
    mixed = graph.put("Transpose", graph.put("Add", mixed, graph.constant(own["shift"])), perm=[1, 0, 2])
    beside = graph.put("Unsqueeze", numbers, graph.constant([2], np.int64))
    return graph.shaped(graph.joined([beside, mixed], axis=2), (-1, features * (out + 1)))


def _pieces(graph: Graph, own: Weights, numbers: Value) -> Value:
    along = graph.put("Sub", graph.columns(numbers, own["column"].tolist()), graph.constant(own["low"][None]))
    along = graph.put("Div", along, graph.constant(own["length"][None]))
    return graph.put("Clip", along, graph.constant(0, np.float32), graph.constant(1, np.float32))


def _member_linear(graph: Graph, own: Weights, x: Value) -> Value:
    return graph.put("Add", graph.put("MatMul", x, graph.constant(own["weight"])), graph.constant(own["bias.values"]))


def _shared_linear(graph: Graph, own: Weights, x: Value) -> Value:
    x = graph.put("Mul", x, graph.constant(own["inputs.values"]))
    x = graph.put("MatMul", x, graph.constant(own["weight"]))
    x = graph.put("Mul", x, graph.constant(own["outputs.values"]))
    return graph.put("Add", x, graph.constant(own["bias.values"]))


def _silu(graph: Graph, x: Value) -> Value:
    return graph.put("Mul", x, graph.put("Sigmoid", x))


def _layer_norm(graph: Graph, own: Weights, x: Value) -> Value:
    weight, bias = graph.constant(own["weight"]), graph.constant(own["bias"])
    return graph.put("LayerNormalization", x, weight, bias, axis=-1, epsilon=EPSILON)


def _member_mlp(graph: Graph, own: Weights, x: Value) -> Value:
    for layer in _parts(own, "layers"):
        x = _silu(graph, _member_linear(graph, layer, x))
    return _member_linear(graph, _below(own, "head"), x)


def _shared_mlp(graph: Graph, own: Weights, x: Value) -> Value:
    for layer in _parts(own, "layers"):
        x = graph.put("Relu", _shared_linear(graph, layer, x))
    return _member_linear(graph, _below(own, "head"), x)


def _residual(graph: Graph, own: Weights, x: Value) -> Value:
    x = _member_linear(graph, _below(own, "entry"), x)
    *norms, last = _parts(own, "norms")
    for norm, widen, narrow in zip(norms, _parts(own, "widen"), _parts(own, "narrow"), strict=True):
        inner = _silu(graph, _member_linear(graph, widen, _layer_norm(graph, norm, x)))
        x = graph.put("Add", x, _member_linear(graph, narrow, inner))
    return _member_linear(graph, _below(own, "head"), _silu(graph, _layer_norm(graph, last, x)))


_BODIES = {"MemberMlp": _member_mlp, "SharedMlp": _shared_mlp, "Residual": _residual}
