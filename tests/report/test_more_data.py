"""What is said of more rows."""

from __future__ import annotations

from typing import Any

import pytest

from deepenough.judge.more_data import MoreData
from deepenough.judge.verdict import judge
from deepenough.report.more_data import _sentence
from tests.report.conftest import full_race


@pytest.fixture(scope="module")
def verdict() -> Any:
    return judge(full_race())


@pytest.mark.parametrize(
    ("low", "advice", "said"),
    [
        (0.05, "collect_more", ": collect more."),
        (-0.2, "collect_more", "but there may be no gain at all: collect more where rows are cheap."),
        (-0.2, "may_pay", "it may pay to collect more."),
    ],
)
def test_a_gain_whose_interval_holds_a_loss_is_no_plain_advice_to_collect(
    verdict: Any, low: float, advice: str, said: str
) -> None:
    each = MoreData("deep", "net", 4, 4000, 0.1, low, 0.4, None, advice, "")
    assert _sentence(each, verdict).endswith(said)
