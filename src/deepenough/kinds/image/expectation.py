"""What studies found on pictures, by how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FEW, MANY = 3_000, 20_000


def of(pictures: int) -> Sequence[Mapping[str, str]]:
    """Findings that fit, each with its source."""
    found = []
    if pictures <= FEW:
        found.append(
            {
                "sentence": "With few labelled pictures, features of a network that was trained on ImageNet with a "
                "linear classifier did better than descriptors made by hand, on objects, scenes and birds.",
                "source": "Donahue et al., DeCAF, ICML 2014",
                "expected": "deep",
            }
        )
    if pictures >= MANY:
        found.append(
            {
                "sentence": "With more than a million labelled photos a convolutional network missed 15.3 % with its "
                "first five guesses, the best system of descriptors made by hand 26.2 %.",
                "source": "Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 2015",
                "expected": "deep",
            }
        )
    found.append(
        {
            "sentence": "Learning from 60,000 small grey pictures of clothes, gradients with a support vector machine "
            "told 92.6 % of others, two convolutional layers 91.6 %, a wide residual network 96.7 %.",
            "source": "Xiao, Rasul and Vollgraf, Fashion-MNIST, 2017, arXiv 1708.07747: the table of its page",
            "expected": "either",
        }
    )
    return found
