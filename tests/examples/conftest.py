"""The example applications as modules."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def example() -> Callable[[str], ModuleType]:
    """Loads an example application by its name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        if str(ROOT / "examples") not in sys.path:
            sys.path.append(str(ROOT / "examples"))  # where Python looks when one is run, for one that uses another
        spec.loader.exec_module(module)
        return module

    return load
