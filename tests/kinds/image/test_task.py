"""A question about pictures: how large they are read, what is set aside and said, and which are copies."""

from __future__ import annotations

import io
import shutil
from base64 import b64decode
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from deepenough.errors import SourceError
from deepenough.kinds import file_store
from deepenough.kinds import picture_copies as copies
from deepenough.kinds.image import Image as ImageKind
from deepenough.kinds.image import task, toys
from deepenough.kinds.image.inputs import Pictures
from deepenough.task.task import Question
from tests.kinds.image.files import bomb, encoded, folder, picture


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def told(made: task.ImageTask) -> str:
    return " ".join([*made.notes, *(flag["reason"] for flag in made.flags)])


def test_messy_files_are_set_aside_by_name_and_the_others_are_raced(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=40)
    odd = {
        "truncated.jpg": encoded(picture(), "JPEG")[:400],
        "bomb.png": bomb(),
        "empty.png": b"",
        "heic.heic": b"\0\0\0\x18ftypheic" + b"\0" * 100,
    }
    kept = {
        "lies.jpg": encoded(picture(7)),
        "tiny.png": encoded(picture(8, 1, 1)),
        "large.jpg": encoded(picture(9, 5200, 4000), "JPEG"),
        "print.jpg": encoded(picture(10, mode="CMYK"), "JPEG"),
        "moves.gif": encoded(picture(11), "GIF", save_all=True, append_images=[picture(12), picture(13)]),
    }
    for name, content in (odd | kept).items():
        (place / "dark" / name).write_bytes(content)
    made = task.ImageTask.load(place, Question(None))
    assert made.rows == 80 + len(kept)
    assert {item["name"] for item in made.set_aside} == {f"dark/{name}" for name in odd}
    assert all(item["reason"] for item in made.set_aside)
    for said in (
        "4 files are set aside",
        "1 files are of another format",
        "lies.jpg",
        "smaller than 8",
        "several pictures",
    ):
        assert said in told(made), said


def test_nothing_but_broken_files_is_refused_with_the_reason(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        (tmp_path / "in" / label / "x.png").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="None of the 2 files of in is a picture"):
        task.ImageTask.load(tmp_path / "in", Question(None))


@pytest.mark.parametrize(
    ("size", "side", "read"),
    [
        ((28, 28), None, (28, 28)),
        ((4000, 3000), None, (96, 72)),
        ((10, 300), None, (48, 96)),
        ((400, 300), 40, (40, 30)),
    ],
)
def test_pictures_are_read_by_their_shape_and_size(
    tmp_path: Path, size: tuple[int, int], side: int | None, read: tuple[int, int]
) -> None:
    for label, colour in (("a", "red"), ("b", "blue")):
        (tmp_path / "in" / label).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", size, colour).save(tmp_path / "in" / label / f"{number}.png")
    made = task.ImageTask.load(tmp_path / "in", Question(None, options={"side": side} if side else {}))
    assert made.all_inputs.shape == (read[1], read[0], 3)


def test_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        for number in range(6):
            picture(number, mode="L").save(tmp_path / "in" / label / f"{number}.png")
    made = task.ImageTask.load(tmp_path / "in", Question(None))
    assert made.all_inputs.shape[2] == 1 and made.all_inputs.read().shape == (12, 30, 40, 1)


def test_copies_saved_again_smaller_or_brighter_stand_on_one_side() -> None:
    rng = np.random.default_rng(0)
    pixels = np.stack([np.asarray(picture(seed, 48, 48)) for seed in range(120)])
    again = [
        np.asarray(Image.open(io.BytesIO(encoded(Image.fromarray(pixels[0]), "JPEG", quality=60)))),
        np.asarray(Image.fromarray(pixels[1]).resize((24, 24)).resize((48, 48))),
        np.clip(pixels[2].astype(int) + 12, 0, 255).astype(np.uint8),
        pixels[3],
    ]
    whole = Pictures.of(np.concatenate([pixels, np.stack(again)]))
    found = copies.of(whole, rng.integers(0, 2, len(whole)) * 0)
    assert found.clusters is not None
    assert [found.clusters[120 + place] == found.clusters[place] for place in range(4)] == [True] * 4
    assert len(np.unique(found.clusters)) == 120


def apart(made: task.ImageTask) -> int:
    """How many files of a judged fold have their copy (of the same number) among those that are learnt from."""
    number = np.array([name.rsplit("_")[-1] for name in made.names])
    return sum(int(np.isin(number[fold.judged], number[fold.order]).sum()) for fold in made.splits.folds)


def twice(place: Path, copied: int, elsewhere: int, each: int = 40) -> Path:
    """A folder of two classes; so many pictures of each are saved again in it, and so many in the other one."""
    folder(place, each)
    for label, other in (("dark", "light"), ("light", "dark")):
        for path in sorted((place / label).glob("???.png")):
            path.rename(place / label / f"_{label}{path.name}")
        for number, path in enumerate(sorted((place / label).glob(f"_{label}*.png"))[: copied + elsewhere]):
            shutil.copy(path, place / (label if number < copied else other) / f"again{path.name}")
    return place


def test_files_equal_in_every_bit_stand_on_one_side_whatever_their_answers(tmp_path: Path) -> None:
    made = task.ImageTask.load(twice(tmp_path / "in", copied=12, elsewhere=4), Question(None))
    assert made.rows == 112 and apart(made) == 0
    flags = {flag["flag"]: flag["reason"] for flag in made.flags}
    assert flags["duplicates"].startswith("32 pictures (28.6%) repeat another one")
    assert flags["two_answers"].startswith("16 pictures equal another one")
    whole = task.ImageTask.load(twice(tmp_path / "same", copied=12, elsewhere=0), Question(None))
    assert apart(whole) == 0 and "two_answers" not in {flag["flag"] for flag in whole.flags}


def test_few_different_files_are_kept_apart_too_unless_no_folds_were_left(tmp_path: Path) -> None:
    made = task.ImageTask.load(twice(tmp_path / "in", copied=15, elsewhere=0, each=15), Question(None))
    assert made.rows == 60 and made.folds == 5 and apart(made) == 0
    for number, (each, alike) in enumerate(((4, 8), (1, 40))):
        few = twice(tmp_path / str(number), copied=0, elsewhere=0, each=each)
        for path in sorted(few.glob("*/_*.png")):
            for place in range(alike):
                shutil.copy(path, path.with_name(f"{place}{path.name}"))
        assert "repeats are natural here" in told(task.ImageTask.load(few, Question(None)))


def test_classes_of_one_file_each_are_not_kept_apart() -> None:
    one = np.repeat(np.stack([np.asarray(picture(seed, 24, 24)) for seed in range(26)]), 10, axis=0)
    letters = np.repeat(np.arange(26), 10)
    assert copies.of(Pictures.of(one), letters).clusters is None
    assert copies.of(Pictures.of(one), letters // 2).clusters is not None


def test_pictures_that_look_alike_by_chance_are_no_copies() -> None:
    made = toys.shapes()
    assert copies.of(made.all_inputs, made.targets).clusters is None


def test_a_wrong_picture_is_shown_as_a_png() -> None:
    made = toys.shapes()
    shown = made.show(0, np.array([0, 3]))
    drawn = np.asarray(Image.open(io.BytesIO(b64decode(shown[1]["picture"]))))
    assert np.array_equal(drawn, made.all_inputs.read(made.splits.folds[0].judged[[3]])[0])


def test_one_field_after_the_other_is_hidden() -> None:
    made = toys.shapes()
    inputs, (rows, columns) = made.occluded([(0, 2), (1, 5)])
    assert (rows, columns) == (6, 6) and len(inputs) == 72
    before = made.inputs(1).read(np.array([5]))[0]
    hidden = inputs.read(np.array([36 + 6 * 2 + 3]))[0]  # the third row of fields, the fourth in it
    assert (hidden[8:12, 12:16] == hidden[8, 12]).all()
    hidden[8:12, 12:16] = before[8:12, 12:16]
    assert np.array_equal(hidden, before)


def test_regions_are_replaced_by_those_of_other_pictures() -> None:
    inputs = toys.shapes().all_inputs.take(np.arange(4))
    turned = np.array([1, 2, 3, 0])
    changed = inputs.shuffled(inputs.parts().index("centre"), turned).read()
    before = inputs.read()
    assert np.array_equal(changed[:, 8:16, 8:16], before[turned][:, 8:16, 8:16])
    changed[:, 8:16, 8:16] = before[:, 8:16, 8:16]
    assert np.array_equal(changed, before)
    assert len(set(inputs.parts())) == 9


def test_a_test_of_ones_own_is_read_and_its_copies_are_named(tmp_path: Path) -> None:
    folder(tmp_path / "in", each=60)
    other = folder(tmp_path / "test", each=3)
    for number in range(20):
        picture(100 + number).save(other / "light" / f"new{number}.png")
    made = ImageKind().load(tmp_path / "in", Question(None, test=str(other)))
    assert isinstance(made, task.ImageTask) and made.test is not None
    assert len(made.test.truth) == 26 and [flag["flag"] for flag in made.test.flags] == ["test_overlap"]


def test_a_test_that_was_raced_is_said_however_few_its_files(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=20)
    made = ImageKind().load(place, Question(None, test=str(place)))
    assert isinstance(made, task.ImageTask) and made.test is not None
    (flag,) = made.test.flags
    assert flag["flag"] == "test_overlap" and flag["reason"].startswith("40 of 40 pictures of in were raced too")


def test_traits_tell_pictures_apart() -> None:
    made = toys.lit()
    traits = {trait.name: trait for trait in made.traits(0)}
    assert {"brightness", "contrast", "detail", "width", "height"} == set(traits)
    light = made.inputs(0).read().mean(axis=(1, 2, 3)) / 255
    assert traits["brightness"].values == pytest.approx(light, abs=1e-4)


def test_inputs_travel_as_places_where_they_lie_in_a_file(tmp_path: Path) -> None:
    made = task.ImageTask.load(folder(tmp_path / "in"), Question(None))
    some = made.all_inputs.take(np.array([5, 1, 9]))
    arrays = some.to_arrays()
    assert sum(array.nbytes for array in arrays.values()) < 1_000
    assert np.array_equal(Pictures.from_arrays(arrays).read(), some.read())


def test_a_table_of_numbers_to_predict(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=30)
    names = [path.relative_to(tmp_path).as_posix() for path in sorted(place.glob("*/*"))]
    pd.DataFrame({"photo": names, "price": np.arange(60.0) * 1.5}).to_csv(tmp_path / "a.csv", index=False)
    made = task.ImageTask.load(tmp_path / "a.csv", Question("price"))
    assert made.n_classes is None and made.describe()["columns"] == [{"name": "photo", "role": "picture"}]


def test_a_test_of_ones_own_is_scored_by_the_models_that_were_raced(tmp_path: Path) -> None:
    import deepenough

    raced, later = folder(tmp_path / "raced", each=20), folder(tmp_path / "later", each=8)
    race = deepenough.race(
        raced, test=later, budget="6trials", only=("pixels_linear", "convolution"), out=tmp_path / "r"
    )
    test = race.facts["test"]
    for family in ("classical", "deep"):
        assert test[family]["scores"]["accuracy"] >= 0.5
