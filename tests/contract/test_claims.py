"""Every claim of the contract can fail: for each there is a learner that breaks it, and an honest one that doesn't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from deepenough import contract
from deepenough.contract.__main__ import main
from deepenough.learner import Examples, Learner, Limits, Model
from tests.stubs import (
    Classical,
    Curve,
    Greedy,
    KMeans,
    StubEnvironment,
    StubKind,
    StubSupervised,
    StubUnlabelled,
    Trivial,
    entry,
    faulty,
)
from tests.stubs.supervised import Spoiler


@dataclass(frozen=True)
class Coded:
    """Inputs with a column of codes beside the floats."""

    x: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> Coded:
        return Coded(self.x[rows], self.codes[rows])

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"x": self.x, "codes": self.codes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Coded:
        return cls(arrays["x"], arrays["codes"])


class CodedTask(StubSupervised):
    """The supervised stub with a category of four levels."""

    def __init__(self) -> None:
        super().__init__(rows=200)
        codes = np.random.default_rng(1).integers(0, 4, 200).astype(np.int32)
        self._inputs = Coded(self._inputs.x, codes)  # type: ignore[assignment]  # inputs of another class


class _Fragile(Spoiler):
    """Predicts only as long as nothing is unusual."""

    def predict(self, inputs: Any) -> np.ndarray:
        _refuse(inputs.x)
        return super().predict(inputs)


def _refuse(x: np.ndarray) -> None:
    if np.isnan(x).any():
        raise ValueError("a value is missing")


class NoMissing(Curve):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        _refuse(examples.inputs.x)
        return super().fit(examples, limits, seed)


class NoOneRow(Curve):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return _NeedsTwo(0.1, 1, 0.5, examples.n_classes)


class _NeedsTwo(Spoiler):
    def predict(self, inputs: Any) -> np.ndarray:
        return super().predict(inputs)[: len(inputs) // 2 * 2]


class NoConstants(Curve):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        if np.ptp(examples.inputs.x[:, 0]) == 0:
            raise ValueError("a column is constant")
        return super().fit(examples, limits, seed)


class NoFewRows(Curve):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        if len(examples) < 50:
            raise ValueError("too few rows")
        return super().fit(examples, limits, seed)


class NoAbsentClass(Curve):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        classes = len(np.unique(examples.targets))
        return Spoiler(0.1, 1, 0.5, classes if classes > 1 else 3)


class NoUnseen(Curve):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        model = _KnowsLevels(0.1, 1, 0.5, examples.n_classes)
        object.__setattr__(model, "levels", np.unique(examples.inputs.codes))
        return model


class _KnowsLevels(Spoiler):
    levels: ClassVar[np.ndarray]

    def predict(self, inputs: Any) -> np.ndarray:
        if not np.isin(inputs.codes, self.levels).all():
            raise ValueError("a level was never seen")
        return super().predict(inputs)


class OverPlans(Curve):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return Spoiler(0.1, 1, 0.5, examples.n_classes, planned=2.0)


class OddSpace(Curve):
    @classmethod
    def space(cls) -> Mapping[str, Any]:
        return {"depth": lambda rng: 3}


class NoSuchModule(Curve):
    preload: ClassVar[tuple[str, ...]] = ("a_module_that_nobody_wrote",)


class ClaimsToBeDeterministic(Curve):
    deterministic: ClassVar[bool] = True


class SaysNothing(Curve):
    """It is a learner."""


class NotFrozen(Learner):
    def fit(self, examples: Examples, limits: Limits, seed: int) -> Model:
        return Spoiler(0.1, 1, 0.5, examples.n_classes)


BREAKERS: dict[str, type[Learner]] = {
    "docstring_says": SaysNothing,
    "settings_round_trip": NotFrozen,
    "search_space_fits": OddSpace,
    "warms_up": NoSuchModule,
    "predictions_are_valid": faulty.NotAChance,
    "beats_the_baseline": faulty.RollsDice,
    "predict_is_pure": faulty.RollsDice,
    "row_alone_equals_batch": faulty.LooksAround,
    "order_does_not_matter": faulty.RollsDice,
    "keeps_inputs_unchanged": faulty.SpoilsInputs,
    "same_seed_same_predictions": faulty.IgnoresItsSeed,
    "deterministic_means_it": ClaimsToBeDeterministic,
    "save_and_load_predict_the_same": faulty.Forgets,
    "survives_missing_values": NoMissing,
    "survives_unseen_categories": NoUnseen,
    "survives_absent_class": NoAbsentClass,
    "survives_few_rows": NoFewRows,
    "survives_constant_inputs": NoConstants,
    "predicts_one_row": NoOneRow,
    "obeys_its_deadline": OverPlans,
    "is_silent": faulty.Prints,
    "leaves_no_files": faulty.LeavesFiles,
}


def _results(cls: type[Learner], toys: Mapping[str, Any]) -> dict[str, contract.Result]:
    return {result.claim: result for result in contract.check(entry(cls), toys)}


def test_every_claim_has_a_breaker() -> None:
    assert set(BREAKERS) == {claim.name for shape in ("supervised", "interactive") for claim in contract.claims(shape)}


@pytest.mark.parametrize("claim", BREAKERS)
def test_a_broken_promise_is_seen(claim: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)  # some of the breakers write where they stand
    cls = BREAKERS[claim]
    cls.family = "deep"  # type: ignore[attr-defined]  # NotFrozen has none
    result = _results(cls, {"coded": CodedTask()})[claim]
    assert result.outcome == "broken"
    assert result.reason


@pytest.mark.parametrize("cls", [Classical, Trivial])
def test_an_honest_learner_keeps_all(cls: type[Learner]) -> None:
    toys = dict(StubKind().toys()) | {"coded": CodedTask()}
    assert [result for result in contract.check(entry(cls), toys) if not result.is_good] == []


@pytest.mark.parametrize(
    ("cls", "toy"), [(Greedy, StubEnvironment(largest=400)), (KMeans, StubUnlabelled())], ids=["greedy", "kmeans"]
)
def test_other_shapes_have_their_claims(cls: type[Learner], toy: Any) -> None:
    results = contract.check(entry(cls), {"toy": toy})
    assert len(results) == len(contract.claims(toy.shape)) > 8
    assert [result for result in results if not result.is_good] == []


def test_an_excuse_counts_as_long_as_it_is_needed() -> None:
    class Excused(NoMissing):
        excused: ClassVar[Mapping[str, str]] = {"survives_missing_values": "it says so", "is_silent": "no reason"}

    results = _results(Excused, {"two": StubSupervised(rows=120)})
    assert results["survives_missing_values"] == contract.Result(
        "excused", "two", "survives_missing_values", "excused", "it says so"
    )
    assert results["is_silent"].outcome == "kept though excused"
    assert not results["is_silent"].is_good


def test_what_was_printed_is_quoted() -> None:
    assert "behind Python" in _results(faulty.Prints, {"two": StubSupervised(rows=120)})["is_silent"].reason


@pytest.mark.parametrize("arguments", [[], ["nosuchkind"]])
def test_the_command_says_what_it_wants(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "KIND" in capsys.readouterr().err or arguments
