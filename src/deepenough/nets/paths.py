"""What a net's outputs mean where the answer is a path: quantiles of each step, the loss that trains them, the answer.

Needs that this module answers:

* Quantiles never cross, whatever the net says: it tells the middle one, and how far each is from its inner neighbour.
* Steps that are not known teach nothing and choose nothing.
* A net that had no time to learn answers with the spread that was seen of a simple path, not with noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from deepenough.judge.quantiles import pinball

LEAST_GAP = 1e-3
"""Between neighbouring quantiles of a start, in the unit of the targets."""
FURTHEST = 30.0
"""Standardised targets are clipped here, so that one strange window does not rule."""
STRETCHES = np.geomspace(0.7, 3.0, 15)
"""That are tried."""
USUAL, PULL = 1.2, 3.0
"""The stretch of nets that saw little, and the strength of the pull towards it, in observations."""


@dataclass(frozen=True)
class PathOutputs:
    """Outputs of shape (m, B, steps, levels): of m members the raw quantiles of paths.

    levels: of the quantiles, ascending; the middle one is the median.
    stretch: how many times as far from the median as the net says the other quantiles are.
    """

    levels: tuple[float, ...]
    stretch: float = 1.0

    @property
    def middle(self) -> int:
        """Place of the median."""
        return len(self.levels) // 2

    def quantiles(self, raw: Tensor) -> Tensor:
        """Ascending quantiles of what a net says, same shape: its middle number, and softplus of the others as gaps."""
        middle = raw[..., self.middle, None]
        down = functional.softplus(raw[..., : self.middle]).flip(-1).cumsum(-1).flip(-1)
        up = functional.softplus(raw[..., self.middle + 1 :]).cumsum(-1)
        return torch.cat([middle - down, middle, middle + up], dim=-1)

    def raw(self, quantiles: np.ndarray) -> np.ndarray:
        """What a net would have to say for these quantiles, float32, same shape."""
        gaps = np.maximum(np.diff(quantiles, axis=-1), LEAST_GAP)
        said = gaps + np.log(-np.expm1(-gaps))  # the inverse of softplus
        return np.insert(said, self.middle, quantiles[..., self.middle], axis=-1).astype(np.float32)

    def standard(self, targets: np.ndarray, reference: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Targets counted from a simple path, in each window's unit, float32, shape (n, steps); NaN where unknown."""
        counted = (targets - reference) / unit[:, None]
        return np.asarray(np.clip(counted, -FURTHEST, FURTHEST), dtype=np.float32)

    def loss(self, outputs: Tensor, goal: Tensor, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
        """Mean pinball loss (Koenker and Bassett, 1978) over levels and the known steps of each path, doubled as it is
        judged, of the members each for itself. goal: shape (B, steps), NaN where unknown."""
        known = torch.isfinite(goal)
        error = goal.nan_to_num()[None, :, :, None] - self.quantiles(outputs)
        level = torch.tensor(self.levels, device=outputs.device, dtype=outputs.dtype)
        steps = 2 * torch.maximum(level * error, (level - 1) * error).mean(dim=(0, 3)) * known
        paths = steps.sum(dim=1) / known.sum(dim=1).clamp(min=1)
        told = known.any(dim=1)
        return (paths if weights is None else paths * weights).sum() / told.sum().clamp(min=1)

    def inner_loss(self, outputs: np.ndarray, standard: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The loss of the members' common quantiles, as it will be judged."""
        found = self.common(outputs)
        known = np.isfinite(standard).any(axis=1)
        counts = known.astype(np.float64) if weights is None else known * weights
        losses = pinball(found, standard.astype(np.float64), self.levels)
        return float((losses * counts).sum() / max(float(counts.sum()), 1e-9))

    def common(self, outputs: np.ndarray) -> np.ndarray:
        """The mean of the members' quantiles, float64, shape (n, steps, levels)."""
        raw = torch.from_numpy(np.asarray(outputs, dtype=np.float64))
        found = np.asarray(self.quantiles(raw).mean(dim=0).numpy())
        middle = found[..., self.middle, None]
        return np.asarray(middle + self.stretch * (found - middle))

    def stretched(
        self, outputs: np.ndarray, standard: np.ndarray, weights: np.ndarray | None = None, observations: float = 1.0
    ) -> Self:
        """The same with the stretch that suits windows that were not trained on; the fewer observations these are, the
        nearer to the usual one. Nets that learnt much of what there is are too sure of it."""
        tried = [replace(self, stretch=float(factor)) for factor in STRETCHES]
        losses = [other.inner_loss(outputs, standard, weights) for other in tried]
        best = tried[int(np.argmin(losses))].stretch
        share = observations / (observations + PULL)
        return replace(self, stretch=best**share * USUAL ** (1 - share))

    def answer(
        self, outputs: np.ndarray, reference: np.ndarray, unit: np.ndarray, least: float | None = None
    ) -> np.ndarray:
        """Members' outputs to quantiles in the windows' own numbers, float64, shape (n, steps, levels), none below
        `least`. reference: shape (n, steps); unit: shape (n,)."""
        found = reference[:, :, None] + unit[:, None, None] * self.common(outputs)
        found = np.maximum.accumulate(found, axis=2)  # rounding must not make neighbours cross
        return found if least is None else np.maximum(found, least)
