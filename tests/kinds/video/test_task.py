"""A question about clips: how they are read, what is set aside and said, and which are copies."""

from __future__ import annotations

import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from deepenough.errors import SourceError
from deepenough.kinds import file_store
from deepenough.kinds.video import Video, copies, decode, task, toys
from deepenough.kinds.video.inputs import ORDER, Clips
from deepenough.task.task import Question
from tests.kinds.video.files import FORMS, folder, moving, packed, scene, with_sound


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def told(made: task.VideoTask) -> str:
    return " ".join([*made.notes, *(flag["reason"] for flag in made.flags)])


def test_messy_files_are_set_aside_by_name_and_the_others_are_raced(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=12)
    odd = {"truncated.mp4": packed()[:1_500], "empty.mp4": b"", "words.avi": b"no clip", "sound.mp4": b""}
    odd["sound.mp4"] = with_sound(moving(2), only=True)
    kept = {
        "one.mp4": packed(moving(1)),
        "still.mp4": packed(np.repeat(moving(1), 10, axis=0)),
        "sounds.mp4": with_sound(moving(20)),
        "long.webm": packed(moving(120, step=0.2), FORMS[4]),
        "turned.mp4": with_sound(moving(20), turned=90),
        "lies.mov": packed(form=FORMS[3]),
    }
    for name, content in (odd | kept).items():
        (place / "left" / name).write_bytes(content)
    made = task.VideoTask.load(place, Question(None))
    assert made.rows == 24 + len(kept)
    assert {item["name"] for item in made.set_aside} == {f"left/{name}" for name in odd}
    for said in (
        "4 files are set aside",
        "holds no frames, only sound",
        "16 frames are read, evenly spread over it, at 32 x 24 pixels, in colour",
        "1 clips hold one frame only",
        "2 clips have sound, which is not used",
        "In 2 clips next to nothing moves",
        "Clips last from",
    ):
        assert said in told(made), said


def test_what_is_odd_is_said_where_rows_are_left_out_too(tmp_path: Path) -> None:
    import pandas as pd

    place = folder(tmp_path / "in", each=10)
    (place / "left" / "one.mp4").write_bytes(packed(moving(1)))
    names = [path.relative_to(tmp_path).as_posix() for path in sorted(place.glob("*/*"))]
    ways = [name.split("/")[1] if number % 7 else None for number, name in enumerate(names)]
    pd.DataFrame({"clip": names, "way": ways}).to_csv(tmp_path / "a.csv", index=False)
    made = task.VideoTask.load(tmp_path / "a.csv", Question("way"))
    assert made.rows == 18 and "1 clips hold one frame only" in told(made)
    assert len(made.traits(0)[0].values) == len(made.splits.folds[0].judged)


def test_nothing_but_broken_files_is_refused_with_the_reason(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        (tmp_path / "in" / label / "x.mp4").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="None of the 2 files of in is a clip"):
        task.VideoTask.load(tmp_path / "in", Question(None))


@pytest.mark.parametrize(
    ("size", "side", "read"),
    [((32, 24), None, (32, 24)), ((640, 360), None, (64, 36)), ((40, 400), None, (32, 64)), ((96, 64), 48, (48, 32))],
)
def test_clips_are_read_by_their_shape_and_size(
    tmp_path: Path, size: tuple[int, int], side: int | None, read: tuple[int, int]
) -> None:
    for label, shade in (("a", 50), ("b", 200)):
        (tmp_path / "in" / label).mkdir(parents=True)
        for number in range(6):
            frames = np.full((3, size[1], size[0], 3), [shade, 20 * number, 90], np.uint8)
            (tmp_path / "in" / label / f"{number}.mp4").write_bytes(packed(frames))
    made = task.VideoTask.load(tmp_path / "in", Question(None, options={"side": side} if side else {}))
    assert made.all_inputs.shape == (decode.FRAMES, read[1], read[0], 3)
    assert "one colour throughout" in told(made)


def test_grey_clips_have_one_channel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("left", "right"):
        (tmp_path / "in" / label).mkdir(parents=True)
        for number in range(6):
            shades = scene(rng, label)[..., :1].repeat(3, axis=3)
            (tmp_path / "in" / label / f"{number}.mp4").write_bytes(packed(shades))
    made = task.VideoTask.load(tmp_path / "in", Question(None))
    assert made.all_inputs.shape[3] == 1 and made.all_inputs.read().shape == (12, 16, 24, 32, 1)


def test_copies_saved_again_smaller_or_brighter_stand_on_one_side() -> None:
    rng = np.random.default_rng(0)
    scenes = [scene(rng, label, 16) for label in ("left", "right") * 40]
    again = [
        decode.decoded(packed(scenes[0], FORMS[2], b="2000000"), 24, 32)[0],
        decode.decoded(packed(scenes[1], FORMS[0], crf="18"), 24, 32)[0],
        np.clip(scenes[2].astype(int) + 12, 0, 255).astype(np.uint8),
        scenes[3],
    ]
    found = copies.of(Clips.of(np.stack([*scenes, *again])), np.zeros(84))
    assert found.clusters is not None
    assert [found.clusters[80 + place] == found.clusters[place] for place in range(4)] == [True] * 4
    assert len(np.unique(found.clusters)) == 80


def test_clips_of_one_scene_whose_motion_differs_are_no_copies() -> None:
    """A small thing crosses the same scene: one way, the other way, later, slower, or not at all."""
    rng = np.random.default_rng(0)
    others = [scene(rng, "right", 16) for _ in range(60)]
    first = scene(rng, "right", 16)
    still = np.repeat(first[:1], 16, axis=0)
    ways = [first, first[::-1].copy(), np.concatenate([still[:8], first[:8]]), first[np.arange(16) // 2], still]
    whole = np.stack([*others, *ways])
    assert copies.of(Clips.of(whole), np.zeros(len(whole))).clusters is None
    means = whole[60:62].astype(float).mean(axis=1)
    assert np.array_equal(means[0], means[1]), "to the mean frame they are the same"


def test_toys_that_look_alike_by_chance_are_no_copies() -> None:
    for made in toys.toys().values():
        assert copies.of(made.all_inputs, made.targets).clusters is None


def test_a_wrong_clip_is_shown_as_a_strip_of_frames() -> None:
    from PIL import Image

    made = toys.ways()
    shown = made.show(0, np.array([0, 3]))
    drawn = np.asarray(Image.open(io.BytesIO(b64decode(shown[1]["picture"]))))
    clip = made.all_inputs.read(made.splits.folds[0].judged[[3]])[0]
    assert np.array_equal(drawn, np.concatenate([clip[place] for place in (1, 3, 5, 7)], axis=1))
    assert toys.lights().show(0, np.array([0]))[0]["form"] == "picture"


def test_a_wrong_clip_plays_as_long_as_it_lasts_and_stays_small() -> None:
    from PIL import Image

    made = toys.ways()
    (shown,) = made.show(0, np.array([3]))
    clip = made.all_inputs.read(made.splits.folds[0].judged[[3]])[0]
    with Image.open(io.BytesIO(b64decode(shown["film"]))) as played:
        assert played.format == "WEBP" and played.n_frames == len(clip) and played.size == clip.shape[2:0:-1]
        played.seek(len(clip) - 1)
        assert np.abs(np.asarray(played.convert("L"), dtype=float) - clip[-1].mean(axis=2)).mean() < 12
    noisy = np.random.default_rng(0).integers(0, 255, (16, 48, 64, 3)).astype(np.uint8)
    assert len(task.film(noisy, 1.0)) < 0.3 * noisy.nbytes


@pytest.mark.parametrize(("seconds", "each"), [(0.1, 60), (1.6, 100), (600.0, 400)])
def test_a_film_neither_flickers_nor_stands_still(seconds: float, each: int) -> None:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 16, 1)).astype(np.uint8)
    with Image.open(io.BytesIO(task.film(pixels, seconds))) as played:
        played.load()
        assert played.info["duration"] == each


def test_one_field_after_the_other_is_hidden_as_the_strip_shows_them() -> None:
    made = toys.ways()
    inputs, (rows, columns) = made.occluded([(0, 2), (1, 5)])
    assert (rows, columns) == (3, 12) and len(inputs) == 72
    before = made.inputs(1).read(np.array([5]))[0]
    hidden = inputs.read(np.array([36 + 12 + 7]))[0]  # the middle row; the third stretch of the time, its middle field
    region = (slice(4, 6), slice(4, 8), slice(4, 8))
    assert (hidden[region] == hidden[4, 4, 4]).all()
    hidden[region] = before[region]
    assert np.array_equal(hidden, before)


def test_times_and_sides_are_replaced_by_those_of_other_clips() -> None:
    inputs = toys.ways().all_inputs.take(np.arange(4))
    turned, before = np.array([1, 2, 3, 0]), inputs.read()
    for part, region in (
        ("middle", (slice(None), slice(2, 5))),
        ("right", (slice(None), slice(None), slice(None), slice(8, 12))),
    ):
        changed = inputs.shuffled(inputs.parts().index(part), turned).read()
        assert np.array_equal(changed[region], before[turned][region]), part
        changed[region] = before[region]
        assert np.array_equal(changed, before), part
    assert len(set(inputs.parts())) == 7


def test_the_order_of_the_frames_is_lost_and_nothing_else() -> None:
    inputs = toys.ways().all_inputs.take(np.arange(4))
    changed, before = inputs.shuffled(inputs.parts().index(ORDER), np.array([1, 2, 3, 0])).read(), inputs.read()
    for one, other in zip(changed, before, strict=True):
        assert not np.array_equal(one, other)
        assert sorted(frame.tobytes() for frame in one) == sorted(frame.tobytes() for frame in other)


def test_a_test_of_ones_own_is_read_and_its_copies_are_named(tmp_path: Path) -> None:
    folder(tmp_path / "in", each=16)
    other = folder(tmp_path / "test", each=3)
    rng = np.random.default_rng(9)
    for number in range(20):
        (other / "right" / f"new{number}.mp4").write_bytes(packed(scene(rng)))
    made = Video().load(tmp_path / "in", Question(None, test=str(other)))
    assert isinstance(made, task.VideoTask) and made.test is not None
    assert len(made.test.truth) == 26 and [flag["flag"] for flag in made.test.flags] == ["test_overlap"]


def test_traits_tell_clips_apart(tmp_path: Path) -> None:
    made = toys.speeds()
    traits = {trait.name: trait.values for trait in made.traits(0)}
    assert set(traits) == {"motion", "brightness", "contrast", "detail", "seconds", "width", "height", "colour"}
    clips = made.inputs(0).read().astype(float)
    assert traits["brightness"] == pytest.approx(clips.mean(axis=(1, 2, 3, 4)) / 255, abs=1e-4)
    changes = np.abs(np.diff(clips.mean(axis=4), axis=1)).mean(axis=(1, 2, 3)) / 255
    assert traits["motion"] == pytest.approx(changes, abs=1e-4)


def test_inputs_travel_as_places_where_they_lie_in_a_file(tmp_path: Path) -> None:
    made = task.VideoTask.load(folder(tmp_path / "in", each=6), Question(None))
    some = made.all_inputs.take(np.array([5, 1, 9]))
    arrays = some.to_arrays()
    assert sum(array.nbytes for array in arrays.values()) < 1_000
    assert np.array_equal(Clips.from_arrays(arrays).read(), some.read())
