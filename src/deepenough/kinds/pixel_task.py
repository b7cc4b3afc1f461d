"""One question about pictures or clips: what their tasks share."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from deepenough.kinds.file_store import Decoded
from deepenough.kinds.file_task import FileTask
from deepenough.kinds.pixel_inputs import Pixels


class PixelTask(FileTask):
    """Pictures or clips and the answer to predict, made ready; in grey where none of them has colour."""

    inputs_class: ClassVar[type[Pixels]]
    all_inputs: Pixels

    @classmethod
    def inputs_of(cls, decoded: Decoded) -> Pixels:
        return cls.inputs_class.mapped(decoded.path, 1 if bool(decoded.each("is_grey").all()) else 3)

    def inputs_like(self, decoded: Decoded) -> Pixels:
        return self.inputs_class.mapped(decoded.path, self.all_inputs.channels)

    def beside(self, other: Pixels) -> Pixels:
        both = [inputs.pixels[inputs.places] for inputs in (self.all_inputs, other)]
        return self.inputs_class.of(np.concatenate(both), self.all_inputs.channels)
