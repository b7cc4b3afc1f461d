"""Files that are there whole, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from deepenough.files import write_whole


def test_of_a_file_that_found_no_room_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "report.html"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    assert path.read_bytes() == b"old"
