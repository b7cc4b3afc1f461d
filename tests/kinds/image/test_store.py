"""Decoded pictures on the disk: once, whole, found again, and never too many."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deepenough.errors import SourceError
from deepenough.kinds import file_store, folders, picture_files
from deepenough.kinds.image.inputs import Pictures
from deepenough.kinds.picture_reading import PictureReader
from tests.kinds.image.files import folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))
    yield tmp_path / "cache" / "pictures"
    file_store.give_back()


def items(place: Path) -> list[folders.Item]:
    return folders.items(place, picture_files.is_picture, "pictures")


def test_pictures_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    some = items(folder(tmp_path / "in"))
    first = file_store.decoded(some, PictureReader(16, 20))
    read = Pictures.mapped(first.path)
    expected = np.stack([picture_files.decoded(item.read(), 16, 20)[0] for item in some])
    assert np.array_equal(read.read(), expected) and read.shape == (16, 20, 3)
    assert isinstance(read.pixels, np.memmap)
    monkeypatch.setattr(picture_files, "decoded", lambda *_: pytest.fail("decoded again"))
    again = file_store.decoded(some, PictureReader(16, 20))
    assert (again.path, again.sha256, again.seen) == (first.path, first.sha256, first.seen)
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".npy"]


def test_another_file_or_size_is_decoded_anew(tmp_path: Path) -> None:
    some = items(folder(tmp_path / "in"))
    first = file_store.decoded(some, PictureReader(16, 20))
    assert file_store.decoded(some, PictureReader(20, 16)).path != first.path
    Image.new("RGB", (40, 30), "red").save(tmp_path / "in" / "dark" / "000.png")
    changed = file_store.decoded(items(tmp_path / "in"), PictureReader(16, 20))
    assert changed.path != first.path and changed.sha256 != first.sha256


def test_what_is_no_picture_is_left_out_with_its_reason(tmp_path: Path) -> None:
    place = folder(tmp_path / "in")
    (place / "dark" / "003.png").write_bytes(b"nothing")
    found = file_store.decoded(items(place), PictureReader(16, 20))
    assert len(found.there) == 23 and 3 not in found.there.tolist()
    assert found.reasons == {3: "its bytes are no picture of a format that is read"}
    assert len(Pictures.mapped(found.path)) == len(found.seen) == len(found.lengths) == 23


def test_the_cache_keeps_to_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    some = items(folder(tmp_path / "in"))
    old = file_store.decoded(some, PictureReader(16, 20))
    file_store.give_back()  # as at the end of its process
    os.utime(old.path, (1, 1))
    held = file_store.decoded(some, PictureReader(17, 20))
    monkeypatch.setattr(file_store, "MOST_BYTES", old.path.stat().st_size * 2)
    file_store.decoded(some, PictureReader(18, 20))
    assert not old.path.exists() and held.path.exists(), "the oldest goes, what is in use stays"


def test_files_of_equal_names_sizes_and_times_are_told_apart(tmp_path: Path) -> None:
    made = []
    for name, colour in (("one", "red"), ("other", "blue")):
        for label in ("a", "b"):
            (tmp_path / name / label).mkdir(parents=True)
            Image.new("RGB", (8, 8), colour).save(tmp_path / name / label / "0.bmp")
            os.utime(tmp_path / name / label / "0.bmp", (1, 1))
        made.append(file_store.decoded(items(tmp_path / name), PictureReader(16, 16)))
    assert made[0].path != made[1].path
    assert not np.array_equal(Pictures.mapped(made[0].path).read(), Pictures.mapped(made[1].path).read())


def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path: Path, cache: Path) -> None:
    some = items(folder(tmp_path / "in"))
    file_store.decoded(some, PictureReader(16, 20))
    for name, age in (("old.unfinished", 1e9), ("new.unfinished", 0.0)):
        (cache / name).write_bytes(b"x")
        os.utime(cache / name, (time.time() - age, time.time() - age))
    file_store.decoded(some, PictureReader(17, 20))
    assert not (cache / "old.unfinished").exists() and (cache / "new.unfinished").exists()


def test_what_another_race_removed_before_it_was_held_is_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some, hold, held = items(folder(tmp_path / "in")), file_store._hold, []

    def late(path: Path) -> None:
        held.append(path)
        if len(held) == 1:
            path.unlink()
        hold(path)

    monkeypatch.setattr(file_store, "_hold", late)
    assert len(Pictures.mapped(file_store.decoded(some, PictureReader(16, 20)).path)) == 24 and len(held) == 2


def test_a_broken_member_of_a_zip_is_set_aside(tmp_path: Path) -> None:
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", folder(tmp_path / "in")))
    with zipfile.ZipFile(packed) as archive:
        info = archive.getinfo("dark/003.png")
    content = bytearray(packed.read_bytes())
    content[info.header_offset + 30 + len(info.filename) + 60] ^= 0xFF
    packed.write_bytes(bytes(content))
    found = file_store.decoded(items(packed), PictureReader(16, 20))
    assert list(found.reasons) == [3] and "can't be unpacked" in found.reasons[3]


def test_a_full_disk_and_a_place_that_can_not_be_written_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = items(folder(tmp_path / "in"))
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr(file_store.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SourceError, match="has no room for"):
        file_store.decoded(some, PictureReader(16, 20))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "file"))
    with pytest.raises(SourceError, match=file_store.VARIABLE):
        file_store.cache_folder("pictures")


KILLED = """
import os, sys
from pathlib import Path
from deepenough.kinds import file_store, folders
from deepenough.kinds import picture_files
from deepenough.kinds.picture_reading import PictureReader
whole = picture_files.decoded
def dies(content, height, width, count=[0]):
    count[0] += 1
    if count[0] == 20:
        os.kill(os.getpid(), 9)
    return whole(content, height, width)
picture_files.decoded = dies
file_store.decoded(folders.items(Path(sys.argv[1]), picture_files.is_picture, "pictures"), PictureReader(16, 20))
"""


def test_killed_while_it_writes_it_leaves_nothing_that_counts(tmp_path: Path, cache: Path) -> None:
    place = folder(tmp_path / "in")
    environment: dict[str, Any] = {**os.environ, file_store.VARIABLE: str(cache.parent)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(place)], env=environment, check=False)
    assert done.returncode == -9
    assert not list(cache.glob("*.npy"))
    assert len(file_store.decoded(items(place), PictureReader(16, 20)).there) == 24
