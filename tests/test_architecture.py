"""The rules of the house that a machine can keep: who may import whom, what is imported when, who may name a kind."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import deepenough
from deepenough.task import task as tasks
from tests import stubs

HOUSE = Path(deepenough.__file__).parent
ROOMS = (
    "errors",
    "files",
    "client",
    "options",
    "evidence",
    "judge",
    "graph",
    "script",
    "learner",
    "task",
    "nets",
    "kinds",
    "contract",
    "model",
    "serve",
    "racing",
    "report",
    "result",
    "seal",
    "runs",
    "lcdb",
    "forecasts",
    "guesses",
    "api",
    "actions",
    "findings",
    "export",
    "rerun",
    "targets",
    "sklearn",
    "cli",
)
"""In this order: a room may import from those to its left."""

HEAVY = {
    *("altair", "catboost", "duckdb", "fastexcel", "jinja2", "joblib", "lightgbm", "narwhals", "onnx", "onnxruntime"),
    *("pandas", "polars", "pyarrow", "rtdl_num_embeddings", "safetensors", "scipy", "sklearn", "skops", "tabm"),
    *("cryptography", "threadpoolctl", "torch", "vl_convert", "statsforecast", "utilsforecast", "tokenizers"),
    *("uvicorn", "mlflow", "requests"),
    *("wordllama", "transformers", "sentence_transformers", "PIL", "skimage", "efficientnet_lite_pytorch", "av"),
}
"""Never imported by importing a module of ours, but inside the functions that need them."""
MAY_IMPORT = {"judge": {"scipy"}, "nets": {"torch"}, "sklearn": {"sklearn"}, "serve": {"uvicorn"}}
"""What a room may import at the top nevertheless: the judge is mathematics, and whoever opens `nets` wants torch,
`sklearn` scikit-learn, and `serve` its server."""
UNSAFE = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}

FILES = sorted(path for path in HOUSE.rglob("*.py"))


def _name(path: Path) -> str:
    """The module's dotted name below the package: `judge.metrics`, or `kinds` for its `__init__.py`."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _room(name: str) -> str:
    return name.split(".")[0]


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imported(node: ast.AST, package: str) -> list[str]:
    """Dotted names that one import statement names, absolute."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(filter(None, [*above, base]))
        return [f"{base}.{alias.name}" for alias in node.names]
    return []


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements that run when the module is imported: not those inside functions, nor those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_for_types:
            continue
        yield node
        yield from _at_import(node)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_point_to_the_left(path: Path) -> None:
    name = _name(path)
    if not name:
        return  # the front door knows all rooms, and opens them when asked
    assert _room(name) in ROOMS, f"{_room(name)} has no place in the order of rooms"
    allowed = ROOMS[: ROOMS.index(_room(name)) + 1]
    package = f"deepenough.{name}" if path.name == "__init__.py" else f"deepenough.{name}".rpartition(".")[0]
    for node in ast.walk(_tree(path)):
        for imported in _imported(node, package):
            first, *rest = imported.split(".")
            if first == "deepenough" and rest and rest[0] in ROOMS:
                assert rest[0] in allowed, f"line {node.lineno}: {name} imports {imported}"  # type: ignore[attr-defined]  # imports have a line


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_heavy_packages_wait_until_they_are_needed(path: Path) -> None:
    banned = HEAVY - MAY_IMPORT.get(_room(_name(path)), set())
    for node in _at_import(_tree(path)):
        for imported in _imported(node, "deepenough"):
            assert imported.split(".")[0] not in banned, f"line {node.lineno}: {imported} is imported at the top"  # type: ignore[attr-defined]  # imports have a line


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_nothing_is_unpickled(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        for imported in _imported(node, "deepenough"):
            assert imported.split(".")[0] not in UNSAFE, f"line {node.lineno}: {imported}"  # type: ignore[attr-defined]  # imports have a line
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            words = [ast.unparse(word) for word in node.keywords]
            safe = "weights_only=True" in words  # torch then makes tensors and nothing else
            assert called != "torch.load" or safe, f"line {node.lineno}: torch.load unpickles"
            unpickles = [word for word in node.keywords if ast.unparse(word) == "allow_pickle=True"]
            assert not unpickles, f"line {node.lineno}: {called} with allow_pickle=True"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_exception_is_swallowed_unseen(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except"


@functools.cache
def _kind_names() -> list[str]:
    return [module.name for module in pkgutil.iter_modules([str(HOUSE / "kinds")]) if module.ispkg]


def _outside_kinds() -> list[Path]:
    return [path for path in FILES if _room(_name(path)) != "kinds" or _name(path) == "kinds"]


@pytest.mark.parametrize("path", _outside_kinds(), ids=_name)
def test_nothing_outside_kinds_names_a_kind(path: Path) -> None:
    """A kind's name may be a common word of prose; as a whole string, or in an import, it is the kind that is meant."""
    tree = _tree(path)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        for imported in _imported(node, "deepenough"):
            for kind in _kind_names():
                assert not imported.startswith(f"deepenough.kinds.{kind}"), f"line {node.lineno}: imports {imported}"  # type: ignore[attr-defined]  # imports have a line
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            named = node.value in _kind_names() or any(f"kinds.{kind}" in node.value for kind in _kind_names())
            assert not named, f"line {node.lineno}: names the kind {node.value!r}"


def test_kinds_do_not_know_each_other() -> None:
    for path in FILES:
        parts = _name(path).split(".")
        if parts[0] != "kinds" or len(parts) < 2:
            continue
        for node in ast.walk(_tree(path)):
            for imported in _imported(node, "deepenough"):
                if imported.startswith("deepenough.kinds."):
                    other = imported.split(".")[2]
                    assert other not in set(_kind_names()) - {parts[1]}, f"{_name(path)} imports {imported}"


LIGHT = "import sys; import deepenough{more}; print(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"


@pytest.mark.parametrize("more", ["", ".learner", ".kinds", ".judge.metrics", ".evidence", ".contract"])
def test_importing_is_light(more: str) -> None:
    banned = HEAVY - ({"scipy"} if more == ".judge.metrics" else set())
    loaded = subprocess.run([sys.executable, "-c", LIGHT.format(more=more)], capture_output=True, text=True, check=True)
    assert banned & set(loaded.stdout.split()) == set()


def test_importing_the_package_alone_imports_no_numpy() -> None:
    loaded = subprocess.run([sys.executable, "-c", LIGHT.format(more="")], capture_output=True, text=True, check=True)
    assert "numpy" not in loaded.stdout.split()


def test_public_names_exist() -> None:
    for path in FILES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                module = importlib.import_module(f"deepenough.{_name(path)}".rstrip("."))
                for name in ast.literal_eval(node.value):
                    assert hasattr(module, name), f"{module.__name__} has no {name}"


def test_no_room_has_the_name_of_a_public_function() -> None:
    """Importing `deepenough.race` as a module would overwrite the function."""
    assert set(deepenough.__all__) & set(ROOMS) == set()


def test_no_module_is_called_utils() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert [path for path in FILES if path.stem in vague or path.parent.name in vague] == []


def test_three_shapes_have_three_stubs() -> None:
    shapes = {
        cls.shape: cls
        for _, cls in inspect.getmembers(tasks, inspect.isclass)
        if issubclass(cls, tasks.Task) and cls is not tasks.Task
    }
    assert set(shapes) == {"supervised", "interactive", "unlabelled"}
    for stub in (stubs.StubSupervised, stubs.StubEnvironment, stubs.StubUnlabelled):
        assert issubclass(stub, shapes[stub.shape])


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_modules_open_with_what_they_answer(path: Path) -> None:
    tree = _tree(path)
    assert not tree.body or ast.get_docstring(tree), f"{_name(path)} has no docstring"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_files_stay_readable(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400, f"{lines} lines"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_every_exception_has_its_reason_on_its_line(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if "type: ignore" in line or "noqa" in line:
            reasoned = r"(ignore\[[^\]]+\]|noqa: [A-Z]+\d+(, [A-Z]+\d+)*)\W+\w"
            assert re.search(reasoned, line), f"line {number} gives no reason"
