"""Whole nets: a front that takes numbers, flags and codes, and bodies that make outputs of it.

Needs that this module answers:

* A net is made again from plain JSON: `build(architecture)`, the architecture being the arguments of its parts.
* Every net answers alike, whether it is one net or an ensemble: outputs of shape (m, B, outputs), averaged by `answer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.blocks import CategoryVectors, Dropout, MemberLinear, PeriodicNumbers, Pieces, Scale, SharedLinear


class Front(nn.Module):
    """Numbers, flags (0 or 1) and codes of categories to one vector a row.

    numbers, flags: how many; cardinalities: of each column of codes; waves: cosines a number, 0: numbers as they are;
    vector: width of a category's vector; scaled: whether a learnt factor a feature comes last.

    Shape: (B, numbers), (B, flags), (B, columns) int64 -> (B, width).
    """

    def __init__(
        self,
        numbers: int,
        flags: int,
        cardinalities: Sequence[int],
        waves: int = 16,
        mixed: int = 3,
        spread: float = 0.1,
        vector: int = 8,
        scaled: bool = True,
        pieces: int = 0,
    ) -> None:
        super().__init__()
        self.waves = PeriodicNumbers(numbers, waves, mixed, spread) if waves and numbers else None
        self.vectors = CategoryVectors(cardinalities, vector) if cardinalities else None
        each = 1 if self.waves is None else mixed + 1
        self.width = numbers * each + flags + pieces + vector * len(cardinalities)
        self.pieces = Pieces(pieces) if pieces else None
        self.scale = Scale(self.width) if scaled else None

    def cut(self, column: np.ndarray, low: np.ndarray, length: np.ndarray) -> None:
        """Say where the numbers are cut, a value a piece."""
        if self.pieces is not None:
            for name, values in {"column": column, "low": low, "length": length}.items():
                self.pieces.get_buffer(name).copy_(torch.from_numpy(values))

    def forward(self, numbers: Tensor, flags: Tensor, codes: Tensor) -> Tensor:
        parts = [numbers if self.waves is None else self.waves(numbers), flags]
        if self.pieces is not None:
            parts.append(self.pieces(numbers))
        if self.vectors is not None:
            parts.append(self.vectors(codes))
        x = torch.cat(parts, dim=1)
        return x if self.scale is None else self.scale(x)


class Body(nn.Module):
    """What stands between the front and the answer.

    Shape: (B, inputs) -> (m, B, outputs).
    """

    head: MemberLinear


class MemberMlp(Body):
    """m independent multilayer perceptrons, run at once.

    Shape: (B, inputs) -> (m, B, outputs).
    """

    def __init__(
        self, inputs: int, outputs: int, members: int = 1, width: int = 256, layers: int = 3, dropout: float = 0.1
    ) -> None:
        super().__init__()
        widths = [inputs, *[width] * layers]
        self.layers = nn.ModuleList(MemberLinear(members, a, b, 1.4) for a, b in pairwise(widths))
        self.head = MemberLinear(members, width, outputs, 0.0)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = self.dropout(functional.silu(layer(x)))
        return self.head(x)  # type: ignore[no-any-return] # torch types every call of a module as Any


class SharedMlp(Body):
    """TabM: one multilayer perceptron that m members share but for cheap factors (Gorishniy, Kotelnikov and Babenko,
    2024, arXiv 2410.24210); each member has a head of its own.

    Shape: (B, inputs) -> (m, B, outputs).
    """

    def __init__(
        self, inputs: int, outputs: int, members: int = 16, width: int = 128, layers: int = 2, dropout: float = 0.1
    ) -> None:
        super().__init__()
        widths = [inputs, *[width] * layers]
        pairs = enumerate(pairwise(widths))
        self.layers = nn.ModuleList(SharedLinear(members, a, b, first=place == 0) for place, (a, b) in pairs)
        self.head = MemberLinear(members, width, outputs, 1.0)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = self.dropout(functional.relu(layer(x)))
        return self.head(x)  # type: ignore[no-any-return] # torch types every call of a module as Any


class Residual(Body):
    """Blocks that each add a correction: normalise, widen, bend, drop, narrow (Gorishniy et al., 2021, arXiv
    2106.11959, with layer normalisation).

    Shape: (B, inputs) -> (1, B, outputs).
    """

    def __init__(
        self, inputs: int, outputs: int, width: int = 128, blocks: int = 2, wider: float = 2.0, dropout: float = 0.2
    ) -> None:
        super().__init__()
        inside = max(1, round(width * wider))
        self.entry = MemberLinear(1, inputs, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(blocks + 1))
        self.widen = nn.ModuleList(MemberLinear(1, width, inside, 1.4) for _ in range(blocks))
        self.narrow = nn.ModuleList(MemberLinear(1, inside, width) for _ in range(blocks))
        self.head = MemberLinear(1, width, outputs)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.entry(x)
        for norm, widen, narrow in zip(self.norms, self.widen, self.narrow, strict=False):
            x = x + narrow(self.dropout(functional.silu(widen(norm(x)))))
        return self.head(functional.silu(self.norms[-1](x)))  # type: ignore[no-any-return] # torch types every call of a module as Any


BODIES: dict[str, type[Body]] = {body.__name__: body for body in (MemberMlp, SharedMlp, Residual)}


class Net(nn.Module):
    """A front and a body.

    Shape: the front's inputs -> (m, B, outputs).
    """

    def __init__(self, front: Front, body: Body) -> None:
        super().__init__()
        self.front, self.body = front, body

    def forward(self, numbers: Tensor, flags: Tensor, codes: Tensor) -> Tensor:
        return self.body(self.front(numbers, flags, codes))  # type: ignore[no-any-return] # torch types every call of a module as Any


def build(architecture: Mapping[str, Any]) -> Net:
    """The net of `{"front": {...}, "body": {...}, "class": name of the body, "outputs": how many}`."""
    front = Front(**architecture["front"])
    return Net(front, BODIES[architecture["class"]](front.width, architecture["outputs"], **architecture["body"]))
