"""What a saved model of pictures accepts: one picture in any form, many, folders, tables; and what it answers."""

from __future__ import annotations

import base64
import os
import shutil
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


def test_a_raced_table_is_read_alike_whatever_its_cells_are(tmp_path: Path) -> None:
    """Paths as Windows writes them, whole files as addresses or bytes, and nothing."""
    folder(tmp_path / "in", each=2)
    content = (tmp_path / "in" / "light" / "001.png").read_bytes()
    told = "data:image/png;base64," + base64.b64encode(content).decode()
    expected = np.asarray(Image.open(tmp_path / "in" / "light" / "001.png"))
    pd.DataFrame({"photo": ["in\\light\\001.png", told, "in/light/001.png"]}).to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame({"photo": [content, None]}).to_parquet(tmp_path / "bytes.parquet")
    (paths,) = CODEC.batches(tmp_path / "t.csv", 10)
    assert paths.unread == 0 and all(np.array_equal(own, expected) for own in paths.read())
    assert paths.files == ("in\\light\\001.png", "", "in/light/001.png")
    (held,) = CODEC.batches(tmp_path / "bytes.parquet", 10)
    assert held.unread == 1 and np.array_equal(held.read()[0], expected)
    assert np.array_equal(CODEC.encode(pd.DataFrame({"photo": [content, None]})).read(), held.read())


def test_a_zip_and_folders_in_folders_are_read_as_for_a_race(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=3)
    (place / "dark" / "more" / "yet").mkdir(parents=True)
    (place / "dark" / "000.png").rename(place / "dark" / "more" / "yet" / "000.png")
    (place / ".thumbs").mkdir()
    (place / ".thumbs" / "a.png").write_bytes((place / "dark" / "001.png").read_bytes())
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", place)
    for source in (place, packed):
        (batch,) = CODEC.batches(source, 10)
        assert len(batch) == 6 and batch.files[2] == "dark/more/yet/000.png"


def test_names_that_are_no_utf8_can_be_written(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xfe.png")).write_bytes(encoded(picture()))
    (batch,) = CODEC.batches(tmp_path, 10)
    answers = CODEC.decode(np.tile([0.3, 0.7], (1, 1)), batch)
    answers.to_csv(tmp_path / "answers.csv", index=False)
    assert answers["file"].tolist() == ["\\xfe.png"]


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
