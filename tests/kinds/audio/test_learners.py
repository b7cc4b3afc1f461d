"""Learners of recordings beyond the contract: what each is for, and how nets keep to the clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepenough import kinds
from deepenough.kinds import trained
from deepenough.kinds.audio import net, toys
from deepenough.kinds.audio.decode import BANDS
from deepenough.kinds.audio.inputs import Recordings
from deepenough.learner import Examples, Learner, Limits
from deepenough.task.task import Answer

torch = pytest.importorskip("torch")
pytest.importorskip("soundfile")

LEARNERS = {entry.name: entry.cls for entry in kinds.find_learners("audio")}


def fitted(name: str, ready: Any, limits: Limits | None = None, **settings: Any) -> tuple[Any, dict[str, float]]:
    learner: Learner = LEARNERS[name](**settings)
    model = learner.fit(ready.train(ready.largest, 0, 0), limits or Limits(), 0)
    return model, dict(ready.scores(Answer(ready.largest, model.predict(ready.inputs(0))), 0))


def of_order(recordings: int, seed: int = 0) -> Any:
    """Two tones, of which one comes first: loudness, length and colour of the sound are the same for both classes."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["high first", "low first"], recordings)
    sounds = []
    for label in labels.tolist():
        steps = rng.normal(-8, 1, (60, BANDS))
        first = int(rng.integers(2, 25))
        second = first + int(rng.integers(12, 30))
        for start, high in ((first, label == "high first"), (second, label != "high first")):
            band = int(rng.integers(40, 55)) if high else int(rng.integers(8, 22))
            steps[start : start + 5, band : band + 3] += 8
        sounds.append(steps)
    ready = toys.task([np.full(2_000, 0.1, np.float32)] * recordings, labels.tolist())
    ready.all_inputs = Recordings.of(sounds)
    return ready


def test_the_recurrent_net_remembers_what_came_first() -> None:
    """Of the same recordings turned round it says the opposite: nothing but the order told it."""
    ready = of_order(400)
    model, scores = fitted("recurrent", ready, epochs=25)
    assert scores["accuracy"] >= 0.9
    turned = Recordings.of([heard[::-1] for heard in ready.inputs(0).read()])
    assert ready.scores(Answer(ready.largest, model.predict(turned)), 0)["accuracy"] <= 0.1


@pytest.mark.parametrize("name", ["convolution", "recurrent"])
def test_alone_padded_and_long_ones_get_the_same_answer(name: str) -> None:
    """Whatever stands beside a recording in a batch; of what is longer than the net hears the middle counts."""
    ready = toys.lengths()
    model, _ = fitted(name, ready, epochs=2)
    whole = model.predict(ready.all_inputs)
    assert len(np.unique(ready.all_inputs.lengths)) > 10
    for row in (0, 5, 9):
        alone = model.predict(ready.all_inputs.take(np.array([row])))
        assert alone[0] == pytest.approx(whole[row], abs=1e-5)
    steps = model.architecture["steps"]
    long = np.random.default_rng(0).normal(0, 1, (steps + 40, BANDS))
    both = model.predict(Recordings.of([long, long[20:-20]]))
    assert both[0] == pytest.approx(both[1], abs=1e-4)


def test_under_a_clock_steps_are_joined_until_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = toys.melodies()
    now = [0.0]
    forward = torch.nn.Module.__call__

    def slowly(module: Any, *given: Any) -> Any:
        if type(module).__name__ == "Seen":
            now[0] += 0.01 * len(given[0]) / module.shrink
        return forward(module, *given)

    monkeypatch.setattr(torch.nn.Module, "__call__", slowly)
    monkeypatch.setattr(trained.time, "monotonic", lambda: now[0])
    examples = ready.train(ready.largest, 0, 0)
    shrinks = []
    for seconds in (1_000.0, 2.0, 0.5):
        now[0] = 0.0
        shrinks.append(LEARNERS["convolution"]().fit(examples, Limits(seconds, started=0.0), 0).net.shrink)
        assert now[0] <= seconds + 0.6
    assert shrinks[0] == 2 < shrinks[1] <= shrinks[2] <= net.MOST_JOINED


def test_recordings_are_varied_in_training_alone() -> None:
    from deepenough.nets.sounds import Masks

    x = torch.ones(50, 40, BANDS) + torch.rand(50, 40, BANDS)
    masks = Masks(0.5, 0.5, 0.0, 0.0)
    assert torch.equal(masks.eval()(x), x)
    torch.manual_seed(0)
    left_out = masks.train()(x) == 0
    assert left_out.all(dim=1).any() and left_out.all(dim=2).any(), "bands throughout, and steps throughout"
    assert 0.2 < float(left_out.float().mean()) < 0.6
    louder = Masks(0.0, 0.0, 0.3, 0.0).train()(x) - x
    assert float(louder.std(dim=(1, 2)).max()) < 1e-6 < float(louder[:, 0, 0].std())
    moved = Masks(0.0, 0.0, 0.0, 0.2).train()(torch.arange(40.0)[None, :, None].expand(50, 40, BANDS))
    shifts = (moved[:, 20, 0] - 20).tolist()
    assert min(shifts) < 0 < max(shifts) and max(map(abs, shifts)) <= 8


@pytest.mark.parametrize("name", ["convolution"])
def test_on_an_accelerator_the_body_is_computed_in_half_precision(name: str) -> None:
    """The same path with the device named, on the CPU's own bfloat16."""
    model, _ = fitted(name, toys.melodies(), epochs=2)
    heard, lengths = toys.melodies().inputs(0).padded(np.arange(10), model.architecture["steps"])
    given = (torch.from_numpy(heard), torch.from_numpy(lengths))
    with torch.inference_mode():
        whole = model.net(*given)
        model.net.in_half = True
        half = model.net(*given)
    assert half.dtype == torch.float32 and not torch.equal(half, whole)
    assert half == pytest.approx(whole.numpy(), abs=0.15)


@pytest.mark.parametrize("name", [name for name in LEARNERS if name != "prior"])
def test_weights_are_heeded(name: str) -> None:
    rng = np.random.default_rng(0)
    sounds = [rng.normal(0, 0.1, 3_000).astype(np.float32) for _ in range(90)]
    ready = toys.task(sounds, rng.integers(0, 2, 90).astype(str).tolist())
    examples = ready.train(ready.largest, 0, 0)
    weights = np.where(examples.targets == 0, 5.0, 0.2)
    heavy = Examples(examples.inputs, examples.targets, 2, examples.inner, weights / weights.mean())
    plain, weighed = (LEARNERS[name]().fit(each, Limits(), 0).predict(ready.inputs(0)) for each in (examples, heavy))
    assert weighed[:, 0].mean() > plain[:, 0].mean()


def test_an_empty_batch_gets_no_answers() -> None:
    ready = toys.lengths()
    for name in ("cepstra_svm", "spectra_boosted", "convolution", "recurrent"):
        settings = {"epochs": 2} if name in ("convolution", "recurrent") else {}
        assert fitted(name, ready, **settings)[0].predict(Recordings.of([])).shape == (0, 2)
