"""What a saved model of pictures accepts: one picture in any form, many, folders, tables; and what it answers."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from deepenough.errors import ModelError
from deepenough.kinds.image import toys
from deepenough.kinds.image.codec import ImageCodec
from tests.kinds.image.files import encoded, folder, picture

CODEC = ImageCodec(column="photo", height=30, width=40, channels=3, target="kind", classes=("dark", "light"))
PIXELS = np.asarray(picture())


def test_one_picture_in_any_form(tmp_path: Path) -> None:
    content = encoded(picture())
    (tmp_path / "a.png").write_bytes(content)
    told = "data:image/png;base64," + base64.b64encode(content).decode()
    forms: list[Any] = [content, str(tmp_path / "a.png"), tmp_path / "a.png", PIXELS, picture(), told]
    forms += [{"photo": told}, [{"photo": told}], pd.DataFrame({"photo": [told]}), pd.Series([told])]
    for form in forms:
        inputs = CODEC.encode(form)
        assert len(inputs) == 1 and np.array_equal(inputs.read()[0], PIXELS), type(form)
        assert not CODEC.unread(form, inputs)


def test_many_at_once() -> None:
    for form in ([PIXELS, encoded(picture(1)), picture(2)], np.stack([PIXELS] * 3)):
        assert CODEC.encode(form).read().shape == (3, 30, 40, 3)


def test_what_is_no_picture_is_counted_and_ends_nothing() -> None:
    given = [encoded(picture()), b"nothing", None, "nowhere/a.png", "data:image/png;base64,%%%"]
    inputs = CODEC.encode(given)
    assert len(inputs) == 5 and CODEC.unread(given, inputs) == {"photo": 4}


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(ModelError, match=r"'photo' is missing.*Did you mean 'photos'"):
        CODEC.encode([{"photos": "a.png"}])
    with pytest.raises(ModelError, match="holds no pictures"):
        CODEC.encode(3.5)


def test_answers_name_their_files(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=3)
    batches = list(CODEC.batches(place, 4))
    assert [len(batch) for batch in batches] == [4, 2]
    answers = CODEC.decode(np.tile([0.3, 0.7], (4, 1)), CODEC.encode(batches[0]))
    assert answers["file"].tolist() == ["dark/000.png", "dark/001.png", "dark/002.png", "light/000.png"]
    assert answers["kind"].tolist() == ["light"] * 4 and "probability_dark" in answers
    assert len(next(CODEC.batches(place / "dark" / "000.png", 4))) == 1
    with pytest.raises(ModelError, match="holds no pictures"):
        (tmp_path / "empty").mkdir()
        next(CODEC.batches(tmp_path / "empty", 4))


def test_paths_of_a_table_are_read_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "in", each=2)
    pd.DataFrame({"photo": ["in/dark/000.png", "in/light/001.png"]}).to_csv(tmp_path / "new.csv", index=False)
    monkeypatch.chdir("/")
    (batch,) = CODEC.batches(tmp_path / "new.csv", 10)
    expected = np.asarray(Image.open(tmp_path / "in" / "light" / "001.png"))
    assert np.array_equal(CODEC.encode(batch).read()[1], expected)


def test_grey_models_see_colour_pictures_in_grey() -> None:
    grey = ImageCodec(column="photo", height=30, width=40, channels=1, target="kind", classes=("dark", "light"))
    seen = grey.encode(PIXELS)
    assert seen.shape == (30, 40, 1)
    assert np.abs(seen.read()[0, ..., 0].astype(int) - np.asarray(picture(mode="L"))).max() <= 1


def test_the_example_is_a_row_that_it_accepts() -> None:
    made = toys.shapes()
    codec = ImageCodec.of(made)
    assert np.array_equal(codec.encode(codec.example).read(), made.all_inputs.read(slice(0, 1)))


def test_the_schema_comes_back() -> None:
    assert ImageCodec.from_json(CODEC.to_json()) == CODEC
    with pytest.raises(ModelError, match="can't be read"):
        ImageCodec.from_json({"column": "photo"})
