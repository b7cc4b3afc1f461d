"""What a saved model of clips accepts: one clip in any form, many, folders, tables; and what it answers."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import ModelError
from deepenough.kinds.video import toys
from deepenough.kinds.video.codec import VideoCodec
from deepenough.kinds.video.decode import as_file
from tests.kinds.video.files import folder, moving, packed

FACTS: dict[str, Any] = {"column": "clip", "target": "way", "classes": ("left", "right")}
CODEC = VideoCodec(frames=16, height=48, width=64, channels=3, **FACTS)
FRAMES = moving(16)


def test_one_clip_in_any_form(tmp_path: Path) -> None:
    content = as_file(FRAMES)
    (tmp_path / "a.avi").write_bytes(content)
    told = "data:video/x-msvideo;base64," + base64.b64encode(content).decode()
    forms: list[Any] = [content, str(tmp_path / "a.avi"), tmp_path / "a.avi", FRAMES, told]
    forms += [{"clip": told}, [{"clip": told}], pd.DataFrame({"clip": [told]}), pd.Series([told])]
    for form in forms:
        inputs = CODEC.encode(form)
        assert len(inputs) == 1 and np.array_equal(inputs.read()[0], FRAMES), type(form)
        assert not CODEC.unread(form, inputs)


def test_grey_arrays_and_many_at_once() -> None:
    assert CODEC.encode(FRAMES[..., 0]).read().shape == (1, 16, 48, 64, 3)
    for form in ([FRAMES, packed(), FRAMES[..., :1]], np.stack([FRAMES] * 3)):
        assert CODEC.encode(form).read().shape == (3, 16, 48, 64, 3)


def test_what_is_no_clip_is_counted_and_ends_nothing() -> None:
    given = [packed(), b"nothing", None, "nowhere/a.mp4", "data:video/mp4;base64,%%%", packed()[:500]]
    inputs = CODEC.encode(given)
    assert len(inputs) == 6 and CODEC.unread(given, inputs) == {"clip": 5}
    assert (inputs.read()[1] == 127).all()


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(ModelError, match=r"'clip' is missing.*Did you mean 'clips'"):
        CODEC.encode([{"clips": "a.mp4"}])
    with pytest.raises(ModelError, match="holds no clips"):
        CODEC.encode(3.5)


def test_answers_name_their_files(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=3)
    batches = list(CODEC.batches(place, 4))
    assert [len(batch) for batch in batches] == [4, 2]
    answers = CODEC.decode(np.tile([0.3, 0.7], (4, 1)), CODEC.encode(batches[0]))
    assert answers["file"].tolist() == ["left/000.avi", "left/001.avi", "left/002.avi", "right/000.avi"]
    assert answers["way"].tolist() == ["right"] * 4


def test_a_model_of_fewer_frames_and_of_grey_reads_so() -> None:
    few = VideoCodec(frames=8, height=12, width=16, channels=1, **FACTS)
    assert few.encode(FRAMES).read().shape == (1, 8, 12, 16, 1)


def test_the_example_is_a_row_that_it_accepts() -> None:
    made = toys.ways()
    codec = VideoCodec.of(made)
    found, wanted = codec.encode(codec.example).read(), made.all_inputs.read(slice(0, 1))
    assert found.shape == wanted.shape and np.abs(found.astype(float) - wanted).mean() < 25, "packed with a small loss"
    assert len(codec.example["file"]) < 20_000


def test_the_schema_comes_back() -> None:
    assert VideoCodec.from_json(CODEC.to_json()) == CODEC
    with pytest.raises(ModelError, match="can't be read"):
        VideoCodec.from_json({"column": "clip"})
