"""One small saved model of each kind, made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deepenough.serve.app import App
from tests.serve.asking import app_of, save


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a kind's model."""
    made: dict[str, Path] = {}

    def of(kind: str) -> Path:
        if kind not in made:
            made[kind] = save(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return of


@pytest.fixture(scope="session")
def table(saved: Callable[[str], Path]) -> Path:
    """The folder of a model of a table."""
    return saved("table")


@pytest.fixture
def app(table: Path) -> App:
    """A service of it."""
    return app_of(table)
