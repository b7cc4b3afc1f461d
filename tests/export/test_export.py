"""From a finished race to an ONNX file, a script and an entry in MLflow, by the command, and what is refused."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

import deepenough
from deepenough import export
from deepenough.errors import DeepenoughError, ModelError, OptionError, RunError, SourceError
from deepenough.export import as_onnx, places
from deepenough.model.folder import LoadedModel
from tests.commands import Run
from tests.export.test_script import HOSTILE, people

TARGET = "binary"
DROPPED = ("multiclass", "regression")


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    people().to_csv(folder / "people.csv", index=False)
    only = ("linear", "tabm")
    deepenough.race(folder / "people.csv", TARGET, budget="6trials", drop=DROPPED, only=only, out=folder / "run")
    return folder / "run"


@pytest.fixture
def elsewhere(raced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run, which a test may spoil; the current folder is beside it."""
    shutil.copytree(raced, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run"


def session_of(file: Path) -> Any:
    return pytest.importorskip("onnxruntime").InferenceSession(str(file), providers=["CPUExecutionProvider"])


def documented(file: Path) -> Callable[[pd.DataFrame], list[np.ndarray]]:
    """`predict` of docs/export.md, with that file."""
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    place: dict[str, Any] = {}
    exec(code.replace('"credit.onnx"', repr(str(file))), place)
    return cast("Callable[[pd.DataFrame], list[np.ndarray]]", place["predict"])


def test_the_onnx_file_answers_new_rows_as_the_model_does(elsewhere: Path, run: Run) -> None:
    pytest.importorskip("onnxruntime")
    said = run("export", elsewhere, "--onnx")
    assert said.code == 0 and "answers 260 raced rows" in said.out
    assert deepenough.Race(elsewhere).verdict.judged_rows < 260, "not all of them were judged, so none is called so"
    session = session_of(Path("run.onnx"))
    rows = people(40)
    rows["vip"] = rows["vip"] == "True"  # as pandas reads such a column
    rows.loc[3, "town"] = "nowhere"
    share = rows["share"].str.removesuffix(" %").astype(float)
    label, chances = documented(Path("run.onnx"))(rows.assign(share=share))
    expected = deepenough.load(elsewhere).predict(rows)
    assert label.tolist() == expected[TARGET].tolist()
    assert np.allclose(chances, expected.filter(like="probability_").to_numpy(), atol=1e-6)
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["target"] == TARGET and HOSTILE in json.loads(facts["classes"])[0] + json.loads(facts["classes"])[1]


def test_a_blend_and_its_temperatures_are_in_the_graph(elsewhere: Path, raced: Path) -> None:
    pytest.importorskip("onnxruntime")
    from deepenough.model import folder as folders
    from deepenough.model import manifest

    kept = [trial for trial in deepenough.Race(elsewhere).evidence.trials if trial.model]
    first = {trial.family: trial for trial in kept}
    assert set(first) == {"classical", "deep"}
    before = manifest.read(elsewhere / "model")
    members = []
    for family, weight in (("classical", 0.7), ("deep", 0.3)):
        told = json.loads((elsewhere / f"{first[family].model}.json").read_text())
        contender = deepenough.Race(elsewhere).evidence.plan.contender(first[family].contender)
        place = elsewhere / first[family].model
        members.append(
            folders.Member(contender.name, family, contender.path, told["class"], place, weight, 0.5 + weight)
        )
    codec = deepenough.load(elsewhere).codec
    folders.save(elsewhere / "model", members, codec, {name: before[name] for name in ("kind", "task", "note")})
    drawn = export.onnx(elsewhere, "blend.onnx")
    assert drawn.rows == 260 and drawn.difference < 1e-5
    told = json.loads(session_of(drawn.file).get_modelmeta().custom_metadata_map["members"])
    assert [weight for _, weight in told] == [0.7, 0.3]


def test_an_onnx_file_that_answers_otherwise_is_refused(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    pytest.importorskip("onnxruntime")
    honest = LoadedModel.predict_raw

    def other(self: LoadedModel, inputs: Any) -> np.ndarray:
        answers = honest(self, inputs)
        answers[-1] = answers[-1] + [2e-4, -2e-4]
        return answers

    monkeypatch.setattr(LoadedModel, "predict_raw", other)
    said = run("export", elsewhere, "--onnx", "m.onnx")
    assert said.code == 2 and "otherwise than the model" in said.err and "0.0002" in said.err
    assert not list(elsewhere.parent.glob("m.onnx*"))


def test_the_script_runs_without_the_package(elsewhere: Path, run: Run) -> None:
    said = run("export", elsewhere, "--python", "--learner", "linear")
    assert said.code == 0 and "gives the race's log_loss on all" in said.out
    source = elsewhere.parent / "people.csv"
    people().to_csv(source, index=False)
    hidden = "import sys; sys.modules['deepenough'] = None; sys.argv = ['train.py', 'people.csv']; import runpy; "
    code = hidden + "runpy.run_path('train_run.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=elsewhere.parent)
    assert done.returncode == 0, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    trials = [
        trial
        for trial in deepenough.Race(elsewhere).evidence.trials
        if trial.purpose == "final" and trial.contender == "linear"
    ]
    assert len(told) == len({trial.fold for trial in trials}) >= 2
    for line in told:
        own = next(trial for trial in trials if trial.fold == int(line[1].rstrip(":")))
        assert float(line[3]) == pytest.approx(own.scores["log_loss"], rel=1e-3)


def test_a_deep_winner_has_no_script_and_says_which_have(elsewhere: Path) -> None:
    with pytest.raises(ModelError, match="lightgbm, linear, extra_trees, catboost and neighbours write scripts"):
        export.python(elsewhere, "train.py", learner="tabm")
    with pytest.raises(OptionError, match=r"took no part.*linear, tabm"):
        export.python(elsewhere, "train.py", learner="catboost")
    assert not list(elsewhere.parent.glob("train*"))


def test_a_model_that_draws_nothing_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepenough.kinds.table.classical.linear import LinearModel
    from deepenough.kinds.table.neural import NeuralModel
    from deepenough.learner import Model

    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(LinearModel, "onnx", Model.onnx)
    monkeypatch.setattr(NeuralModel, "onnx", Model.onnx)
    with pytest.raises(ModelError, match="our own learners of tables can"):
        export.onnx(elsewhere, "m.onnx")
    assert not Path("m.onnx").exists()


def test_of_a_blend_one_must_be_named(elsewhere: Path) -> None:
    with pytest.raises(OptionError, match="--learner linear"):
        from deepenough.export.as_script import _chosen

        _chosen(("linear", "tabm"), None, elsewhere)


def test_data_that_are_gone_or_changed_are_refused(elsewhere: Path, raced: Path) -> None:
    moved = elsewhere.parent / "moved.csv"
    shutil.copy(raced.parent / "people.csv", moved)
    for way in (export.onnx, export.python):
        own: dict[str, Any] = {"learner": "linear"} if way is export.python else {}
        out, other = (f"{name}{'.py' if way is export.python else '.onnx'}" for name in ("out", "other"))
        assert way(elsewhere, out, source=moved, **own).file == Path(out)  # type: ignore[operator]  # two signatures
        with pytest.raises(SourceError):
            way(elsewhere, other, source=elsewhere.parent / "gone.csv", **own)  # type: ignore[operator]  # the same
        moved.write_text(moved.read_text().replace("town 1", "town 2"))
        with pytest.raises(SourceError, match="has changed"):
            way(elsewhere, other, source=moved, **own)  # type: ignore[operator]  # the same
        shutil.copy(raced.parent / "people.csv", moved)
    assert not list(elsewhere.parent.glob("other*"))


def test_runs_without_a_model_are_refused(elsewhere: Path, tmp_path: Path, run: Run) -> None:
    shutil.rmtree(elsewhere / "model")
    with pytest.raises(ModelError, match="resume"):
        export.onnx(elsewhere)
    if places.installed_version("mlflow-skinny"):
        with pytest.raises(RunError, match="resume"):
            export.mlflow(elsewhere)
    shutil.rmtree(elsewhere / "models")
    with pytest.raises(RunError, match="no judged model of linear"):
        export.python(elsewhere, learner="linear")
    (tmp_path / "empty").mkdir()
    for way in (export.onnx, export.python, export.mlflow):
        with pytest.raises(DeepenoughError, match=r"is not a run|holds no model"):
            way(tmp_path / "empty")  # type: ignore[operator]  # three signatures
    assert run("export", elsewhere).code == 2


def test_a_run_that_names_code_of_its_own_is_not_exported(elsewhere: Path) -> None:
    evidence = elsewhere / "evidence.jsonl"
    own = "deepenough.kinds.table.classical.linear:Linear"
    assert own in evidence.read_text()
    evidence.write_text(evidence.read_text().replace(own, "this:Linear"))
    with pytest.raises(ModelError, match="no learner that is installed"):
        export.python(elsewhere, "train.py", learner="linear", source=None)
    evidence.write_text(evidence.read_text().replace("this:Linear", own))
    for told in (elsewhere / "models").glob("*.json"):
        told.write_text(told.read_text().replace("deepenough.kinds.table.classical.linear", "this"))
    with pytest.raises(ModelError, match="neither Deepenough's nor"):
        export.python(elsewhere, "train.py", learner="linear")
    assert "this" not in sys.modules and not Path("train.py").exists()


@pytest.mark.parametrize("file", ["nowhere/m.onnx", "."])
def test_places_that_can_not_be_written_are_refused(file: str, elsewhere: Path) -> None:
    with pytest.raises(OptionError, match=r"Make it|is a folder"):
        export.onnx(elsewhere, file)
    with pytest.raises(OptionError, match=r"Make it|is a folder"), places.opened(Path(file)):
        pass


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        (("--onnx",), "people.csv", "must end in .onnx"),
        (("--onnx",), "notes", "must end in .onnx"),
        (("--python",), "people.csv", "must end in .py"),
        (("--learner", "linear", "--python"), "mine.py", "export did not write it"),
    ],
)
def test_files_that_export_did_not_write_stay(
    option: tuple[str, ...], name: str, said: str, elsewhere: Path, run: Run
) -> None:
    pytest.importorskip("onnxruntime")
    Path(name).write_text("import mine\n")
    run("export", elsewhere, *option, name).refused(name, said)
    assert Path(name).read_text() == "import mine\n"


def test_rows_of_folds_replace_no_other_table(elsewhere: Path) -> None:
    Path("train.folds.csv").write_text("mine\n")
    with pytest.raises(OptionError, match=r"train.folds.csv exists, and export did not write it"):
        export.python(elsewhere, "train.py", learner="linear")
    assert Path("train.folds.csv").read_text() == "mine\n" and not Path("train.py").exists()


def test_a_place_that_can_not_be_written_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(self: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    monkeypatch.setattr(Path, "unlink", read_only)
    with (
        pytest.raises(OptionError, match=r"m.onnx can't be written: Read-only"),
        places.opened(tmp_path / "m.onnx") as p,
    ):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(p))


def test_files_that_export_wrote_are_written_anew(elsewhere: Path) -> None:
    first = export.python(elsewhere, "train.py", learner="linear")
    text = first.file.read_text()
    first.file.write_text(text[: len(text) // 2])
    assert export.python(elsewhere, "train.py", learner="linear").file.read_text() == text


def test_a_file_of_before_stays_where_the_next_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    Path("m.onnx").write_text("before")
    monkeypatch.setattr(as_onnx, "TOLERANCE", -1.0)
    with pytest.raises(ModelError):
        export.onnx(elsewhere, "m.onnx")
    assert Path("m.onnx").read_text() == "before"


def test_missing_packages_are_named(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "installed_version", lambda name: "")
    with pytest.raises(OptionError, match=r"deepenough\[onnx\]"):
        export.onnx(elsewhere)
    with pytest.raises(OptionError, match=r"deepenough\[mlflow\]"):
        export.mlflow(elsewhere)


def test_nothing_is_written_where_one_of_several_can_not_be(
    elsewhere: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    real = places.installed_version
    monkeypatch.setattr(places, "installed_version", lambda name: "" if "mlflow" in name else real(name))
    given = ("export", elsewhere, "--onnx", "m.onnx", "--python", "t.py", "--learner", "linear")
    run(*given, "--mlflow", "mlruns").refused("--mlflow needs", "deepenough[mlflow]")
    Path("t.py").write_text("mine")
    run(*given).refused("t.py exists")
    assert sorted(path.name for path in Path().iterdir()) == ["run", "t.py"]


def test_options_of_another_export_are_refused(elsewhere: Path, run: Run) -> None:
    run("export", elsewhere, "--onnx", "m.onnx", "--learner", "linear").refused("--python")
    run("export", elsewhere, "--onnx", "m.onnx", "--trials").refused("--mlflow")
    assert not Path("m.onnx").exists()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow's own client of a folder; newer versions must be asked to keep one."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return mlflow.MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())


@pytest.mark.filterwarnings("ignore:The filesystem:FutureWarning")
def test_a_race_is_logged_in_mlflow(elsewhere: Path, client: Any, run: Run, tmp_path: Path) -> None:
    uri = (tmp_path / "mlruns").as_uri()
    said = run("export", elsewhere, "--mlflow", uri, "--experiment", "loans", "--trials", "--json")
    assert said.code == 0
    told = json.loads(said.out)["mlflow"]
    logged, race = client.get_run(told["run_id"]), deepenough.Race(elsewhere)
    assert logged.info.status == "FINISHED"
    assert logged.data.tags["decision"] == race.decision
    assert logged.data.tags["mlflow.note.content"] == race.decision_sentence
    wanted = {"target": TARGET, "metric": "log_loss", "budget": "6trials", "kind": "table", "seed": "0"}
    wanted["data_sha256"] = race.evidence.plan.source["sha256"]
    assert wanted.items() <= logged.data.params.items()
    gap, side = race.verdict.gap, race.verdict.classical
    assert gap is not None and side is not None
    metrics = {"gap": gap.value, "gap_low": gap.low, "gap_high": gap.high, "classical.loss": side.loss}
    assert metrics == pytest.approx({name: logged.data.metrics[name] for name in metrics})
    assert {"deep.electricity.joules", "classical.memory.peak_bytes", "seconds"} <= set(logged.data.metrics)
    listed = {item.path for item in client.list_artifacts(told["run_id"])}
    assert listed == {"report.html", "facts.json", "model"}
    assert "model/README.md" in {item.path for item in client.list_artifacts(told["run_id"], "model")}
    experiment = client.get_experiment_by_name("loans").experiment_id
    below = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{told['run_id']}'")
    trials = {int(each.data.params["number"]): each for each in below}
    assert set(trials) == {trial.number for trial in race.evidence.trials} and told["trials"] == len(trials)
    one = next(trial for trial in race.evidence.trials if trial.purpose == "final")
    assert trials[one.number].data.metrics["loss"] == pytest.approx(one.loss)


def test_what_mlflow_refuses_is_said(elsewhere: Path, run: Run) -> None:
    pytest.importorskip("mlflow")
    said = run("export", elsewhere, "--mlflow", "nonsense://nowhere")
    assert said.code == 2 and "MLflow could not log the run at nonsense://nowhere" in said.err
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
