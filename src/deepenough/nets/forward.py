"""The forward pass of a trained net in numpy alone, so that who predicts needs no torch.

Needs that this module answers:

* Serving a small net must not take torch's hundreds of megabytes, nor the seconds of its import.
* It is the same net: built from the same architecture and the weights by torch's names (see `weights`), equal to
  `bodies` but for the rounding of float32. `difference` measures that, and no net leaves its fit without it.
* One row is a few dozen small products, ruled by the cost of a call: weights are looked up and made ready once.
* Shapes are those of `blocks` and `bodies`: B rows, m members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Weights = Mapping[str, np.ndarray]
Step = Callable[[np.ndarray], np.ndarray]

BATCH = 1_024
"""Rows at once: few enough that what stands between the layers stays near the processor."""
EPSILON = 1e-5
"""Of a layer normalisation, as torch has it."""


class Forward:
    """A trained net that answers.

    architecture: as `bodies.build` takes it. weights: float32 (places int64), by the names of torch's `state_dict`.
    """

    def __init__(self, architecture: Mapping[str, Any], weights: Weights) -> None:
        self.architecture, self.weights = architecture, weights
        self._front = _Front(architecture["front"], _below(weights, "front"))
        self._body = _BODIES[architecture["class"]](_below(weights, "body"))

    def __call__(self, numbers: np.ndarray, flags: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Members' outputs, shape (m, n, outputs), computed in batches. The inputs are those of `bodies.Front`."""
        starts = range(0, max(1, len(numbers)), BATCH)
        parts = [self._some(numbers[a : a + BATCH], flags[a : a + BATCH], codes[a : a + BATCH]) for a in starts]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _some(self, numbers: np.ndarray, flags: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return self._body(self._front(numbers, flags, codes))


def difference(some: np.ndarray, others: np.ndarray) -> float:
    """By how much two nets' outputs differ at most; of outputs beyond 1, relative to them."""
    return float(np.max(np.abs(some - others) / np.maximum(np.abs(others), 1.0), initial=0.0))


class _Front:
    """Numbers, flags and codes to one vector a row, shape (B, width)."""

    def __init__(self, about: Mapping[str, Any], weights: Weights) -> None:
        self._scale = weights.get("scale.factor")
        self._waves = _waves(_below(weights, "waves")) if "waves.mix" in weights else None
        self._pieces = _pieces(_below(weights, "pieces")) if "pieces.low" in weights else None
        self._vectors = weights.get("vectors.vectors")
        self._starts = np.cumsum([0, *about["cardinalities"][:-1]])

    def __call__(self, numbers: np.ndarray, flags: np.ndarray, codes: np.ndarray) -> np.ndarray:
        parts = [numbers if self._waves is None else self._waves(numbers), flags]
        if self._pieces is not None:
            parts.append(self._pieces(numbers))
        if self._vectors is not None:
            vectors = self._vectors[codes + self._starts]
            parts.append(vectors.reshape(len(codes), vectors.shape[1] * vectors.shape[2]))
        x = np.concatenate(parts, axis=1)
        return x if self._scale is None else x * self._scale


def _below(weights: Weights, name: str) -> dict[str, np.ndarray]:
    """The weights of a part, by their names within it."""
    return {key[len(name) + 1 :]: array for key, array in weights.items() if key.startswith(f"{name}.")}


def _count(weights: Weights, name: str) -> int:
    """How many parts a list of modules has."""
    return len({key.split(".")[1] for key in weights if key.startswith(f"{name}.")})


def _waves(weights: Weights) -> Step:
    """Each number, and a few waves of it mixed: (B, p) -> (B, p * (out + 1))."""
    frequencies = (2 * np.pi * weights["frequencies"][:, None, :]).astype(np.float32)
    phases, mix, shift = weights["phases"][:, None, :], weights["mix"], weights["shift"]
    features, _, out = mix.shape

    def forward(x: np.ndarray) -> np.ndarray:
        mixed = np.cos(x.T[:, :, None] * frequencies + phases) @ mix + shift  # (p, B, out)
        beside = np.empty((len(x), features, out + 1), dtype=np.float32)
        beside[:, :, 0] = x
        beside[:, :, 1:] = mixed.transpose(1, 0, 2)
        return beside.reshape(len(x), features * (out + 1))

    return forward


def _pieces(weights: Weights) -> Step:
    """How far along each piece its number is: (B, p) -> (B, pieces)."""
    column, low, length = weights["column"], weights["low"], weights["length"]
    return lambda x: np.clip((x[:, column] - low) / length, 0.0, 1.0)


def _member_linear(weights: Weights) -> Step:
    """(B, inputs) or (m, B, inputs) -> (m, B, outputs), each member by its own weights."""
    weight, bias = weights["weight"], weights["bias.values"]

    def forward(x: np.ndarray) -> np.ndarray:
        outputs = np.asarray(x @ weight)
        outputs += bias
        return outputs

    return forward


def _shared_linear(weights: Weights) -> Step:
    """(B, inputs) or (m, B, inputs) -> (m, B, outputs), the weights shared, the factors each member's own."""
    weight, bias = weights["weight"], weights["bias.values"]
    inward, outward = weights["inputs.values"], weights["outputs.values"]

    def forward(x: np.ndarray) -> np.ndarray:
        outputs = np.asarray((x * inward) @ weight)
        outputs *= outward
        outputs += bias
        return outputs

    return forward


def _layer_norm(weights: Weights) -> Step:
    factor, shift = weights["weight"], weights["bias"]

    def forward(x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        return np.asarray(centred / np.sqrt(variance + EPSILON) * factor + shift)

    return forward


def _silu(x: np.ndarray) -> np.ndarray:
    """x / (1 + exp(-x)), written so that nothing overflows."""
    half = 0.5 * x
    return np.asarray(half + half * np.tanh(half))


def _relu(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(x, 0.0))


def _in_turn(steps: list[Step], bend: Step, head: Step) -> Step:
    def forward(x: np.ndarray) -> np.ndarray:
        for step in steps:
            x = bend(step(x))
        return head(x)

    return forward


def _parts(weights: Weights, name: str, step: Callable[[Weights], Step]) -> list[Step]:
    return [step(_below(weights, f"{name}.{place}")) for place in range(_count(weights, name))]


def _member_mlp(weights: Weights) -> Step:
    return _in_turn(_parts(weights, "layers", _member_linear), _silu, _member_linear(_below(weights, "head")))


def _shared_mlp(weights: Weights) -> Step:
    return _in_turn(_parts(weights, "layers", _shared_linear), _relu, _member_linear(_below(weights, "head")))


def _residual(weights: Weights) -> Step:
    entry, head = _member_linear(_below(weights, "entry")), _member_linear(_below(weights, "head"))
    *norms, last = _parts(weights, "norms", _layer_norm)
    widen, narrow = (_parts(weights, name, _member_linear) for name in ("widen", "narrow"))

    def forward(x: np.ndarray) -> np.ndarray:
        x = entry(x)
        for norm, wider, narrower in zip(norms, widen, narrow, strict=True):
            x = x + narrower(_silu(wider(norm(x))))
        return head(_silu(last(x)))

    return forward


_BODIES: Mapping[str, Callable[[Weights], Step]] = {
    "MemberMlp": _member_mlp,
    "SharedMlp": _shared_mlp,
    "Residual": _residual,
}
