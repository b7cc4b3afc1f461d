"""The last blocks of a pretrained net of pictures, to be trained on.

Needs that this module answers:

* What stays as it is can be computed once, and is small: a few hundred numbers at each of a few places.
* A picture alone gets the answer that it gets among others: what the blocks normalise by stays that of the photos that
  the net was first trained on.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional

from deepenough.nets.blocks import MemberLinear


def below(net: Any, blocks: int, x: Tensor) -> Tensor:
    """What all but the last blocks of an EfficientNet-Lite make of pictures: (B, 3, height, width) -> (B, filters,
    rows, columns)."""
    x = functional.relu6(net._bn0(net._conv_stem(x)))
    for block in net._blocks[: len(net._blocks) - blocks]:
        x = block(x)
    return x


class LastBlocks(nn.Module):
    """Copies of the last blocks, and a head.

    Shape: what the blocks before made of pictures (B, filters, rows, columns) -> (1, B, outputs).
    """

    def __init__(self, net: Any, blocks: int, outputs: int, head_rate: float = 10.0) -> None:
        super().__init__()
        last: Sequence[nn.Module] = net._blocks[len(net._blocks) - blocks :]
        self.blocks = nn.ModuleList(copy.deepcopy(block) for block in last).requires_grad_(True)
        self.widen = copy.deepcopy(net._conv_head).requires_grad_(True)
        self.norm = copy.deepcopy(net._bn1).requires_grad_(True)
        self.head = MemberLinear(1, self.norm.num_features, outputs, bias_rate=head_rate)
        self.head.rate_factor = head_rate  # type: ignore[assignment] # the training loop looks for it on any module
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """What is normalised by stays as it is, also while it is trained."""
        return super().train(False)

    def vectors(self, x: Tensor) -> Tensor:
        """What the head sees: (B, width)."""
        for block in self.blocks:
            x = block(x)
        return functional.relu6(self.norm(self.widen(x))).mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.vectors(x))  # type: ignore[no-any-return] # torch types every call of a module as Any
