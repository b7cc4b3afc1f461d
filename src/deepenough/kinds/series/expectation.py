"""What studies found on whole series, by how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FEW = 2_000


def of(series: int, is_number: bool) -> Sequence[Mapping[str, str]]:
    """Findings that fit, each with its source."""
    if is_number:
        return (
            {
                "sentence": "On 63 sets of series with a number to predict, trees on features of intervals (DrCIF, "
                "FreshPRINCE) and a deep net (InceptionTime) were significantly better than 18 other methods.",
                "source": "Guijo-Rubio et al., Unsupervised feature based algorithms for time series extrinsic "
                "regression, Data Mining and Knowledge Discovery 38 (2024)",
                "expected": "either",
            },
            {
                "sentence": "On 19 sets of series with a number to predict, Rocket (random kernels and a weighted sum) "
                "had the highest accuracy overall, ahead of boosted trees, random forests and other methods.",
                "source": "Tan, Bergmeir, Petitjean and Webb, Time series extrinsic regression, Data Mining and "
                "Knowledge Discovery 35 (2021)",
                "expected": "classical",
            },
        )
    rocket = {
        "sentence": "Random convolution kernels with a linear classifier were about as accurate as the best methods of "
        "the time, InceptionTime among them, on 85 sets of the UCR archive, at a small part of the cost.",
        "source": "Dempster, Petitjean and Webb, ROCKET, Data Mining and Knowledge Discovery 34 (2020)",
        "expected": "classical",
    }
    bake_off = {
        "sentence": "On 112 and 30 more sets of the UCR archive the most accurate methods were HIVE-COTE 2 (a "
        "combination) and Hydra with MultiROCKET (convolution kernels), ahead of deep nets such as InceptionTime.",
        "source": "Middlehurst, Schäfer and Bagnall, Bake off redux, Data Mining and Knowledge Discovery 38 (2024)",
        "expected": "classical",
    }
    inception = {
        "sentence": "An ensemble of five deep convolutional nets was as accurate as HIVE-COTE, the best method until "
        "then, on 85 sets of the UCR archive, and scaled far better with the number of series.",
        "source": "Ismail Fawaz et al., InceptionTime, Data Mining and Knowledge Discovery 34 (2020)",
        "expected": "either",
    }
    return (bake_off, rocket) if series < FEW else (bake_off, rocket, inception)
