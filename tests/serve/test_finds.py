"""One picture has several finds, or none: it gets one answer all the same, wherever it is asked about."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import deepenough
from deepenough.errors import OptionError
from deepenough.serve import routes
from deepenough.serve.app import App
from deepenough.serve.router import Router
from deepenough.serve.schema import check
from deepenough.serve.served import Served
from deepenough.serve.watch import Watch
from tests.serve.asking import app_of, ask, example

TARGET = "object"


@pytest.fixture
def place(saved: Callable[[str], Path]) -> Path:
    """The folder of a model that finds discs."""
    return saved("objects")


@pytest.fixture
def app(place: Path) -> App:
    return app_of(place)


def _picture(app: App, times: int = 1) -> bytes:
    """A picture with discs, drawn so many times larger."""
    (address,) = example(app).values()
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    held = io.BytesIO()
    picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST).save(held, "PNG")
    return held.getvalue()


def _nothing() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (50, 40)).save(held, "PNG")
    return held.getvalue()


def _row(content: bytes) -> dict[str, str]:
    return {"file": f"data:image/png;base64,{base64.b64encode(content).decode()}"}


def test_a_picture_gets_the_list_of_its_finds_and_one_without_an_empty_list(app: App) -> None:
    several = ask(app, given=[_row(_picture(app)), _row(_nothing()), _row(_picture(app, 3))]).json
    first, empty, larger = several
    assert empty == {TARGET: []} and list(first) == [TARGET] and len(first[TARGET]) >= 1
    assert list(first[TARGET][0]) == ["class", "score", "x0", "y0", "x1", "y1"]
    scores = [find["score"] for find in first[TARGET]]
    assert scores == sorted(scores, reverse=True)
    assert ask(app, given=_row(_picture(app))).json == first, "one alone is no list of answers"
    best, same = first[TARGET][0], larger[TARGET][0]
    assert all(abs(same[side] - 3 * best[side]) < 2 for side in ("x0", "y0", "x1", "y1")), "in its own pixels"


def test_the_document_says_what_is_answered(app: App) -> None:
    told = ask(app, "/openapi.json").json["paths"]["/predict"]["post"]
    schema = told["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert schema["properties"][TARGET]["type"] == "array"
    for content in (_picture(app), _nothing()):
        check(ask(app, given=content, media="image/png").json, schema)


def test_a_stream_has_a_line_a_picture(app: App) -> None:
    rows = [_row(_picture(app)), _row(_nothing()), _row(b"no picture"), _row(_picture(app))]
    lines = ask(
        app, given=b"".join(json.dumps(row).encode() + b"\n" for row in rows), media="application/x-ndjson"
    ).lines
    assert lines[0] == lines[3] == ask(app, given=rows[0]).json and lines[1] == {TARGET: []}
    assert lines[2]["error"]["line"] == 3


def _rules(folder: Path, *when: str) -> str:
    rules = [f'[[route]]\nwhen = "{each}"\nto = "{place}.jsonl"\n' for place, each in enumerate(when)]
    (folder / "routes.toml").write_text("\n".join(rules))
    return str(folder / "routes.toml")


def _routed(folder: Path, place: int) -> list[dict[str, Any]]:
    file = folder / f"{place}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_rules_compare_how_many_there_are_and_how_likely_the_likeliest_is(
    app: App, place: Path, tmp_path: Path
) -> None:
    found = ask(app, given=_row(_picture(app))).json[TARGET]
    best, count = found[0]["score"], len(found)
    rules = _rules(
        tmp_path, "finds == 0", f"p > {best}", f"answer == 'disc' and score_disc >= {best} and finds == {count}"
    )
    routing = app_of(place, routes=rules)
    assert ask(routing, given=[_row(_picture(app)), _row(_nothing())]).status == 200
    assert routing.router is not None
    routing.router.send_due()
    assert [item["answer"] for item in _routed(tmp_path, 0)] == [{TARGET: []}] and not _routed(tmp_path, 1)
    assert [item["answer"] for item in _routed(tmp_path, 2)] == [{TARGET: found}]


@pytest.mark.parametrize("name", [TARGET, "class", "x0", "score_cat"])
def test_a_rule_with_another_name_is_refused_at_the_start(name: str, place: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="answer, finds, p, score_disc"):
        app_of(place, routes=_rules(tmp_path, f"{name} > 0.5"))


def test_a_watched_folder_gets_a_row_a_find_and_its_rules_a_record_a_picture(
    app: App, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    watch = Watch(Served.of("m", place), tmp_path / "in", tmp_path / "out", ".jsonl")
    rules = routes.read(Path(_rules(tmp_path, "finds > 0", "finds == 0")))
    rules.check(watch.served.current.model.codec)
    watch.router = Router(rules, {"m": lambda: watch.served.current.model.codec})
    (tmp_path / "in" / "discs.png").write_bytes(_picture(app))
    (tmp_path / "in" / "empty.png").write_bytes(_nothing())
    assert watch.look() + watch.look() == 2
    rows = [json.loads(line) for line in (tmp_path / "out" / "discs.png.jsonl").read_text().splitlines()]
    finds = ask(app, given=_row(_picture(app))).json[TARGET]
    assert rows == [{"file": "discs.png", **find} for find in finds]
    assert (tmp_path / "out" / "empty.png.jsonl").read_text() == ""
    watch.router.send_due()
    assert [item["answer"] for item in _routed(tmp_path, 0)] == [{"file": "discs.png", TARGET: finds}]
    assert [item["answer"] for item in _routed(tmp_path, 1)] == [{"file": "empty.png", TARGET: []}]


def test_a_table_of_finds_has_its_columns_where_nothing_is_found(place: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(_nothing())
    assert deepenough.load(place).predict_file(tmp_path / "empty.png", tmp_path / "finds.csv") == 1
    told = pd.read_csv(tmp_path / "finds.csv")
    assert list(told.columns) == ["file", "class", "score", "x0", "y0", "x1", "y1"] and not len(told)
    assert np.shape(deepenough.load(place).predict([_nothing()])) == (0, 7)
