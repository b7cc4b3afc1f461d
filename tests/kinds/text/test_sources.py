"""Where documents come from: recognised where nothing else could help, read in any encoding, folders and zips too."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepenough import kinds
from deepenough.errors import InputError, OptionError, SourceError
from deepenough.kinds.text import sources, task
from deepenough.task.task import Question

WORDS = (
    *("the", "parcel", "came", "late", "and", "the", "box", "was", "open", "when", "I", "found", "it", "at", "the"),
    *("door", "of", "my", "neighbour", "yesterday"),
)


def sentences(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 12).tolist()) + f" {place}." for place in range(count)]


def table(rows: int = 60, **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"said": sentences(rows), "stars": np.arange(rows) % 3, **more})


def why(source: Any, **asked: Any) -> tuple[str, str]:
    kind, reason = kinds.recognise(source, Question(**({"target": "stars"} | asked)))
    return kind.name, reason


def test_texts_alone_are_documents(tmp_path: Path) -> None:
    assert why(table()) == ("text", "nothing but the texts of 'said' to go by")
    table().to_csv(tmp_path / "a.csv", index=False)
    table().to_parquet(tmp_path / "a.parquet")
    table().to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        assert why(str(tmp_path / name))[0] == "text", name


def test_what_could_help_beside_them_makes_it_a_table() -> None:
    assert why(table(price=np.random.default_rng(0).normal(size=60)))[0] == "table"
    assert why(table(colour=["red", "blue"] * 30))[0] == "table"


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({"id": range(60)}, {}),
        ({"same": ["x"] * 60}, {}),
        ({"who": ["ann", "ben", "cy"] * 20}, {"group": "who"}),
        ({"who": ["ann", "ben", "cy"] * 20}, {"drop": ("who",)}),
    ],
)
def test_what_can_not_help_does_not(more: dict[str, Any], asked: dict[str, Any]) -> None:
    assert why(table(**more), **asked)[0] == "text"


def test_a_person_has_the_last_word() -> None:
    frame = table(price=np.random.default_rng(0).normal(size=60))
    kind, reason = why(frame, options={"text": ("said",)})
    assert kind == "text" and "you named 'said'" in reason
    made = task.load(frame, Question("stars", options={"text": ("said",)}))
    assert [item["name"] for item in made.set_aside] == ["price"]


def test_other_questions_of_rows_of_texts_are_left_to_others() -> None:
    for options in ({"horizon": 3}, {"series": ("said",)}):
        assert not sources.recognised(table(), Question("stars", options=options))


def test_short_words_are_no_texts() -> None:
    frame = pd.DataFrame({"colour": ["red", "green", "blue"] * 20, "stars": np.arange(60) % 2})
    assert why(frame)[0] == "table"


def test_texts_without_spaces_are_texts() -> None:
    rng = np.random.default_rng(0)
    said = ["".join(rng.choice(list("今日明日私達東京人大小上下中前後左右白黒"), 14).tolist()) for _ in range(60)]
    assert why(pd.DataFrame({"said": said, "stars": np.arange(60) % 2}))[0] == "text"


def test_what_can_not_be_read_is_left_to_who_loads_it(tmp_path: Path) -> None:
    assert not sources.recognised(str(tmp_path / "no.csv"), Question("stars"))
    (tmp_path / "empty.csv").write_text("")
    assert not sources.recognised(str(tmp_path / "empty.csv"), Question("stars"))
    assert not sources.recognised(7, Question("stars"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder a class, its files in four encodings, one of them no text."""
    texts = sentences(40)
    for place, text in enumerate(texts):
        label = ("spam", "ham")[place % 2]
        (tmp_path / "mail" / label).mkdir(parents=True, exist_ok=True)
        encoding = ("utf-8", "utf-16", "cp1252", "utf-8-sig")[place % 4] if place < 8 else "utf-8"
        (tmp_path / "mail" / label / f"{place:02}.txt").write_bytes(f"{text} é".encode(encoding))
    (tmp_path / "mail" / "ham" / "binary.txt").write_bytes(b"\x00\x01\x02 no text")
    (tmp_path / "mail" / "ham" / "notes.md").write_text("not a document")
    return tmp_path / "mail"


def test_a_folder_a_class_needs_no_target(folder: Path) -> None:
    kind, reason = why(str(folder), target=None)
    assert (kind, reason) == ("text", "a folder of .txt files for each class")
    made = task.load(str(folder), Question())
    assert made.rows == 40 and made.question_facts["classes"] == ["ham", "spam"]
    assert all(text.endswith("é") and not text.startswith("\ufeff") for text in made.all_inputs.texts)
    said = " ".join(made.notes)
    assert "2 files were read as utf-16" in said and "2 files were read as windows-1252" in said
    assert "1 files are no texts" in said and "ham/binary.txt" in said


def test_a_zip_of_such_a_folder_is_read_without_being_unpacked(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mail.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.txt")):
            archive.write(file, f"../../mail/{file.parent.name}/{file.name}")  # climbs: names are names here
    before = set(tmp_path.rglob("*"))
    made = task.load(str(path), Question())
    assert made.rows == 40 and made.all_inputs.texts == task.load(str(folder), Question()).all_inputs.texts
    assert set(tmp_path.rglob("*")) == before


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("alone")
    with pytest.raises(SourceError, match="folder"):
        kinds.recognise(str(tmp_path), Question("stars"))
    with pytest.raises(SourceError, match="without a folder a class"):
        sources.read(str(tmp_path), Question("stars"))


def test_a_zip_of_several_such_folders_is_none(tmp_path: Path) -> None:
    path = tmp_path / "sets.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("train/a/1.txt", "train/b/1.txt", "test/a/1.txt", "test/b/1.txt"):
            archive.writestr(name, "told")
    assert not sources.recognised(str(path), Question())


def test_hidden_files_are_no_documents_and_endings_may_be_capital(tmp_path: Path) -> None:
    for name in ("a/1.TXT", "b/1.txt", "b/._1.txt", "c/._1.txt", ".cache/1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("told")
    assert [column.levels for column in sources.read(tmp_path, Question()).columns] == [("told",), ("a", "b")]


def test_a_broken_zip_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/1.txt", "told here")
        archive.writestr("b/1.txt", "told there")
    path.write_bytes(path.read_bytes().replace(b"told there", b"told where"))
    with pytest.raises(SourceError, match=r"broken\.zip can't be unpacked"):
        sources.read(path, Question())


def test_json_lines_keep_their_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    texts = [f"{text}\n\nYours" for text in sentences(30)]
    path.write_text("".join(json.dumps({"said": text, "stars": place % 2}) + "\n" for place, text in enumerate(texts)))
    assert task.load(str(path), Question("stars")).all_inputs.texts == tuple(texts)


def test_what_is_named_must_be_there_and_not_the_target() -> None:
    with pytest.raises(InputError, match="sayd"):
        task.load(table(), Question("stars", options={"text": ("sayd",)}))
    with pytest.raises(OptionError, match="--text said is the target too"):
        task.load(table(), Question("said", options={"text": ("said",), "task": "classification"}))


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        ("Grüße".encode(), "Grüße", "utf-8"),
        ("Grüße".encode("utf-16"), "Grüße", "utf-16"),
        ("Grüße".encode("utf-32"), "Grüße", "utf-32"),
        ("Grüße “so”".encode("cp1252"), "Grüße “so”", "windows-1252"),
        (b"", "", "utf-8"),
        (b"a\x00b", None, ""),
    ],
)
def test_bytes_become_texts(content: bytes, text: str | None, encoding: str) -> None:
    assert sources.decoded(content) == (text, encoding)
