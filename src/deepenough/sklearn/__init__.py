"""Estimators for scikit-learn: `fit` is a race, `predict` asks the model that it hands over."""

from __future__ import annotations

from deepenough.sklearn.estimators import DeepenoughClassifier, DeepenoughRegressor

__all__ = ["DeepenoughClassifier", "DeepenoughRegressor"]
