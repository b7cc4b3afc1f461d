"""Forecasts are measured as others measure them: MASE and pinball loss against two published implementations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deepenough.errors import OptionError
from deepenough.judge import metrics as judged
from deepenough.kinds.forecast import metrics
from deepenough.kinds.forecast.task import LEVELS
from tests.kinds.forecast.drawn import several, task

N, STEPS = 40, 7


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth with the scale in the last column, and ascending quantiles."""
    rng = np.random.default_rng(seed)
    truth = np.column_stack([rng.normal(10, 3, (N, STEPS)), rng.uniform(0.5, 4, N)])
    return truth, np.sort(rng.normal(10, 3, (N, STEPS, len(LEVELS))), axis=2)


def test_pinball_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import mean_pinball_loss

    truth, predicted = drawn()
    records = metrics.find(None, LEVELS).records(truth, predicted)
    assert records.shape == (N, 1)
    for row in range(N):
        each = [
            mean_pinball_loss(truth[row, :-1], predicted[row, :, place], alpha=level)
            for place, level in enumerate(LEVELS)
        ]
        assert records[row, 0] == pytest.approx(2 * np.mean(each) / truth[row, -1])


def test_mase_is_that_of_utilsforecast() -> None:
    losses = pytest.importorskip("utilsforecast.losses")
    made = task(several(3, 90), horizon=STEPS, metric="mase")
    truth, windows = made.truth(1), made.inputs(1)
    rng = np.random.default_rng(1)
    predicted = np.sort(truth[:, :-1, None] + rng.normal(size=(len(truth), STEPS, len(LEVELS))), axis=2)
    records = made.metrics()[0].records(truth, predicted)[:, 0]
    frame = several(3, 90)
    learnt = np.datetime64(int(windows.times[windows.at].min()), "s")  # the first judged origin is the fold's cut
    history = frame[frame.day <= learnt].rename(columns={"shop": "unique_id", "sold": "y"})
    for row in (0, len(records) - 1):
        name = windows.names[windows.series[row]]
        said = {"unique_id": name, "y": truth[row, :-1], "model": predicted[row, :, 2]}
        whole = losses.mase(pd.DataFrame(said).dropna(), ["model"], 7, history[["unique_id", "y"]])
        assert records[row] == pytest.approx(float(whole["model"].iloc[0]))


def test_the_pinball_loss_of_the_median_alone_is_mase() -> None:
    truth, predicted = drawn()
    alone = metrics.find("scaled_pinball", (0.5,)).records(truth, predicted[:, :, 2:3])
    np.testing.assert_allclose(alone, metrics.find("mase", LEVELS).records(truth, predicted))


def test_unknown_steps_count_nowhere() -> None:
    truth, predicted = drawn()
    holes = truth.copy()
    holes[:, 3:5] = np.nan
    kept = [0, 1, 2, 5, 6]
    for metric in metrics.all_of(LEVELS).values():
        found = metric.records(holes, predicted)
        np.testing.assert_allclose(found, metric.records(truth[:, [*kept, STEPS]], predicted[:, kept]))


def test_held_is_the_share_of_steps_inside_the_outermost_quantiles() -> None:
    truth, predicted = drawn()
    predicted[:, :, 0], predicted[:, :, -1] = -100.0, 100.0
    held = metrics.all_of(LEVELS)["held"]
    assert held.higher_is_better and "90 %" in held.about
    assert held.show(held.evaluate(held.records(truth, predicted))[0]) == 1.0
    predicted[:, 2] = 50.0
    assert held.show(held.evaluate(held.records(truth, predicted))[0]) == pytest.approx(6 / 7)


@pytest.mark.parametrize("name", ["scaled_pinball", "mase"])
def test_a_race_reads_its_metric_back_from_the_plan(name: str) -> None:
    made = task(several(), metric=name)
    truth = made.truth(0)
    rng = np.random.default_rng(0)
    predicted = np.sort(rng.normal(100, 9, (len(truth), *made.paths.shape)), axis=2)
    records = made.metrics()[0].records(truth, predicted)
    again = judged.named(name, made.question_facts)
    assert again.evaluate(records)[0] == made.metric.evaluate(records)[0] == pytest.approx(records.mean())
    assert again.show(0.5) == made.metric.show(0.5) == 0.5
    assert [metric.name for metric in made.metrics()] == [name, *({"scaled_pinball", "mase"} - {name}), "held"]


def test_names_are_read_as_people_write_them() -> None:
    assert metrics.find(" MASE", LEVELS).name == "mase"
    assert metrics.find("pinball", LEVELS).name == metrics.find("scaled-pinball", LEVELS).name == "scaled_pinball"
    with pytest.raises(OptionError, match=r"--metric held.*scaled_pinball, mase"):
        metrics.find("held", LEVELS)
