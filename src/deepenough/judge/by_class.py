"""Metrics that look at classes, or at pairs of units: no mean of one number a unit."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from deepenough.judge.losses import Metric, Told, column, untold


class _ByClass(Metric):
    """Records are the true and the most probable class; the loss is a mean over classes."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return np.column_stack([truth, prediction.argmax(axis=1)]).astype(np.float64)

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        truth, guess = column(records, 0), column(records, 1)
        classes = self._classes(truth, guess)
        told = [part for code in classes if (part := self._of_class(truth == code, guess == code, share))]
        if not told:
            return untold(records)
        losses, reactions = zip(*told, strict=True)
        return float(np.mean(losses)), np.mean(reactions, axis=0)

    def _classes(self, truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
        return np.unique(truth)

    @abstractmethod
    def _of_class(self, is_true: np.ndarray, is_guess: np.ndarray, share: np.ndarray) -> Told | None:
        """Loss and reactions of one class; None where the units can't tell."""


class BalancedAccuracy(_ByClass):
    """The mean over classes of the share that is missed."""

    def _of_class(self, is_true: np.ndarray, is_guess: np.ndarray, share: np.ndarray) -> Told | None:
        of_all = np.mean(share * is_true)
        missed = is_true & ~is_guess
        loss = float(np.mean(share * missed) / of_all)
        return loss, (missed - loss * is_true) / of_all


class F1(_ByClass):
    """One minus F1: of the positive class (code 1) where there are two classes, else the mean over classes."""

    def _classes(self, truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
        return np.array([1.0]) if self.n_classes == 2 else np.union1d(truth, guess)

    def _of_class(self, is_true: np.ndarray, is_guess: np.ndarray, share: np.ndarray) -> Told | None:
        either = is_true.astype(np.float64) + is_guess
        of_all = np.mean(share * either)
        if of_all == 0:
            return None
        loss = float(1.0 - 2.0 * np.mean(share * (is_true & is_guess)) / of_all)
        return loss, (either * (1.0 - loss) - 2.0 * (is_true & is_guess)) / of_all


class QuadraticKappa(Metric):
    """The squared distance of guess from truth, in classes, by that of a guess drawn from the guesses (Cohen, 1968)."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return np.column_stack([truth, prediction.argmax(axis=1)]).astype(np.float64)

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        truth, guess = column(records, 0), column(records, 1)
        apart = (truth - guess) ** 2
        truth, guess = truth - np.mean(share * truth), guess - np.mean(share * guess)
        offset = np.mean(share * (column(records, 0) - column(records, 1)))
        by_chance = float(np.mean(share * (truth**2 + guess**2)) + offset**2)
        if by_chance <= 0:
            return untold(records)
        loss = float(np.mean(share * apart)) / by_chance
        moved = truth**2 + guess**2 + 2 * offset * (truth - guess) - np.mean(share * (truth**2 + guess**2))
        return loss, (apart - loss * by_chance - loss * moved) / by_chance


class AreaUnderCurve(Metric):
    """One minus the chance that a positive unit is ranked above a negative one (DeLong et al., 1988)."""

    def records(self, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
        return np.column_stack([truth, prediction[:, 1]]).astype(np.float64)

    def told(self, records: np.ndarray, share: np.ndarray, groups: np.ndarray | None) -> Told:
        truth, score = column(records, 0) == 1, column(records, 1)
        models = np.zeros(len(truth)) if groups is None else np.asarray(groups)
        total, told, reaction = 0.0, 0.0, np.zeros(len(truth))
        for model in np.unique(models):
            rows = np.flatnonzero(models == model)
            if truth[rows].any() and not truth[rows].all():
                loss, reaction[rows] = _misranked(truth[rows], score[rows], share[rows])
                total, told = total + loss * share[rows].sum(), told + share[rows].sum()
        if not told:
            return untold(records)
        return float(total / told), reaction * (len(truth) / told)


def _misranked(truth: np.ndarray, score: np.ndarray, share: np.ndarray) -> Told:
    """One minus AUC and the reactions of one model's units, by the placements of each among the others."""
    below = np.empty(len(score))
    for side in (True, False):
        others = np.flatnonzero(truth != side)
        others = others[np.argsort(score[others], kind="stable")]
        weight = np.concatenate([[0.0], np.cumsum(share[others])])
        own = score[truth == side]
        rank = (
            weight[np.searchsorted(score[others], own, "left")] + weight[np.searchsorted(score[others], own, "right")]
        )
        placed = rank / (2 * weight[-1])
        below[truth == side] = 1 - placed if side else placed
    loss = float(np.average(below[truth], weights=share[truth]))
    positive = float(share[truth].sum() / share.sum())
    return loss, (below - loss) / np.where(truth, positive, 1 - positive)
