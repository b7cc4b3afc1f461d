"""Learners of clips: what each finds, that motion is for those that see it, and what a clock does."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import pytest

from deepenough import kinds
from deepenough.kinds.video import net, toys
from deepenough.kinds.video.inputs import Clips
from deepenough.learner import Examples, Learner, Limits
from deepenough.task.task import Answer

torch = pytest.importorskip("torch")

LEARNERS = {entry.name: entry.cls for entry in kinds.find_learners("video")}
MOVING = ("motion_boosted", "motion_svm", "frames_gru", "convolution_2plus1d")


def fitted(name: str, ready: Any, limits: Limits | None = None, **settings: Any) -> tuple[Any, dict[str, float]]:
    learner: Learner = LEARNERS[name](**settings)
    model = learner.fit(ready.train(ready.largest, 0, 0), limits or Limits(), 0)
    return model, dict(ready.scores(Answer(ready.largest, model.predict(ready.inputs(0))), 0))


@functools.cache
def of_ways(name: str) -> tuple[Any, Any, dict[str, float]]:
    """Fitted without the hint that the toys give in a single frame: the task, the model, its scores."""
    ready = toys.ways(hint=0.0)
    return (ready, *fitted(name, ready))


@pytest.mark.parametrize("name", MOVING)
def test_the_way_of_a_motion_is_found_by_all_that_see_it(name: str) -> None:
    assert of_ways(name)[2]["accuracy"] >= 0.95


def test_and_not_by_the_middle_frame_alone() -> None:
    ready = toys.ways(300, hint=0.0)
    assert fitted("middle_boosted", ready)[1]["accuracy"] <= 0.65


@pytest.mark.parametrize("name", [*MOVING[:3], pytest.param(MOVING[3], marks=pytest.mark.slow)])
def test_speeds_are_measured(name: str) -> None:
    assert fitted(name, toys.speeds())[1]["r2"] >= 0.85


def test_without_their_order_frames_say_little() -> None:
    """A net that sees frames in any order would be no net of clips."""
    ready, model, _ = of_ways("convolution_2plus1d")
    inputs = ready.inputs(0)
    lost = inputs.shuffled(len(inputs.parts()) - 1, np.arange(len(inputs)))
    backwards = Clips.of(np.ascontiguousarray(inputs.read()[:, ::-1]))
    right = model.predict(inputs).argmax(axis=1)
    assert (model.predict(backwards).argmax(axis=1) != right).mean() >= 0.9, "backwards it moves the other way"
    assert model.predict(lost).max(axis=1).mean() < model.predict(inputs).max(axis=1).mean()


def test_under_a_clock_frames_are_shrunk_until_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    ready = toys.task(rng.integers(0, 255, (60, 4, 64, 64, 3)), rng.integers(0, 2, 60).astype(str).tolist())
    now = [0.0]
    forward = torch.nn.Module.__call__

    def slowly(module: Any, *given: Any) -> Any:
        if type(module).__name__ == "ClipNet":
            now[0] += 0.02 * len(given[0]) / module.shrink**2
        return forward(module, *given)

    monkeypatch.setattr(torch.nn.Module, "__call__", slowly)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    examples = ready.train(ready.largest, 0, 0)
    shrinks = []
    for seconds in (1_000.0, 2.0, 0.5):
        now[0] = 0.0
        model = LEARNERS["frames_gru"](epochs=2, width=4).fit(examples, Limits(seconds, started=0.0), 0)
        shrinks.append(model.net.shrink)
        assert now[0] <= seconds + 1.0
    assert shrinks[0] == 1 < shrinks[1] <= shrinks[2] <= 64 / net.SMALLEST


def test_all_frames_of_a_clip_are_varied_alike() -> None:
    """A clip that stands still does so however it is moved, scaled, lit and mirrored: nothing changes in it."""
    from deepenough.nets import clips

    seen: list[Any] = []

    class Kept(clips.Body):
        width = 1

        def forward(self, x: Any) -> Any:
            seen.append(x)
            return x.mean(dim=(1, 2, 3, 4))[:, None]

    augment = {"shift": 0.2, "zoom": 0.2, "light": 0.2, "mirror": True}
    made = clips.ClipNet(Kept(), 3, 2, 0.0, 1, augment).train()
    still = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (6, 1, 20, 24, 3)).astype(np.uint8))
    torch.manual_seed(0)
    made(still.repeat(1, 5, 1, 1, 1))
    assert torch.equal(seen[0], seen[0][:, :1].expand_as(seen[0])) and not seen[0][:, :, 3:].any()
    made.eval()(still.repeat(1, 5, 1, 1, 1))
    assert not torch.equal(seen[0], seen[1]), "it was varied"
    assert torch.allclose(seen[1][:, 0, :3], still[:, 0].permute(0, 3, 1, 2) / 255)
    moving = torch.cat([still, 255 - still, still], dim=1)
    made(moving)
    frames = moving.permute(0, 1, 4, 2, 3) / 255
    assert torch.allclose(seen[2][:, 1:, 3:], frames[:, 1:] - frames[:, :-1], atol=1e-6), "what changed stands beside"


@pytest.mark.parametrize("name", ["frames_gru", "convolution_2plus1d"])
def test_on_an_accelerator_the_body_is_computed_in_half_precision(name: str) -> None:
    """The same path with the device named, on the CPU's own bfloat16."""
    model, _ = fitted(name, toys.lights(), epochs=2)
    pixels = torch.from_numpy(toys.lights().inputs(0).read())
    with torch.inference_mode():
        whole = model.net(pixels)
        model.net.in_half = True
        half = model.net(pixels)
    assert half.dtype == torch.float32 and not torch.equal(half, whole)
    assert half == pytest.approx(whole.numpy(), abs=0.15)


@pytest.mark.parametrize("name", [name for name in LEARNERS if name != "prior"])
def test_weights_are_heeded(name: str) -> None:
    rng = np.random.default_rng(0)
    ready = toys.task(rng.integers(0, 255, (60, 4, 16, 16, 3)), rng.integers(0, 2, 60).astype(str).tolist())
    examples = ready.train(ready.largest, 0, 0)
    weights = np.where(examples.targets == 0, 5.0, 0.2)
    heavy = Examples(examples.inputs, examples.targets, 2, examples.inner, weights / weights.mean())
    learner = LEARNERS[name](**({"epochs": 5} if hasattr(LEARNERS[name], "epochs") else {}))
    plain, weighed = (learner.fit(each, Limits(), 0).predict(ready.inputs(0)) for each in (examples, heavy))
    assert weighed[:, 0].mean() > plain[:, 0].mean()


def test_an_empty_batch_gets_no_answers() -> None:
    ready = toys.lights()
    none = Clips.of(np.zeros((0, 8, 12, 12, 3), np.uint8), 1)
    for name in ("motion_svm", "motion_boosted", "middle_boosted", "frames_gru", "convolution_2plus1d"):
        settings = {"epochs": 1} if hasattr(LEARNERS[name], "epochs") else {}
        assert fitted(name, ready, **settings)[0].predict(none).shape == (0, 2)


def test_nets_take_empty_batches_too() -> None:
    """Whatever reaches a net: no reshaping guesses a length."""
    from deepenough.nets import clips

    for body, settings in (("FramesRecurrent", {"widths": [4, 8]}), ("InTurn", {"widths": [4, 8]})):
        facts = {"channels": 3, "class": body, "body": settings, "outputs": 2, "dropout": 0.0, "shrink": 2}
        made = clips.build({**facts, "augment": {}}).eval()
        with torch.inference_mode():
            assert made(torch.zeros((3, 5, 16, 20, 3), dtype=torch.uint8)).shape == (1, 3, 2)
            assert made(torch.zeros((1, 1, 16, 16, 3), dtype=torch.uint8)).shape == (1, 1, 2)
