"""A net on the disk: its weights as safetensors, its architecture as JSON, nothing that runs code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

WEIGHTS, ARCHITECTURE = "net.safetensors", "net.json"

Module = TypeVar("Module", bound=nn.Module)


def save(module: nn.Module, architecture: Mapping[str, Any], folder: Path) -> None:
    """Write both files. Weights that are views of one flat tensor are written each for itself."""
    from safetensors.torch import save_file

    state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}
    save_file(state, str(folder / WEIGHTS))
    (folder / ARCHITECTURE).write_text(json.dumps(dict(architecture)), encoding="utf-8")


def load(folder: Path, build: Callable[[Mapping[str, Any]], Module]) -> tuple[Module, dict[str, Any]]:
    """The net in evaluation mode, and its architecture."""
    from safetensors.torch import load_file

    architecture = json.loads((folder / ARCHITECTURE).read_text(encoding="utf-8"))
    with torch.random.fork_rng(devices=[]):  # building draws weights that are not kept
        module = build(architecture)
    module.load_state_dict(load_file(str(folder / WEIGHTS)))
    return module.eval(), architecture
