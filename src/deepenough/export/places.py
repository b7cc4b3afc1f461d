"""Where an export comes from and goes to: runs that hold what is needed, files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deepenough.errors import OptionError, RunError
from deepenough.evidence import JOURNAL
from deepenough.model.manifest import installed_version


def run_of(folder: Path) -> Path:
    """The folder, if it is a run: a model's own folder holds no evidence to check an export against."""
    if not (folder / JOURNAL).is_file():
        raise RunError.without(folder, JOURNAL)
    return folder


def unfinished(folder: Path) -> RunError:
    """What is said of a run that handed over no model."""
    return RunError(
        f"{folder} handed over no model, so there is nothing to export. Where the race was interrupted: deepenough "
        f"resume {folder}"
    )


class _Need(NamedTuple):
    """extra: what to install. packages: what it must bring. instead: one that has all of them, if there is one."""

    extra: str
    packages: tuple[str, ...]
    instead: str = ""


_NEEDS = {"--onnx": _Need("onnx", ("onnx", "onnxruntime")), "--mlflow": _Need("mlflow", ("mlflow-skinny",), "mlflow")}


def require(option: str) -> None:
    """Raise OptionError where a package is missing that an option needs, with what to install."""
    need = _NEEDS[option]
    missing = [name for name in need.packages if not installed_version(name)]
    if missing and not (need.instead and installed_version(need.instead)):
        raise OptionError(f"{option} needs {' and '.join(missing)}: pip install 'deepenough[{need.extra}]'.")


def free(file: Path, ending: str, mark: bytes = b"") -> None:
    """Raise OptionError where a file has another ending, lies in no folder, or is one that export did not write.

    mark: what a file that export wrote begins with; by default any file with the ending may be replaced.
    """
    _inside(file)
    if not file.name.lower().endswith(ending):
        raise OptionError(f"{file} is written here, so its name must end in {ending}. Name another.")
    try:
        with open(file, "rb") as there:
            if there.read(len(mark)) != mark:
                raise OptionError(f"{file} exists, and export did not write it. Remove it, or name another.")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unwritten(file, error) from error


def _inside(file: Path) -> None:
    if not file.parent.is_dir():
        raise OptionError(f"The folder {file.parent} of {file.name!r} does not exist. Make it, or name another.")
    if file.is_dir():
        raise OptionError(f"{file} is a folder. Give the name of a file in it.")


def _unwritten(file: Path, error: OSError) -> OptionError:
    return OptionError(f"{file} can't be written: {error.strerror or error}. Name a place that you may write to.")


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Path]:
    """A path to write to; the file gets its name when the block ends without an error, else nothing is left.

    Raises OptionError where it can't be written there.
    """
    _inside(file)
    part = file.with_name(file.name + ".part")
    try:
        yield part
        os.replace(part, file)
    except OSError as error:
        if error.filename is not None and Path(error.filename).name not in (file.name, part.name):
            raise  # another file's matter
        raise _unwritten(file, error) from error
    finally:
        with contextlib.suppress(OSError):  # a place that can't be written: one error is enough
            part.unlink(missing_ok=True)
