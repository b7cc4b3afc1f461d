"""What a person wants checked: a file, a folder or a name -> the learners and the kind that it leads to.

Needs that this module answers:

* A stranger's learner can be checked before it is installed: from its file, from the folder of its kind, or from the
  folder of its project, whose entry points are then read from `pyproject.toml`.
* What is installed is checked by its name, that of a kind or of a learner, ours and others' alike.
* What leads nowhere is said, with what would.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepenough import kinds
from deepenough.errors import OptionError, SourceError
from deepenough.evidence import FAMILIES
from deepenough.learner import Learner


@dataclass(frozen=True)
class Subject:
    """What is held to the contract: learners of one kind, and the kind itself where it is a stranger's or was named."""

    kind: str
    door: kinds.Kind
    learners: tuple[kinds.Entry, ...]
    whole: bool = False


def search(what: str, kind: str | None = None) -> list[Subject]:
    """Everything that a path or a name leads to; a name that is known goes before a path.

    kind: of the learners, where they don't say it themselves; of those with that name, where several have it.

    Raises SourceError for a path that holds neither, OptionError for a name that is not known.
    """
    if kind is not None and kind not in kinds.find():
        raise OptionError(f"--kind {kind!r} is not known. Known kinds: {', '.join(kinds.find())}.")
    found = _by_name(what, kind)
    if found:
        return found
    path = Path(what).expanduser()
    if path.exists():
        return list(_in_path(path.resolve(), kind))
    broken = kinds.unusable()
    if what in broken:
        raise OptionError(f"{what!r} is the name of an entry point, but {broken[what]}.")
    raise OptionError(
        f"{what!r} is no file, no folder, no kind and no learner. Name a .py file, the folder of a kind or of a "
        f"project, or one of: {', '.join([*kinds.find(), *(entry.name for entry in _all_learners(kind))])}."
    )


def _by_name(name: str, kind: str | None) -> list[Subject]:
    found = kinds.find()
    if name in found and kind in (None, name):
        return [Subject(name, found[name], tuple(kinds.find_learners(name)), whole=True)]
    return [Subject(e.kind, found[e.kind], (e,)) for e in _all_learners(kind) if e.name == name]


def _all_learners(kind: str | None) -> list[kinds.Entry]:
    return [entry for name in kinds.find() if kind in (None, name) for entry in kinds.find_learners(name)]


def _in_path(path: Path, kind: str | None) -> Iterator[Subject]:
    if path.is_file():
        yield from _in_file(path, kind)
    elif (path / "pyproject.toml").is_file():
        yield from _in_project(path, kind)
    elif (path / "__init__.py").is_file() and (door := _door(package := _module(path / "__init__.py"))):
        yield Subject(path.name, door, tuple(kinds.learners_in(package, path.name)), whole=True)
    else:
        files = [file for file in sorted(path.glob("*.py")) if file.name != "__init__.py"]
        found = [subject for file in files for subject in _in_file(file, kind, alone=False)]
        if not found:
            raise SourceError(f"{path} holds no learner, no kind and no pyproject.toml with entry points to some.")
        yield from found


def _in_file(path: Path, kind: str | None, alone: bool = True) -> Iterator[Subject]:
    """The learners that stand in a file; in the folder of a kind, they belong to it and to their folder's family."""
    if path.suffix != ".py":
        raise SourceError(f"{path} is no Python file: a learner is a class in a .py file.")
    module = _module(path)
    classes = [c for c in vars(module).values() if _is_learner(c) and c.__module__ == module.__name__]
    if not classes and alone:
        raise SourceError(f"{path} holds no Learner: a class that inherits from deepenough.learner.Learner.")
    own = _kind_above(path)
    for cls in classes:
        name = path.stem if len(classes) == 1 else cls.__name__.lower()
        yield _subject(cls, name, own or _named(cls, kind), path)


def _is_learner(member: Any) -> bool:
    return inspect.isclass(member) and issubclass(member, Learner) and not inspect.isabstract(member)


def _kind_above(path: Path) -> tuple[str, kinds.Kind] | None:
    """The kind in whose folders a file stands: `<kind>/<family>/<learner>.py`."""
    folder = path.parent.parent
    if path.parent.name not in (*FAMILIES, "baseline") or not (folder / "__init__.py").is_file():
        return None
    door = _door(_module(folder / "__init__.py"))
    return (folder.name, door) if door else None


def _named(cls: Any, kind: str | None) -> tuple[str, kinds.Kind]:
    """The kind that is named, or that the class names."""
    found, name = kinds.find(), kind or getattr(cls, "kind", None)
    if name in found:
        return name, found[name]
    said = f"says kind = {name!r}, which is not known" if name else "doesn't say its kind"
    raise OptionError(f"{cls.__name__} {said}. Name one of {', '.join(found)} with --kind, or in the class.")


def _subject(cls: Any, name: str, of: tuple[str, kinds.Kind], path: Path | None = None) -> Subject:
    folder = path.parent.name if path else ""
    family = getattr(cls, "family", folder if folder in (*FAMILIES, "baseline") else None)
    if family not in (*FAMILIES, "baseline"):
        raise OptionError(
            f"{cls.__name__} says family = {family!r}; expected {', '.join(FAMILIES)} or baseline, in the class."
        )
    kind, door = of
    return Subject(kind, door, (kinds.Entry(name, kind, family, cls, kinds.missing(cls)),))


def _in_project(folder: Path, kind: str | None) -> Iterator[Subject]:
    """What the entry points of a project that need not be installed lead to."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{folder / 'pyproject.toml'} is no TOML: {error}.") from None
    points: Mapping[str, Mapping[str, str]] = project.get("entry-points", {})
    roots = [root for root in (folder / "src", folder) if root.is_dir()]
    sys.path[:0] = [str(root) for root in roots if str(root) not in sys.path]
    doors = {name: _imported(value) for name, value in points.get("deepenough.kinds", {}).items()}
    learners = {name: _imported(value) for name, value in points.get("deepenough.learners", {}).items()}
    if not doors and not learners:
        raise SourceError(
            f"{folder / 'pyproject.toml'} has no entry points of deepenough.learners or deepenough.kinds: add them, or "
            "name the .py file of a learner."
        )
    for name, package in doors.items():
        yield Subject(name, kinds.kind_of(package), tuple(kinds.learners_in(package, name)), whole=True)
    for name, cls in learners.items():
        if not _is_learner(cls):
            raise OptionError(f"The entry point {name} leads to {cls!r}, which is no class of Learner.")
        own = str(getattr(cls, "kind", ""))
        yield _subject(cls, name, (own, kinds.kind_of(doors[own])) if own in doors else _named(cls, kind))


def _imported(value: str) -> Any:
    """What `module` or `module:Name` leads to."""
    module, _, name = value.partition(":")
    try:
        found = importlib.import_module(module)
        return getattr(found, name) if name else found
    except Exception as error:  # whatever a stranger's module raises when it is imported
        raise SourceError(f"{value} can't be imported: {type(error).__name__}: {error}.") from error


def _door(package: Any) -> kinds.Kind | None:
    try:
        return kinds.kind_of(package)
    except OptionError:
        return None


def _module(path: Path) -> Any:
    """A file as a module, under the name that it has for those who import it: below the packages that it stands in."""
    root = path.parent
    parts = [] if path.name == "__init__.py" else [path.stem]
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    module = _imported(".".join(parts))
    if Path(str(getattr(module, "__file__", ""))).resolve() != path:
        raise SourceError(
            f"{path} can't be imported as {'.'.join(parts)}: {module.__file__} has that name already. Rename the file."
        )
    return module
