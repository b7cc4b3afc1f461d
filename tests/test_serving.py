"""Predicting needs the winner's packages and no others: every saved model answers in a process that has no more.

The process refuses to import what the base install does not bring, unless the model's manifest names it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough import kinds
from deepenough.errors import ModelError
from deepenough.learner import Limits
from deepenough.model import folder as folders
from deepenough.model import manifest
from tests.conftest import ROOT

MODULES = {"scikit-learn": "sklearn", "rtdl-num-embeddings": "rtdl_num_embeddings", "pillow": "PIL"}
"""What is imported of a distribution, where that is not its name."""
LEARNERS = [(kind, entry) for kind in kinds.find() for entry in kinds.find_learners(kind) if not entry.missing]

SERVE = """
import importlib.abc, json, sys
import numpy as np

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT, asked = set(sys.argv[1].split()), sys.argv[2]
sys.meta_path.insert(0, Absent())
import deepenough
model = deepenough.load(asked)
rows = json.loads(open(asked + "/../rows.json").read())
answers = model.predict(rows)
inputs = model._codec.encode(rows)
assert len(answers.columns)  # a row a find, of which there may be none
assert len(inputs) == model.predict_file(asked + "/../rows.jsonl", asked + "/../out.csv")
np.save(asked + "/../answers.npy", model.predict_raw(inputs))
"""


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", text, maxsplit=1)[0].lower() for text in requirements}


def _beyond_the_base() -> set[str]:
    """Modules that the extra of some kind brings, or that come with it, and that the base install lacks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [_names(needs) for name, needs in project["optional-dependencies"].items() if name != "dev"]
    beyond = set().union(*extras) - _names(project["dependencies"]) - {"deepenough"}
    return {MODULES.get(name, name) for name in beyond} | {"joblib", "matplotlib", "threadpoolctl"}


def _saved(place: Path, kind: str, entry: kinds.Entry, task: Any) -> tuple[folders.Member, Any]:
    """Fit a little, and save as a race would."""
    model = entry.cls().fit(task.train(task.smallest, 0, 0), Limits(seconds=0.5), 0)
    fitted = place / "fitted"
    fitted.mkdir()
    model.save(fitted)
    path = f"{type(model).__module__}:{type(model).__qualname__}"
    member = folders.Member(entry.name, entry.family, entry.path, path, fitted)
    facts = {"kind": kind, "note": "", "question": task.question_facts}
    folders.save(place / "model", [member], kinds.find()[kind].codec(task), facts)
    return member, model


def _each() -> Iterator[Any]:
    """All learners; those of which another of the same kind and family comes first are left to `make test-all`."""
    seen: set[tuple[str, str]] = set()
    for kind, entry in sorted(LEARNERS, key=lambda each: each[1].cls.priority):
        later = (kind, entry.family) in seen
        seen.add((kind, entry.family))
        marks = [pytest.mark.slow] if later else []
        yield pytest.param(kind, entry, id=f"{kind}-{entry.name}", marks=marks)


@pytest.mark.parametrize(("kind", "entry"), list(_each()))
def test_a_saved_model_predicts_with_what_it_names_and_no_more(kind: str, entry: kinds.Entry, tmp_path: Path) -> None:
    task = next(iter(kinds.find()[kind].toys().values()))
    _, model = _saved(tmp_path, kind, entry, task)
    loaded = folders.load(tmp_path / "model")
    example = json.loads((tmp_path / "model" / manifest.SCHEMA).read_text())["example"]
    rows = example if isinstance(example, list) else [example, dict.fromkeys(example)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    named = {MODULES.get(name, name) for name in loaded.about["members"][0]["needs"]}
    beyond = named & _beyond_the_base()
    assert beyond <= {MODULES.get(name, name) for name in entry.cls.needs}
    if kind == "table":
        assert beyond == ({"catboost"} if entry.name == "catboost" else set())  # as the README says
    absent = _beyond_the_base() - named
    assert {"torch", "sklearn", "pyarrow"} - named <= absent
    done = subprocess.run(
        [sys.executable, "-c", SERVE, " ".join(absent), str(tmp_path / "model")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    expected = model.predict(loaded._codec.encode(rows))
    assert np.allclose(np.load(tmp_path / "answers.npy"), expected, rtol=1e-6, atol=1e-6)


def test_a_package_that_is_missing_is_said_by_name(tmp_path: Path) -> None:
    kind, entry = LEARNERS[0]
    _saved(tmp_path, kind, entry, next(iter(kinds.find()[kind].toys().values())))
    path = tmp_path / "model" / manifest.MANIFEST
    content = json.loads(path.read_text())
    content["members"][0]["needs"] = ["no-such-booster"]
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="pip install no-such-booster"):
        folders.load(tmp_path / "model")


def test_nets_answer_without_torch_as_with_it() -> None:
    """On every toy, within what float32 can tell."""
    torch = pytest.importorskip("torch")
    from deepenough.nets import bodies
    from deepenough.nets.forward import difference

    seen = 0
    for kind, entry in LEARNERS:
        for task in kinds.find()[kind].toys().values() if entry.family == "deep" else ():
            model: Any = entry.cls().fit(task.train(task.largest, 0, 0), Limits(seconds=0.5), 0)
            if not hasattr(model, "forward"):
                continue  # it takes torch to answer, and says so
            net = bodies.build(model.forward.architecture).eval()
            net.load_state_dict({name: torch.from_numpy(array) for name, array in model.forward.weights.items()})
            arrays = model.scaling.arrays(model.encoder.transform(task.inputs(0)))
            with torch.inference_mode():
                expected = net(*(torch.from_numpy(array) for array in arrays)).numpy()
            assert difference(model.forward(*arrays), expected) < 1e-4, entry.name
            seen += 1
    assert seen >= 9


def test_the_readme_says_so() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "CatBoost" in text.split("## Install")[1].split("## ")[0]
