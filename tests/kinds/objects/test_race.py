"""From pictures with boxes to a race, its report, and a model that finds objects."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough.kinds import file_store
from deepenough.kinds.objects import toys
from deepenough.kinds.objects.codec import LEAST_SCORE, ObjectsCodec
from deepenough.seal.checks import NOT_CHECKED, verify
from tests.kinds.objects.files import written

CODEC = ObjectsCodec(
    column="photo", target="what", classes=("dark", "light"), height=40, width=60, channels=3, example={"photo": ""}
)


def test_finds_are_rows_in_pixels_of_the_picture(tmp_path: Path) -> None:
    written(tmp_path / "photos", count=2)
    from PIL import Image

    Image.open(tmp_path / "photos" / "001.png").resize((120, 160)).save(tmp_path / "photos" / "001.png")
    batch = next(CODEC.batches(tmp_path / "photos", 10))
    inputs = CODEC.encode(batch)
    lists = np.zeros((2, 3, 6))
    lists[1, 0], lists[1, 1] = [0.9, 1, 0.25, 0.5, 0.5, 1.0], [LEAST_SCORE / 2, 0, 0, 0, 1, 1]
    told = CODEC.decode(lists, inputs)
    assert told.to_dict("records") == [
        {"file": "001.png", "class": "light", "score": 0.9, "x0": 30.0, "y0": 80.0, "x1": 60.0, "y1": 160.0}
    ]
    nothing = CODEC.decode(np.zeros((0, 3, 6)), CODEC.encode([]))
    assert list(nothing.columns)[1:] == list(told.columns)[1:] and not len(nothing)


def test_pictures_without_names_are_numbered_and_broken_ones_counted(tmp_path: Path) -> None:
    written(tmp_path / "photos", count=1)
    content = (tmp_path / "photos" / "000.png").read_bytes()
    address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    rows = [{"photo": address}, {"photo": "data:image/png;base64,AAAA"}]
    inputs = CODEC.encode(rows)
    assert CODEC.unread(rows, inputs) == {"photo": 1}
    lists = np.zeros((2, 3, 6))
    lists[0, 0] = [0.9, 0, 0, 0, 0.5, 0.5]
    assert CODEC.decode(lists, CODEC.encode([content, content])).loc[0, "picture"] == 0
    again = ObjectsCodec.from_json(json.loads(json.dumps(CODEC.to_json())))
    assert again == CODEC
    assert inputs.take(np.array([1, 0])).sizes.tolist() == [[60, 40], [60, 40]]


def test_a_race_from_pictures_to_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from PIL import Image

    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))
    task = toys.discs()
    side = task.all_inputs.shape[0]
    rows = []
    for name, pixels, own in zip(task.names, task.all_inputs.read(), task.targets, strict=True):
        file = tmp_path / "photos" / Path(name).name
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels[..., 0]).save(file)
        rows += [(file.name, *(thing[1:] * side)) for thing in own[~np.isnan(own[:, 0])]]
    boxes = pd.DataFrame(rows, columns=["picture", "x0", "y0", "x1", "y1"])
    boxes.to_csv(tmp_path / "boxes.csv", index=False)
    race = deepenough.race(
        tmp_path / "photos",
        budget="6trials",
        boxes=str(tmp_path / "boxes.csv"),
        cores=1,
        out=tmp_path / "run",
        listen=(),
    )
    assert race.evidence.plan.kind == "objects"
    assert {trial.status for trial in race.evidence.trials} == {"ok"}
    assert race.facts["mistakes"]["classical"]["lists"]["things"][0]["name"] == "object"
    blends = [trial for trial in race.evidence.trials if trial.purpose == "blend"]
    assert blends and all(trial.loss is not None for trial in blends)
    example = race.facts["mistakes"]["deep"]["examples"][0]
    assert example["shown"]["form"] == "boxes" and len(example["said"][0]) == 6
    page = (race.folder / "report.html").read_text(encoding="utf-8")
    assert page.count('<rect class="there"') > 3 and '<rect class="said of-' in page and "<script" not in page
    assert {check.name: check.result for check in verify(race.folder)}["data"] == NOT_CHECKED, "a hash of many files"
    answers = deepenough.load(race.folder).predict_file(tmp_path / "photos", tmp_path / "finds.csv")
    finds = pd.read_csv(tmp_path / "finds.csv")
    assert answers == task.rows and list(finds.columns) == ["file", "class", "score", "x0", "y0", "x1", "y1"]
    near = finds[finds["score"] > 0.5].merge(boxes, left_on="file", right_on="picture", suffixes=("", "_true"))
    assert (np.abs(near["x0"] - near["x0_true"]) < 3).sum() > 0.6 * len(boxes)
    boxes["picture"] = "photos/" + boxes["picture"]
    boxes.to_csv(tmp_path / "boxes.csv", index=False)
    model = deepenough.load(race.folder)
    assert model.predict_file(tmp_path / "boxes.csv", tmp_path / "again.csv") == boxes["picture"].nunique()
    again = pd.read_csv(tmp_path / "again.csv")
    assert not model.unread and set(again["file"]) == set("photos/" + finds["file"])
    assert len(again) == len(finds), "a picture is looked at once, however many boxes its rows hold"


@pytest.mark.slow
def test_a_test_of_files_is_predicted_by_both_finalists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv(file_store.VARIABLE, str(tmp_path / "cache"))
    for name, count in (("in", 60), ("later", 20)):
        table = written(tmp_path / name, count=count)
        table.assign(picture=f"{name}/" + table["picture"]).to_csv(tmp_path / f"{name}.csv", index=False)
    race = deepenough.race(
        tmp_path / "in.csv", "what", budget="6trials", test=tmp_path / "later.csv", out=tmp_path / "run", listen=()
    )
    test = race.facts["test"]
    assert test["reason"] == "" and test["classical"]["shown"] > 0.3 and test["model"]["shown"] > 0.3
