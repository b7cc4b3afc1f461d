"""What a saved model of recordings accepts: one in any form, many, folders, tables; and what it answers."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import ModelError
from deepenough.kinds.audio import task, toys
from deepenough.kinds.audio.codec import AudioCodec
from deepenough.kinds.audio.decode import decoded
from deepenough.task.task import Question
from tests.kinds.audio.files import encoded, folder, tone

CODEC = AudioCodec(column="said", seconds=1.0, target="what", classes=("high", "low"))
SOUND = tone(seconds=0.4).astype(np.float32)
HEARD = decoded(encoded(SOUND, subtype="FLOAT"), 1.0)[0].astype(np.float32)


def test_one_recording_in_any_form(tmp_path: Path) -> None:
    content = encoded(SOUND, subtype="FLOAT")
    (tmp_path / "a.wav").write_bytes(content)
    told = "data:audio/wav;base64," + base64.b64encode(content).decode()
    forms: list[Any] = [content, str(tmp_path / "a.wav"), tmp_path / "a.wav", told, SOUND, SOUND[:, None]]
    forms += [{"said": told}, [{"said": told}], pd.DataFrame({"said": [told]}), pd.Series([told])]
    for form in forms:
        inputs = CODEC.encode(form)
        assert len(inputs) == 1 and not CODEC.unread(form, inputs), type(form)
        assert inputs.each(0).shape == HEARD.shape and np.abs(inputs.each(0) - HEARD)[HEARD > 0].max() < 0.2


def test_what_is_no_recording_is_counted_and_ends_nothing() -> None:
    given = [encoded(SOUND), b"nothing", None, "nowhere/a.wav", "data:audio/wav;base64,%%%"]
    inputs = CODEC.encode(given)
    assert len(inputs) == 5 and CODEC.unread(given, inputs) == {"said": 4}
    with pytest.raises(ModelError, match=r"'said' is missing.*Did you mean 'sad'"):
        CODEC.encode([{"sad": "a.wav"}])
    with pytest.raises(ModelError, match="holds no recordings"):
        CODEC.encode(3.5)


def test_answers_name_their_files_in_batches(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=3)
    batches = list(CODEC.batches(place, 4))
    assert [len(batch) for batch in batches] == [4, 2]
    answers = CODEC.decode(np.tile([0.3, 0.7], (4, 1)), batches[0])
    assert answers["file"].tolist() == ["high/000.wav", "high/001.wav", "high/002.wav", "low/000.wav"]
    assert batches[0].take(np.array([2, 0])).files == ("high/002.wav", "high/000.wav")


@pytest.mark.parametrize("made", ["toy", "files"])
def test_its_example_is_accepted_and_it_is_read_again(
    made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPENOUGH_CACHE", str(tmp_path / "cache"))
    ready = toys.melodies() if made == "toy" else task.AudioTask.load(folder(tmp_path / "in"), Question(None))
    codec = AudioCodec.of(ready)
    again = AudioCodec.from_json(codec.to_json())
    inputs = again.encode(codec.example)
    assert again == codec and len(inputs) == 1 and not again.unread(codec.example, inputs)
    assert ready.all_inputs.lengths.max() <= round(codec.seconds * 100), "as much is read as was learnt from"
