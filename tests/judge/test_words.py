"""Sentences that a leader can act on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepenough.judge.verdict import Verdict, judge
from deepenough.judge.words import amount, decision_sentence, judged_sentence, number
from tests.judge.simulate import Runner, World, constant, pair, race

WORLD = World(units=2000, rows=2000, largest=1600, options={"equal_within": 0.01})


def _verdict(gap: float, cheaper: str = "classical") -> Verdict:
    evidence = race(WORLD, pair(gap), 0)
    return judge(replace(evidence, plan=replace(evidence.plan, cheaper=cheaper)), curves=False)


@pytest.mark.parametrize(
    ("gap", "cheaper", "words"),
    [
        (0.05, "classical", ["Deep pays: use net", "at least 4.", "95 % certain", "0.85", "points of accuracy"]),
        (-0.05, "classical", ["Classical is enough: use trees", "does worse by at least"]),
        (0.0, "classical", ["Classical is enough: use trees", "could gain at most"]),
        (0.01, "classical", ["Open: take trees for now", "(net) was ahead by 0.", "and could gain at most"]),
        (0.02, "classical", ["Open: take net for now; it is ahead of classical", "surely by 0.", "counts as equal"]),
        (0.05, "deep", ["Deep is enough: use net"]),
        (-0.05, "deep", ["Classical pays: use trees; it gains ", "at least 4."]),
        (0.004, "deep", ["Open: take net for now; classical machine learning (trees) was ahead by 0.", "gain at most"]),
        (-0.008, "deep", ["Open: take trees for now; it is ahead of deep learning (net)", "surely by 0."]),
    ],
)
def test_the_sentence_says_what_to_use_and_by_how_much(gap: float, cheaper: str, words: list[str]) -> None:
    sentence = decision_sentence(_verdict(gap, cheaper))
    for word in words:
        assert word in sentence


def test_no_signal_sends_one_to_the_columns() -> None:
    runners = [Runner("trees", "classical", constant(0.5)), Runner("net", "deep", constant(0.5))]
    assert decision_sentence(judge(race(WORLD, runners, 0), curves=False)).startswith(
        "No signal: neither trees nor net"
    )


def test_together_names_both() -> None:
    blend = Runner("blend", "together", constant(0.04), blend_of=("trees", "net"))
    verdict = judge(race(replace(WORLD, rate=False), [*pair(0.0), blend], 0), curves=False)
    assert "use trees and net together" in decision_sentence(verdict)


def test_distrust_is_said_first() -> None:
    verdict = judge(race(World(units=40, rows=40, largest=30), pair(0.3, error=0.4), 0))
    sentence = decision_sentence(verdict)
    assert sentence.startswith("Open: this race can't be trusted")
    assert "40 rows" in sentence


def test_nothing_yet_is_an_answer() -> None:
    evidence = race(WORLD, pair(0.0), 0)
    verdict = judge(replace(evidence, trials=evidence.trials[:6]), final=False)
    assert "nothing can be said yet" in decision_sentence(verdict)
    assert judged_sentence(verdict) == "Nothing was judged yet."


def test_what_it_was_judged_on() -> None:
    assert "2,000 rows" in judged_sentence(_verdict(0.0))
    assert "learnt from 1,600 rows" in judged_sentence(_verdict(0.0))


@pytest.mark.parametrize(
    ("value", "text"), [(0.0391, "0.0391"), (1234.5, "1,234"), (0.5, "0.5"), (-0.00012345, "-0.000123"), (0.0, "0")]
)
def test_numbers_have_three_figures_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_amounts_name_the_metric() -> None:
    assert amount(0.012, "accuracy") == "1.2 points of accuracy"
    assert amount(0.01, "auc") == "1 point of AUC"
    assert amount(0.012, "log_loss") == "0.012 in log loss"
    assert amount(3.0, "return") == "3 in return"
