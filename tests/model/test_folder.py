"""The model folder: predicts the same, is whole or not at all, and refuses what it can't verify."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepenough
from deepenough import kinds
from deepenough.errors import ModelError, OptionError
from deepenough.learner import Limits
from deepenough.model import folder as folders
from deepenough.model import manifest
from deepenough.model.calibration import apply, apply_temperature
from deepenough.model.folder import LoadedModel, Member, load, save, verify_same
from deepenough.task.jobs import form_of
from tests.stubs.kind import StubCodec, StubKind
from tests.stubs.supervised import Always, Array

TRUST = ("tests.stubs.supervised",)
FACTS = {"kind": "stub", "task": {"target": "y", "n_classes": 2}, "note": "Judged on 100 rows; saw 25 % more."}


def member(place: Path, answer: tuple[float, ...], name: str = "always", **facts: Any) -> Member:
    """A member that always answers the same."""
    source = place / f"fitted-{name}"
    source.mkdir()
    Always(answer, len(answer) > 1).save(source)
    facts = {"needs": (), "family": "classical", **facts}
    learner, model = "tests.stubs.supervised:Trivial", "tests.stubs.supervised:Always"
    return Member(name=name, learner=learner, model=model, source=source, **facts)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A blend of two, in a run's folder."""
    first = member(tmp_path, (0.8, 0.2), "first", weight=0.75, temperature=2.0, settings={"depth": 3})
    second = member(tmp_path, (0.4, 0.6), "second", weight=0.25, family="deep")
    return save(tmp_path / "run" / "model", [first, second], StubCodec(2), FACTS)


def reload(place: Path) -> LoadedModel:
    return load(place, trust=TRUST, kind=StubKind())


def edit(place: Path, **changes: Any) -> None:
    """Change the manifest."""
    path = place / manifest.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


ROWS = [{"answer": 0, "difficulty": 1, "identity": index} for index in range(5)]
BLEND = 0.75 * apply_temperature(np.array([[0.8, 0.2]]), 2.0) + 0.25 * np.array([[0.4, 0.6]])


def test_it_predicts_the_weighted_mean_after_temperature(saved: Path) -> None:
    assert np.allclose(reload(saved).predict_raw(Array(np.zeros((3, 3)))), np.tile(BLEND, (3, 1)))


def test_a_frame_a_list_and_one_object_are_predicted(saved: Path) -> None:
    model = reload(saved)
    many, one = model.predict(ROWS), model.predict(ROWS[0])
    assert len(many) == 5 and len(one) == 1
    assert many["probability_0"].tolist() == pytest.approx([BLEND[0, 0]] * 5)
    assert one.iloc[0].tolist() == many.iloc[0].tolist()


def test_no_rows_give_no_rows(saved: Path) -> None:
    assert len(reload(saved).predict([])) == 0


def test_the_run_folder_is_accepted(saved: Path) -> None:
    assert reload(saved.parent).folder == saved


def test_numbers_are_blended_too(tmp_path: Path) -> None:
    members = [member(tmp_path, (10.0,), "a"), member(tmp_path, (40.0,), "b", weight=2.0)]
    place = save(tmp_path / "model", members, StubCodec(None), FACTS | {"task": {"target": "y", "n_classes": None}})
    model = reload(place)
    assert model.predict_raw(Array(np.zeros((2, 3)))).tolist() == pytest.approx([30.0, 30.0])
    assert model.about["blend"] == "mean of numbers"


def test_the_task_follows_from_the_question(tmp_path: Path) -> None:
    facts = {"kind": "stub", "note": "", "question": {"target": "y", "classes": ["no", "yes"]}}
    place = save(tmp_path / "model", [member(tmp_path, (0.5, 0.5))], StubCodec(2), facts)
    assert reload(place).about["task"] == {"target": "y", "n_classes": 2}


def test_what_a_learner_needs_follows_from_its_class(tmp_path: Path) -> None:
    place = save(tmp_path / "model", [member(tmp_path, (0.5, 0.5), needs=None)], StubCodec(2), FACTS)
    assert reload(place).about["members"][0]["needs"] == []


def test_the_manifest_says_what_it_is(saved: Path) -> None:
    about = reload(saved).about
    assert about["format"] == manifest.FORMAT and about["deepenough"] == deepenough.__version__
    assert about["note"] == FACTS["note"]
    assert about["members"][0]["settings"] == {"depth": 3}
    assert "members/1/always.json" in about["files"]
    assert about["created_by"]["numpy"] == np.__version__


def test_the_card_says_what_was_judged_and_how_to_use_it(saved: Path) -> None:
    card = reload(saved).card
    assert str(FACTS["note"]) in card and "deepenough.load" in card and "`second` (deep), weight 0.25" in card


def test_saving_twice_replaces_the_first(saved: Path, tmp_path: Path) -> None:
    save(saved, [member(tmp_path, (0.1, 0.9))], StubCodec(2), FACTS)
    assert [each["name"] for each in reload(saved).about["members"]] == ["always"]
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model"]


def test_a_failed_save_leaves_what_was_there(saved: Path, tmp_path: Path) -> None:
    gone = member(tmp_path, (0.1, 0.9))
    (gone.source / "always.json").unlink()
    gone.source.rmdir()
    with pytest.raises(FileNotFoundError):
        save(saved, [gone], StubCodec(2), FACTS)
    assert len(reload(saved).about["members"]) == 2
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model"]


def test_a_race_that_died_while_saving_does_not_stand_in_the_way(saved: Path, tmp_path: Path) -> None:
    for ending in ("part", "old"):
        place = saved.with_name(f"model.{ending}")
        place.mkdir()
        (place / "half").write_text("half")
    save(saved, [member(tmp_path, (0.1, 0.9))], StubCodec(2), FACTS)
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_a_folder_of_a_newer_version_says_to_upgrade(saved: Path) -> None:
    edit(saved, format=manifest.FORMAT + 1)
    with pytest.raises(ModelError, match="pip install --upgrade deepenough"):
        reload(saved)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_truncate, _flip, Path.unlink], ids=["shorter", "one bit", "gone"])
@pytest.mark.parametrize("name", ["members/0/always.json", "schema.json"])
def test_a_damaged_file_is_found(saved: Path, name: str, damage: Any) -> None:
    damage(saved / name)
    with pytest.raises(ModelError, match=name.rsplit("/", 1)[-1]):
        reload(saved)


def test_an_added_file_is_refused(saved: Path) -> None:
    (saved / "members/0/extra.py").write_text("")
    with pytest.raises(ModelError, match="was added"):
        reload(saved)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_refused(saved: Path, tmp_path: Path) -> None:
    target = saved / "members/0/always.json"
    outside = tmp_path / "outside.json"
    target.rename(outside)
    target.symlink_to(outside)
    with pytest.raises(ModelError, match="is a link"):
        reload(saved)


@pytest.mark.parametrize("name", ["../outside.json", "/etc/hostname", "members\\0\\always.json"])
def test_a_path_outside_the_folder_is_refused(saved: Path, name: str) -> None:
    listed = json.loads((saved / manifest.MANIFEST).read_text())["files"]
    edit(saved, files=listed | {name: {"bytes": 1, "sha256": ""}})
    with pytest.raises(ModelError, match="outside the folder"):
        reload(saved)


@pytest.mark.parametrize("path", ["os:system", "subprocess:Popen", "tests.stubs.supervised.evil:Always", "os", ":", ""])
def test_a_class_from_elsewhere_is_not_even_imported(saved: Path, path: str) -> None:
    members = json.loads((saved / manifest.MANIFEST).read_text())["members"]
    edit(saved, members=[members[0] | {"model": path}])
    with pytest.raises(ModelError):
        reload(saved)


def test_without_trust_only_our_own_may_read(saved: Path) -> None:
    with pytest.raises(ModelError, match="neither Deepenough's nor a learner of an installed package"):
        load(saved, kind=StubKind())


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ModelError, match="is not a Model"):
        manifest.model_class("deepenough.kinds:Entry")
    with pytest.raises(ModelError, match="is not a Model"):
        manifest.model_class("deepenough.kinds:nothing_here")


def test_a_missing_package_is_named(saved: Path) -> None:
    members = json.loads((saved / manifest.MANIFEST).read_text())["members"]
    edit(saved, members=[members[0] | {"needs": ["numpy", "no-such-package"]}])
    with pytest.raises(ModelError, match="pip install no-such-package"):
        reload(saved)


@pytest.mark.parametrize(
    "changes",
    [
        {"members": []},
        {"members": [{"name": "a"}]},
        {"members": None},
        {"files": []},
        {"task": {"n_classes": -1}},
        {"task": {"n_classes": "two"}},
        {"format": "one"},
        {"kind": 3},
    ],
    ids=lambda changes: json.dumps(changes),
)
def test_a_broken_manifest_is_refused(saved: Path, changes: dict[str, Any]) -> None:
    edit(saved, **changes)
    with pytest.raises(ModelError):
        reload(saved)


@pytest.mark.parametrize("changes", [{"weight": -1}, {"weight": 0}, {"temperature": 0}, {"temperature": float("inf")}])
def test_impossible_weights_are_refused(saved: Path, changes: dict[str, float]) -> None:
    members = json.loads((saved / manifest.MANIFEST).read_text())["members"]
    edit(saved, members=[members[0] | changes])
    with pytest.raises(ModelError, match="impossible"):
        reload(saved)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_manifest_that_is_no_json_is_refused(saved: Path, content: bytes) -> None:
    (saved / manifest.MANIFEST).write_bytes(content)
    with pytest.raises(ModelError):
        reload(saved)


def test_a_folder_that_holds_no_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="deepenough resume"):
        load(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        load(tmp_path / "nowhere")


def test_a_kind_that_is_not_installed_is_named(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepenough.kinds.find", dict)
    with pytest.raises(ModelError, match="'stub', which is not installed"):
        load(saved, trust=TRUST)


def test_an_answer_of_the_wrong_shape_is_no_answer(saved: Path) -> None:
    edit(saved, task={"n_classes": 3})
    with pytest.raises(ModelError, match="no usable answer"):
        reload(saved).predict(ROWS)


def test_the_card_may_be_edited(saved: Path) -> None:
    (saved / manifest.CARD).write_text("Ours.")
    assert reload(saved).card == "Ours."


def test_verify_same_lets_the_same_pass_and_refuses_another(saved: Path) -> None:
    inputs, model = Array(np.zeros((4, 3))), reload(saved)
    assert verify_same(saved, inputs, np.tile(BLEND, (4, 1)), loaded=model) < 1e-12
    with pytest.raises(ModelError, match="predicts otherwise"):
        verify_same(saved, inputs, np.tile(BLEND, (4, 1)) + 0.01, loaded=model)
    with pytest.raises(ModelError, match="shape"):
        verify_same(saved, inputs, np.tile(BLEND, (3, 1)), loaded=model)
    with pytest.raises(ModelError, match="otherwise"):
        verify_same(saved, inputs, np.full((4, 2), np.nan), loaded=model)


def test_a_table_of_rows_goes_through_in_batches(saved: Path, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("answer,difficulty,identity\n" + "".join(f"0,1,{index}\n" for index in range(25)))
    out = tmp_path / "out.csv"
    assert reload(saved).predict_file(source, out, batch=10) == 25
    lines = out.read_text().splitlines()
    assert lines[0] == "y,probability_0,probability_1" and len(lines) == 26


def test_an_empty_file_gives_the_header(saved: Path, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("answer,difficulty,identity\n")
    for ending in ("csv", "parquet", "jsonl"):
        assert reload(saved).predict_file(source, tmp_path / f"out.{ending}") == 0
    assert (tmp_path / "out.csv").read_text() == "y,probability_0,probability_1\n"


def test_the_source_is_never_written_over(saved: Path, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("answer,difficulty,identity\n0,1,2\n")
    with pytest.raises(OptionError, match="would be lost"):
        reload(saved).predict_file(str(source), tmp_path / "." / "rows.csv")
    assert source.read_text().endswith("0,1,2\n")


@pytest.mark.parametrize("kind", kinds.find())
def test_a_learner_of_every_kind_is_saved_and_read_without_trust(kind: str, tmp_path: Path) -> None:
    entry = next(each for each in kinds.find_learners(kind) if each.family == "classical" and not each.missing)
    for name, task in kinds.find()[kind].toys().items():
        fitted = entry.cls().fit(task.train(task.largest, 0, 0), Limits(), 0)
        source = tmp_path / name
        source.mkdir()
        fitted.save(source)
        model = f"{type(fitted).__module__}:{type(fitted).__qualname__}"
        temperature = 1.0 if getattr(task, "lists", None) else 1.5  # lists are calibrated by their kind
        items = [Member(entry.name, entry.family, entry.path, model, source, temperature=temperature)]
        facts = {"kind": kind, "note": "", "task": {"n_classes": task.n_classes, **form_of(task)}}
        place = save(tmp_path / f"{name}-model", items, kinds.find()[kind].codec(task), facts)
        expected = fitted.predict(task.inputs(0))
        expected = apply(expected, temperature)
        assert verify_same(place, task.inputs(0), expected) < 1e-6


def test_everything_public_is_named_in_one_place() -> None:
    assert folders.LoadedModel is LoadedModel and deepenough.load is load
