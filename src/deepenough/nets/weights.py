"""A net on the disk: its weights as safetensors, its architecture as JSON, nothing that runs code.

Weights have torch's names, so that a saved net can be trained on (`bodies.build`, then `load_state_dict`); reading and
writing them takes no torch, so that a saved net can predict without it (see `forward`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn

WEIGHTS, ARCHITECTURE = "net.safetensors", "net.json"


def of(module: nn.Module) -> dict[str, np.ndarray]:
    """The weights by torch's names, each an array of its own: training keeps them as views of one flat tensor."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in module.state_dict().items()}


def save(weights: Mapping[str, np.ndarray], architecture: Mapping[str, Any], folder: Path) -> None:
    """Write both files."""
    from safetensors.numpy import save_file

    save_file(dict(weights), str(folder / WEIGHTS))
    (folder / ARCHITECTURE).write_text(json.dumps(dict(architecture)), encoding="utf-8")


def load(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The weights, and the architecture."""
    from safetensors.numpy import load_file

    architecture = json.loads((folder / ARCHITECTURE).read_text(encoding="utf-8"))
    return load_file(str(folder / WEIGHTS)), architecture
