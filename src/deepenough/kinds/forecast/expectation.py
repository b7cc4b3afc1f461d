"""What studies found on forecasts, by how many series there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MANY = 1_000


def of(series: int) -> Sequence[Mapping[str, str]]:
    """Findings that fit, each with its source."""
    m4 = {
        "sentence": "In the M4 competition (100,000 series) combinations of mostly statistical methods took twelve of "
        "the 17 most accurate places, and the six pure machine-learning entries lost to a simple combination.",
        "source": "Makridakis, Spiliotis and Assimakopoulos, International Journal of Forecasting 34 (2018) 802-808",
        "expected": "classical",
    }
    linear = {
        "sentence": "On nine public sets of long series one linear layer was as good as or better than transformers "
        "made for forecasting.",
        "source": "Zeng, Chen, Zhang and Xu, Are Transformers Effective for Time Series Forecasting?, AAAI 2023",
        "expected": "either",
    }
    m5 = {
        "sentence": "In the M5 competition (42,840 series of sales) most of the best entries were boosted trees "
        "(LightGBM) learnt over many series together.",
        "source": "Makridakis, Spiliotis and Assimakopoulos, International Journal of Forecasting 38 (2022) 1346-1364",
        "expected": "classical",
    }
    return (m5, m4, linear) if series >= MANY else (m4, linear)
