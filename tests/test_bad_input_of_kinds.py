"""Real races of messy documents and series: what is wrong with them is named, and the race goes on to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.result import Race

WORDS = [f"word{place}" for place in range(60)]
TRIALS = "6trials"


def raced(source: Any, out: Path, only: tuple[str, ...], **asked: Any) -> Race:
    pytest.importorskip("torch")
    return deepenough.race(source, budget=TRIALS, only=only, out=out, listen=(), analysis=0, **asked)


def told(race: Race) -> str:
    """All that a person is told beside the verdict: notes, doubts, and what was set aside."""
    plan = race.evidence.plan
    return json.dumps([*plan.notes, *map(dict, plan.flags), *map(dict, plan.set_aside)], ensure_ascii=False)


def test_messy_documents(tmp_path: Path) -> None:
    """Empty ones, one of 10 MB, other scripts and HTML, each of which the model answers too."""
    rng = np.random.default_rng(0)
    kinds = rng.choice(["claim", "other"], 300)
    said = [" ".join([*rng.choice(WORDS, 12), "refund" if kind == "claim" else "thanks"]) for kind in kinds]
    odd = {
        0: "",
        1: "   \n\t ",
        2: "refund " * 1_500_000,
        3: "<html><body><p>refund &amp; <b>word1</b></p><script>alert(1)</script></body></html>",
        4: "返金をお願いします。商品が壊れていました。",
        5: "أريد استرداد أموالي من فضلك",
        6: "🎉" * 200,
        7: "a\u0000b \ud7ff \ufeff refund",
    }
    for place, text in odd.items():
        said[place] = text
    lines = [json.dumps({"said": text, "kind": kind}) for text, kind in zip(said, kinds, strict=True)]
    (tmp_path / "messages.jsonl").write_text("\n".join(lines), encoding="utf-8")
    race = raced(
        tmp_path / "messages.jsonl", tmp_path / "run", ("bag_of_words", "convolution"), target="kind", text="said"
    )
    assert race.evidence.plan.kind == "text" and race.decision != "no_signal"
    assert {trial.status for trial in race.evidence.trials} <= {"ok", "truncated"}
    assert "2 documents are empty" in told(race)
    answers = deepenough.load(race.folder).predict(list(odd.values()))
    assert answers.filter(like="probability_").sum(axis=1).to_numpy() == pytest.approx(1.0)


def test_files_of_mixed_encodings(tmp_path: Path) -> None:
    """A folder a class, whose files are UTF-8, UTF-16, Latin-1, empty, and no text at all."""
    rng = np.random.default_rng(0)
    encodings = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]
    for kind, mark in (("klage", "Rückgabe"), ("dank", "schön")):
        (tmp_path / "in" / kind).mkdir(parents=True)
        for place in range(60):
            text = " ".join([*rng.choice(WORDS, 12), mark])
            (tmp_path / "in" / kind / f"{place}.txt").write_bytes(text.encode(encodings[place % 4]))
    (tmp_path / "in" / "dank" / "empty.txt").write_bytes(b"")
    (tmp_path / "in" / "dank" / "picture.txt").write_bytes(rng.integers(0, 256, 4000, dtype=np.uint8).tobytes())
    race = raced(tmp_path / "in", tmp_path / "run", ("bag_of_words", "convolution"))
    assert race.decision != "no_signal"
    assert "picture.txt" in told(race)
    answers = deepenough.load(race.folder).predict(["word1 word2 Rückgabe", "word3 schön"])
    assert answers.iloc[:, 0].tolist() == ["klage", "dank"]


def test_messy_histories(tmp_path: Path) -> None:
    """Gaps, doubled and unsorted moments, another frequency, a constant series, a short one, zeros and negatives."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2023-01-02", periods=140, freq="D", tz="Europe/Berlin")
    week = np.array([0.0, 3, 5, 4, 9, 20, 15])
    frames = [
        pd.DataFrame({"shop": f"s{place}", "day": days, "sold": 30 + week[np.arange(140) % 7] + rng.normal(size=140)})
        for place in range(6)
    ]
    frames[0] = frames[0].drop(index=range(40, 55))  # a gap
    frames[1] = pd.concat([frames[1], frames[1].iloc[20:22]])  # doubled moments
    frames[2]["sold"] = 7.0  # constant
    frames[3] = frames[3].iloc[-5:]  # shorter than its season
    frames[4]["sold"] -= 40.0  # negative
    frames[5].loc[30:60, "sold"] = 0.0  # nothing sold
    monthly = pd.date_range("2020-01-01", periods=36, freq="MS", tz="America/New_York")
    frames.append(pd.DataFrame({"shop": "monthly", "day": monthly, "sold": rng.normal(size=36)}))
    for frame in frames:  # moments as they are written, each with its zone and its hour of summer time
        frame["day"] = [moment.isoformat() for moment in frame["day"]]
    rows = pd.concat(frames).sample(frac=1.0, random_state=0)
    rows.to_csv(tmp_path / "sold.csv", index=False)
    race = raced(
        tmp_path / "sold.csv",
        tmp_path / "run",
        ("lags_linear", "dlinear"),
        target="sold",
        time="day",
        series=["shop"],
        horizon=7,
    )
    assert race.evidence.plan.kind == "forecast"
    assert {trial.status for trial in race.evidence.trials} <= {"ok", "truncated"}
    said = told(race)
    for named in ("monthly", "sorted", "share their moment", "never change", "shorter than a season", "no value"):
        assert named in said, named
    history = pd.DataFrame({"shop": "new", "day": [day.isoformat() for day in days[-3:]], "sold": [1.0, 2.0, 3.0]})
    forecast = deepenough.load(race.folder).predict(history)
    assert len(forecast) == 7 and np.isfinite(forecast["sold"]).all()


def test_messy_whole_series(tmp_path: Path) -> None:
    """Of any length, with gaps, words among the numbers, constant, of one value, and with none."""
    rng = np.random.default_rng(0)
    kinds = rng.choice(["up", "down"], 120)
    curves: list[Any] = [
        np.round((1 if kind == "up" else -1) * np.linspace(0, 3, int(size)) + rng.normal(0, 0.3, int(size)), 3).tolist()
        for kind, size in zip(kinds, rng.integers(15, 40, 120), strict=True)
    ]
    curves[0][3] = None
    curves[1] = [1.0] * 20
    curves[2] = [2.0]
    curves[3] = []
    curves[4] = None
    rows = [{"curve": curve, "kind": kind} for curve, kind in zip(curves, kinds, strict=True)]
    (tmp_path / "curves.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    race = raced(tmp_path / "curves.jsonl", tmp_path / "run", ("intervals", "recurrent"), target="kind")
    assert race.evidence.plan.kind == "series" and race.decision != "no_signal"
    assert {trial.status for trial in race.evidence.trials} <= {"ok", "truncated"}
    assert "empty" in told(race) or "no number" in told(race)
    answers = deepenough.load(race.folder).predict(
        [{"curve": [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0] * 3}, {"curve": [1.0]}]
    )
    assert len(answers) == 2


def test_messy_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Truncated, of one pixel, of 20 megapixels, CMYK, 16 bits, a palette, animated, turned, lying, a bomb, words."""
    from PIL import Image

    from deepenough.kinds import file_store
    from tests.kinds.image.files import bomb, encoded, folder, picture

    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))
    place = folder(tmp_path / "in", each=70)
    exif = Image.Exif()
    exif[0x0112] = 8
    sixteen = Image.fromarray(np.asarray(picture(3, mode="L")).astype(np.uint16) * 257)
    sound = {
        "one.png": encoded(picture(1, 1, 1)),
        "large.jpg": encoded(picture(2, 5200, 4000), "JPEG"),
        "print.jpg": encoded(picture(4, mode="CMYK"), "JPEG"),
        "sixteen.png": encoded(sixteen),
        "palette.gif": encoded(picture(5, mode="P"), "GIF"),
        "moves.webp": encoded(picture(6), "WEBP", save_all=True, append_images=[picture(7)]),
        "turned.jpg": encoded(picture(8), "JPEG", exif=exif),
        "lies.bmp": encoded(picture(9)),
    }
    broken = {
        "half.jpg": encoded(picture(), "JPEG")[:500],
        "bomb.png": bomb(),
        "words.png": b"no picture",
        "empty.png": b"",
    }
    for name, content in (sound | broken).items():
        (place / "dark" / name).write_bytes(content)
    race = raced(place, tmp_path / "run", ("hog_boosted", "convolution"))
    assert race.evidence.plan.kind == "image" and race.evidence.plan.rows == 140 + len(sound)
    assert {trial.status for trial in race.evidence.trials} <= {"ok", "truncated"}
    said = told(race)
    for name in broken:
        assert name in said, name
    for odd in ("of another format than their names say", "smaller than 8 pixels", "hold several pictures"):
        assert odd in said, odd
    answers = deepenough.load(race.folder).predict(list((sound | broken).values()))
    assert answers.filter(like="probability_").sum(axis=1).to_numpy() == pytest.approx(1.0)


def test_messy_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one frame, still, with sound, turned, of other sizes and rates, lying; half, of sound alone, empty, words."""
    pytest.importorskip("av")
    from deepenough.kinds import file_store
    from tests.kinds.video.files import FORMS, folder, moving, packed, with_sound

    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))
    place = folder(tmp_path / "in", each=40)
    sound = {
        "one.mp4": packed(moving(1)),
        "still.webm": packed(np.repeat(moving(1), 10, axis=0), FORMS[4]),
        "sounds.mp4": with_sound(moving(20)),
        "turned.mp4": with_sound(moving(20), turned=90),
        "tiny.avi": packed(moving(8, 40, 32, step=0.5)[:, :16, :16], FORMS[2]),
        "slow.mkv": packed(moving(12), FORMS[3], rate=1),
        "lies.mov": packed(form=FORMS[5]),
    }
    broken = {
        "half.mp4": packed()[:1_500],
        "sound.mp4": with_sound(moving(2), only=True),
        "words.avi": b"no clip",
        "empty.mp4": b"",
    }
    for name, content in (sound | broken).items():
        (place / "left" / name).write_bytes(content)
    race = raced(place, tmp_path / "run", ("motion_svm", "frames_gru"), side=16)
    assert race.evidence.plan.kind == "video" and race.evidence.plan.rows == 80 + len(sound)
    assert {trial.status for trial in race.evidence.trials} <= {"ok", "truncated"}
    said = told(race)
    for name in broken:
        assert name in said, name
    for odd in (
        "hold one frame only",
        "clips have sound, which is not used",
        "next to nothing moves",
        "Clips last from",
    ):
        assert odd in said, odd
    answers = deepenough.load(race.folder).predict(list((sound | broken).values()))
    assert answers.filter(like="probability_").sum(axis=1).to_numpy() == pytest.approx(1.0)


def test_messy_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent, of a moment, of an hour, of other rates and channels, cut at its peaks, lying, of a codec we lack."""
    pytest.importorskip("soundfile")
    from deepenough.kinds import file_store
    from tests.kinds.audio.files import encoded, folder, tone

    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))
    place = folder(tmp_path / "in", each=60)
    sound = {
        "silent.wav": encoded(np.zeros(4_000)),
        "moment.wav": encoded(tone(300, 0.05)),
        "hour.flac": encoded(np.zeros(3600 * 8_000, dtype=np.int16), "FLAC", 8_000),
        "stereo.ogg": encoded(np.stack([tone(300, rate=44_100)] * 2, axis=1), "OGG", 44_100),
        "loud.wav": encoded(np.clip(tone(300, loud=3.0), -1, 1)),
        "lies.wav": encoded(tone(300), "MP3"),
    }
    broken = {"lacking.m4a": b"\0\0\0\x20ftypM4A " + b"\0" * 99, "words.wav": b"no sound", "empty.wav": b""}
    for name, content in (sound | broken).items():
        (place / "low" / name).write_bytes(content)
    race = raced(place, tmp_path / "run", ("cepstra_boosted", "recurrent"))
    assert race.evidence.plan.kind == "audio" and race.evidence.plan.rows == 120 + len(sound)
    assert {trial.status for trial in race.evidence.trials} <= {"ok", "truncated"}
    said = told(race)
    for expected in (*broken, "hold nothing that can be heard", "their middle is read", "their peaks are cut"):
        assert expected in said, expected
    answers = deepenough.load(race.folder).predict(list((sound | broken).values()))
    assert answers.filter(like="probability_").sum(axis=1).to_numpy() == pytest.approx(1.0)
