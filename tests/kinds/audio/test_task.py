"""A question about recordings: how long they are read, what is set aside and said, and which are copies."""

from __future__ import annotations

import zipfile
from base64 import b64decode
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import SourceError
from deepenough.kinds import file_sources, file_store
from deepenough.kinds.audio import Audio, copies, task, toys
from deepenough.kinds.audio.inputs import Recordings
from deepenough.task.task import Question
from tests.kinds.audio.files import encoded, folder, tone

soundfile = pytest.importorskip("soundfile")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))


def told(made: task.AudioTask) -> str:
    return " ".join([*made.notes, *(flag["reason"] for flag in made.flags)])


def test_messy_files_are_set_aside_by_name_and_the_others_are_raced(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=40)
    odd = {"empty.wav": b"", "words.mp3": b"no sound", "lacking.m4a": b"\0\0\0\x20ftypM4A " + b"\0" * 99}
    kept = {
        "silent.wav": encoded(np.zeros(4_000)),
        "moment.wav": encoded(tone(300, 0.05)),
        "hour.flac": encoded(np.zeros(3600 * 8_000, dtype=np.int16), "FLAC", 8_000),
        "loud.wav": encoded(np.clip(tone(300, loud=3.0), -1, 1)),
        "stereo.ogg": encoded(np.stack([tone(300, rate=44_100)] * 2, axis=1), "OGG", 44_100),
    }
    for name, content in (odd | kept).items():
        (place / "low" / name).write_bytes(content)
    made = task.AudioTask.load(place, Question(None))
    assert made.rows == 80 + len(kept)
    assert {item["name"] for item in made.set_aside} == {f"low/{name}" for name in odd}
    for said in (
        "3 files are set aside",
        "their middle is read",
        "hold nothing that can be heard",
        "shorter than 0.1 seconds",
        "peaks are cut",
        "personal data",
    ):
        assert said in told(made), said


def test_they_are_recognised_and_loaded_from_folders_zips_and_tables(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    assert Audio().recognise(place, Question(None)) == "a folder of recordings for each class"
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for file in sorted(place.glob("*/*.wav")):
            archive.write(file, file.relative_to(place))
    packed = task.AudioTask.load(tmp_path / "in.zip", Question(None))
    assert packed.rows == 24 and packed.target.classes == ("high", "low")
    rows = [{"said": f"in/{f.parent.name}/{f.name}", "what": f.parent.name} for f in sorted(place.glob("*/*.wav"))]
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    assert Audio().recognise(tmp_path / "table.csv", Question("what"))
    assert task.AudioTask.load(tmp_path / "table.csv", Question("what")).column == "said"
    assert not file_sources.recognised(tmp_path / "table.csv", Question("what", options={"text": "said"}), task.FORM)


def test_nothing_but_broken_files_is_refused_with_the_reason(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        (tmp_path / "in" / label / "x.wav").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="None of the 2 files of in is a recording"):
        task.AudioTask.load(tmp_path / "in", Question(None))


@pytest.mark.parametrize(("seconds", "asked", "longest"), [(0.6, None, 75), (30.0, None, 1_000), (30.0, 2, 200)])
def test_recordings_are_read_by_their_lengths(tmp_path: Path, seconds: float, asked: int | None, longest: int) -> None:
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        for number in range(4):
            sound = tone(300 + 100 * number, seconds, 8_000)
            (tmp_path / "in" / label / f"{number}.wav").write_bytes(encoded(sound, rate=8_000))
    made = task.AudioTask.load(tmp_path / "in", Question(None, options={"seconds": asked} if asked else {}))
    assert longest - 20 <= made.all_inputs.lengths.max() <= longest


def test_a_class_from_another_device_is_doubted(tmp_path: Path) -> None:
    place = folder(tmp_path / "in", each=20)
    assert "devices" not in {flag["flag"] for flag in task.AudioTask.load(place, Question(None)).flags}
    for file in (place / "high").iterdir():
        sound, _ = soundfile.read(file)
        file.write_bytes(encoded(sound, rate=22_050))
    made = task.AudioTask.load(place, Question(None))
    assert next(flag for flag in made.flags if flag["flag"] == "devices")["severity"] == "warn"
    assert "100% could be told by rate" in told(made)


def test_copies_are_found_though_saved_in_another_format_or_louder() -> None:
    from deepenough.kinds.audio.decode import decoded

    rng = np.random.default_rng(0)
    sounds = []
    for seed in range(60):
        hertz = rng.uniform(200, 4_000, 5)
        sounds.append(np.concatenate([tone(each, rng.uniform(0.05, 0.2), seed=seed) for each in hertz]))
    kept = [decoded(encoded(sound), 5.0)[0] for sound in sounds]
    again = [decoded(encoded(0.8 * sounds[0], "OGG"), 5.0)[0], decoded(encoded(sounds[1], "MP3"), 5.0)[0], kept[2]]
    found = copies.of(Recordings.of([*kept, *again]), np.arange(63) % 2 * 0)
    assert found.clusters is not None
    pairs = [(0, 60), (1, 61), (2, 62)]
    assert all(found.clusters[one] == found.clusters[other] for one, other in pairs)
    assert len(np.unique(found.clusters)) == 60, "and nothing else"


def test_a_recording_is_shown_as_a_picture_and_can_be_played(tmp_path: Path) -> None:
    import io

    from PIL import Image

    made = task.AudioTask.load(folder(tmp_path / "in"), Question(None))
    judged = [made.names[row] for row in made.splits.folds[0].judged.tolist()]
    names = [next(name for name in judged if name.startswith(label)) for label in ("high", "low")]
    shown = made.show(0, np.array([judged.index(name) for name in names]))
    assert [item["form"] for item in shown] == ["sound", "sound"]
    assert [item["name"] for item in shown] == names
    drawn = [np.asarray(Image.open(io.BytesIO(b64decode(item["picture"])))) for item in shown]
    high, low = (int(picture.mean(axis=1).argmin()) for picture in drawn)
    assert high < low, "high tones stand above"
    played, rate = soundfile.read(io.BytesIO(b64decode(shown[0]["sound"])))
    assert rate == 16_000 and len(played) > 2_000
    (tmp_path / "in" / names[0]).unlink()
    assert made.show(0, np.array([judged.index(names[0])]))[0]["sound"] == ""


def test_fields_are_hidden_one_after_the_other() -> None:
    ready = toys.melodies()
    hidden, shape = ready.occluded([(0, 0), (0, 1)])  # type: ignore[misc]
    assert shape == (6, 6) and len(hidden) == 72
    whole = ready.inputs(0).each(0)
    changed = np.abs(hidden.each(0) - whole) > 0.01
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert rows.max() < len(whole) / 6 and columns.min() >= 64 * 5 // 6, (
        "first field: the beginning of the highest tones"
    )


def test_traits_are_those_of_the_judged(tmp_path: Path) -> None:
    made = task.AudioTask.load(folder(tmp_path / "in"), Question(None))
    traits = {trait.name: trait.values for trait in made.traits(0)}
    high = made.truth(0) == 0
    assert traits["height of its tones"][high].min() > traits["height of its tones"][~high].max()
    assert set(traits["sampling rate"].tolist()) == {16_000.0}


def test_regions_are_put_in_their_places_whatever_the_lengths() -> None:
    short, long = np.zeros((9, 64)), np.ones((30, 64))
    both = Recordings.of([short, long])
    changed = both.shuffled(both.parts().index("high tones, end"), np.array([1, 0]))
    first, second = changed.each(0), changed.each(1)
    assert first.shape == (9, 64) and second.shape == (30, 64)
    assert first[6:, 43:].min() == 1 and first.sum() == first[6:, 42:].sum() > 0
    assert second[20:, 43:].max() == 0 and second[:20].min() == 1


def test_inputs_go_to_a_process_and_back(tmp_path: Path) -> None:
    made = task.AudioTask.load(folder(tmp_path / "in"), Question(None))
    for inputs in (made.all_inputs, toys.lengths().all_inputs.take(np.array([4, 1]))):
        again = Recordings.from_arrays(inputs.to_arrays())
        assert all(np.array_equal(one, other) for one, other in zip(inputs.read(), again.read(), strict=True))
    assert set(made.all_inputs.to_arrays()) == {"file", "starts", "lengths"}, "where they lie, not what they hold"


def test_a_persons_own_test_is_read_alike(tmp_path: Path) -> None:
    place, other = folder(tmp_path / "in", each=40), folder(tmp_path / "new", each=5)
    (other / "low" / "broken.wav").write_bytes(b"no")
    made = Audio().load(place, Question(None, test=str(other)))
    held = made.held_out()  # type: ignore[attr-defined]
    assert held is not None and len(held.truth) == 10
    said = " ".join([*held.notes, *(flag["reason"] for flag in held.flags)])
    assert "1 files of new could not be used" in said and "were raced too" in said
