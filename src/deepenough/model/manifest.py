"""What a model folder says of itself, and how it is verified before any of it is used.

Needs that the design answers:

* A folder from a stranger must not run a stranger's code: files are data in open formats, and a class that reads them
  is imported only from Deepenough's own kinds, from installed packages that registered as such, or from modules that
  the caller names.
* What was damaged or added on the way is found: every file is listed with its size and hash, nothing else may lie
  there, and nothing may point outside.
* A folder of a newer version, or one that needs packages that are not there, says what to install.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from deepenough.errors import ModelError, runs_in
from deepenough.learner import Model

FORMAT = 1
"""Version of the model folder's format; a folder of a newer one is refused."""

MANIFEST = "manifest.json"
SCHEMA = "schema.json"
CARD = "README.md"
UNLISTED = (MANIFEST, CARD)
"""Not hashed: the manifest holds the hashes, and a person may write into the card."""

_EXPECTED: Mapping[str, type] = {"kind": str, "members": list, "task": dict, "files": dict, "note": str}
_EXPECTED_OF_MEMBER: Mapping[str, type | tuple[type, ...]] = {
    "name": str,
    "family": str,
    "learner": str,
    "model": str,
    "weight": (int, float),
    "temperature": (int, float),
    "needs": list,
}
_GROUPS = ("deepenough.kinds", "deepenough.learners")


def locate(folder: Path) -> Path:
    """The model folder itself; a run's folder, which holds it as `model`, will do."""
    for place in (folder, folder / "model"):
        if (place / MANIFEST).is_file():
            return place
    if not folder.exists():
        raise ModelError(f"{folder} does not exist. A model is the folder `model` in what `deepenough race` made.")
    hint = runs_in(folder, f"*/model/{MANIFEST}") or (
        "Give the folder of a finished race; one that was interrupted gets its model by `deepenough resume`."
    )
    raise ModelError(f"{folder} holds no model (no {MANIFEST}). {hint}")


def read(folder: Path) -> dict[str, Any]:
    """The manifest, its format and its fields checked; the files are not: see `verify_files`."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{folder / MANIFEST} can't be read ({error}). {_AGAIN}") from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise ModelError(f"{folder / MANIFEST} is not a model's manifest. {_AGAIN}")
    if content["format"] > FORMAT:
        raise ModelError(
            f"{folder} was written by a newer Deepenough (format {content['format']}, this one reads up to {FORMAT}). "
            "Upgrade with `pip install --upgrade deepenough`."
        )
    _require(content, _EXPECTED, folder)
    for member in content["members"]:
        _require(member, _EXPECTED_OF_MEMBER, folder)
    _refuse_nonsense(content, folder)
    return content


_AGAIN = "Copy the model folder again, whole, from where it was made."


def _require(content: Any, expected: Mapping[str, type | tuple[type, ...]], folder: Path) -> None:
    for name, kind in expected.items():
        if not isinstance(content, dict) or not isinstance(content.get(name), kind):
            raise ModelError(f"{folder / MANIFEST} lacks {name!r}, or it is not what it should be. {_AGAIN}")


def _refuse_nonsense(content: Mapping[str, Any], folder: Path) -> None:
    members, lists = content["members"], content["task"].get("lists")
    n_classes, paths = content["task"].get("n_classes"), content["task"].get("paths")
    weights = [member["weight"] for member in members]
    temperatures = [member["temperature"] for member in members]
    sound = (
        all(0 <= weight < math.inf for weight in weights)
        and sum(weights) > 0
        and all(0 < temperature < math.inf for temperature in temperatures)
        and (n_classes is None or (isinstance(n_classes, int) and n_classes > 0))
        and (paths is None or _are_paths(paths))
        and (lists is None or _are_lists(lists))
    )
    if not sound:
        raise ModelError(f"{folder / MANIFEST} holds impossible weights, temperatures or classes. {_AGAIN}")


def _are_lists(lists: Any) -> bool:
    """Whether it is [most, classes, width]."""
    return isinstance(lists, list) and len(lists) == 3 and all(isinstance(each, int) and each > 0 for each in lists)


def _are_paths(paths: Any) -> bool:
    """Whether it is [steps, levels]."""
    return (
        isinstance(paths, list)
        and len(paths) == 2
        and isinstance(paths[0], int)
        and paths[0] > 0
        and isinstance(paths[1], list)
        and all(isinstance(level, float) and 0 < level < 1 for level in paths[1])
        and paths[1] == sorted(paths[1])
        and len(paths[1]) > 0
    )


def hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file below the folder, by its path with slashes, the unlisted ones left out."""
    return {
        name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)}
        for name in sorted(_files(folder))
        if name not in UNLISTED
    }


def verify_files(folder: Path, listed: Mapping[str, Any]) -> None:
    """Refuse a folder in which a file is missing, altered, added, or a link."""
    found = set(_files(folder)) - set(UNLISTED)
    for name in listed:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            raise ModelError(f"{folder / MANIFEST} lists {name!r}, which is outside the folder. Don't use this model.")
    _refuse(folder, set(listed) - found, "is missing")
    _refuse(folder, found - set(listed), "was added: the manifest doesn't list it")
    for name, expected in listed.items():
        path = folder / name
        if not isinstance(expected, dict) or path.stat().st_size != expected.get("bytes"):
            raise ModelError(f"{path} has another size than when it was saved. {_AGAIN}")
        if _sha256(path) != expected.get("sha256"):
            raise ModelError(f"{path} is not as it was saved (its SHA-256 differs). {_AGAIN}")


def _refuse(folder: Path, names: Iterable[str], what: str) -> None:
    for name in sorted(names):
        raise ModelError(f"{folder / name} {what}. {_AGAIN}")


def _files(folder: Path) -> Iterator[str]:
    """Paths of all files below the folder, with slashes. Links are refused: they could point anywhere."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if (Path(place) / name).is_symlink():
                raise ModelError(f"{Path(place) / name} is a link; a model folder holds plain files. {_AGAIN}")
        yield from ((Path(place) / name).relative_to(folder).as_posix() for name in files)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_installed(members: Sequence[Mapping[str, Any]]) -> None:
    """Say what to install where a member needs a distribution that is not there."""
    needed = sorted({str(name) for member in members for name in member["needs"]})
    missing = [name for name in needed if not installed_version(name)]
    if missing:
        what = ", ".join(str(member["name"]) for member in members)
        raise ModelError(f"This model ({what}) needs packages that are not here: `pip install {' '.join(missing)}`.")


def installed_version(distribution: str) -> str:
    """Version of an installed distribution; empty where it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def model_class(path: str, trust: Sequence[str] = ()) -> type[Model]:
    """The class that `module:Class` names, if it may be trusted to read a model folder.

    trust: modules that the caller vouches for, beside Deepenough's own kinds and the installed packages that registered
        kinds or learners.
    """
    module_name, _, name = path.partition(":")
    if not name.isidentifier() or not any(_within(module_name, root) for root in (*_roots(), *trust)):
        raise ModelError(
            f"The model wants to be read by {path}, which is neither Deepenough's nor a learner of an installed "
            "package. If you trust where it comes from, install the package that it was made with."
        )
    try:
        member = getattr(importlib.import_module(module_name), name, None)
    except ImportError as error:
        raise ModelError(f"{path}, which reads this model, can't be imported: {error}.") from error
    if not (isinstance(member, type) and issubclass(member, Model)):
        raise ModelError(f"The model wants to be read by {path}, which is not a Model. Don't use this model.")
    return member


def _roots() -> list[str]:
    """Packages whose models may be read."""
    points = [point for group in _GROUPS for point in importlib.metadata.entry_points(group=group)]
    return ["deepenough.kinds", *(point.module.split(".")[0] for point in points)]


def _within(module: str, root: str) -> bool:
    return module == root or module.startswith(root + ".")
