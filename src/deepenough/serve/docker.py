"""What it takes to serve a model from a container: its folder, the packages that it needs, and how it is started.

Needs that this module answers:

* Only what answers is installed: the service and what the model's manifest names, at the versions it was made with.
* It runs as a user who may change nothing, and starts only with a key.
* No key is in the image: it comes from the environment, or from a file that is mounted.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import deepenough
from deepenough.errors import OptionError
from deepenough.model import manifest
from deepenough.serve.settings import KEY_VARIABLE

_DOCKERFILE = """\
# Serves the model in model/. Build: docker build -t {name} .
# Run: docker run -p 8000:8000 -e {variable}=... {name}
FROM python:{python}-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir -r /tmp/requirements.txt
RUN useradd --system --no-create-home --uid 10001 serve
COPY model /model
USER serve
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["python", "-c", "{health}"]
CMD ["deepenough", "serve", "{name}=/model", "--host", "0.0.0.0", "--port", "8000"]
"""
_HEALTH = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=4)"


def write(run: str, name: str, folder: Path) -> list[Path]:
    """Write Dockerfile, requirements.txt and model/ into a folder; returns what was written.

    Raises ModelError where the model can't be verified, OptionError where the folder holds something else, or
    can't be written.
    """
    place = manifest.locate(Path(run))
    about = manifest.read(place)
    manifest.verify_files(place, about["files"])
    try:
        _fill(folder, name, place, about)
    except OSError as error:
        why = error.strerror or error
        raise OptionError(
            f"--write-dockerfile {folder} can't be written: {why}. Name a folder that you may write to."
        ) from error
    return [folder / item for item in _OURS]


def _fill(folder: Path, name: str, place: Path, about: Mapping[str, Any]) -> None:
    if folder.exists() and any(item.name not in _OURS for item in folder.iterdir()):
        raise OptionError(f"--write-dockerfile {folder} holds other files. Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "model", ignore_errors=True)
    shutil.copytree(place, folder / "model")
    made = about.get("created_by", {})
    python = ".".join(str(made.get("python", "3.11")).split(".")[:2])
    wanted = [f"deepenough[serve]=={deepenough.__version__}"]
    needs = sorted({str(need) for member in about["members"] for need in member["needs"]} | {"numpy"})
    wanted += [f"{need}=={_plain(made[need])}" if made.get(need) else need for need in needs]
    (folder / "requirements.txt").write_text("\n".join(wanted) + "\n", encoding="utf-8")
    text = _DOCKERFILE.format(name=name.lower(), variable=KEY_VARIABLE, python=python, health=_HEALTH)
    (folder / "Dockerfile").write_text(text, encoding="utf-8")


_OURS = ("Dockerfile", "requirements.txt", "model")


def _plain(version: str) -> str:
    """A version without its local part (2.13.0+cpu), which package indexes don't have."""
    return str(version).partition("+")[0]
