"""A newer version takes its place between two requests; one that can't be verified never answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deepenough.errors import ModelError
from deepenough.model import folder, manifest
from deepenough.serve.served import Served
from tests.serve.asking import app_of, ask, example


@pytest.fixture
def place(table: Path, tmp_path: Path) -> Path:
    shutil.copytree(table, tmp_path / "model")
    return tmp_path / "model"


def _other(place: Path) -> None:
    """The same model under another manifest, put there as a save does."""
    content = json.loads((place / manifest.MANIFEST).read_text())
    new = place.with_name("new")
    shutil.copytree(place, new)
    (new / manifest.MANIFEST).write_text(json.dumps(content | {"note": content["note"] + "again"}))
    folder._replace(new, place)


def test_a_newer_version_is_taken_and_named(place: Path) -> None:
    app = app_of(place)
    served = app.models["model"]
    before, reply = served.current, ask(app, given=example(app))
    assert not served.refresh()
    _other(place)
    assert served.refresh() and not served.refresh()
    assert served.current.name != before.name
    after = ask(app, given=example(app))
    assert after.headers["x-model-version"] == served.current.name != reply.headers["x-model-version"]
    assert after.json == reply.json == before.answers([example(app)])[0], "the old one still answers who holds it"


def test_one_that_was_tampered_with_never_answers(place: Path) -> None:
    app = app_of(place)
    served, before = app.models["model"], app.models["model"].current
    _other(place)
    victim = next(path for path in (place / "members").rglob("*") if path.is_file())
    victim.write_bytes(victim.read_bytes() + b"x")
    assert not served.refresh() and served.current is before
    assert "size" in served.problem and ask(app, "/models").json["models"][0]["problem"] == served.problem
    assert ask(app, given=example(app)).status == 200
    victim.write_bytes(victim.read_bytes()[:-1])
    assert served.refresh() and served.problem == ""


def test_a_folder_that_is_gone_for_a_moment_ends_nothing(place: Path) -> None:
    app = app_of(place)
    moved = place.rename(place.with_name("away"))
    assert not app.models["model"].refresh() and app.models["model"].problem
    assert ask(app, given=example(app)).status == 200
    moved.rename(place)
    app.models["model"].refresh()
    assert app.models["model"].problem == ""


def test_a_service_does_not_start_with_a_tampered_model(place: Path) -> None:
    (place / "members" / "0" / "added.py").write_text("print('never run')")
    with pytest.raises(ModelError, match="was added"):
        Served.of("model", place)


def test_a_model_saved_before_usual_values_were_kept_still_answers(place: Path) -> None:
    schema = json.loads((place / manifest.SCHEMA).read_text())
    for column in schema["columns"]:
        del column["usual"]
    (place / manifest.SCHEMA).write_text(json.dumps(schema))
    about = json.loads((place / manifest.MANIFEST).read_text())
    about["files"] = manifest.hashes(place)
    (place / manifest.MANIFEST).write_text(json.dumps(about))
    app = app_of(place)
    assert ask(app, given=example(app)).status == 200
    assert ask(app, "/predict?explain=true", example(app)).status == 422


def test_what_is_usual_is_the_middle_or_the_most_frequent() -> None:
    import numpy as np

    from deepenough.kinds.table.codec import _usual
    from deepenough.kinds.table.inputs import Column

    assert _usual(Column("n", "number", np.array([5.0, 1.0, np.nan, 2.5]))) == 2.5
    assert _usual(Column("n", "number", np.full(3, np.nan))) is None
    assert _usual(Column("d", "date", np.array([0.0, 86_400.0, 172_800.0]))) == "1970-01-02T00:00:00"
    assert _usual(Column("c", "category", np.array([1, 1, 0, -1], dtype=np.int32), ("a", "b"))) == "b"
    assert _usual(Column("t", "text", np.array([0], dtype=np.int32), ("some words",))) is None
