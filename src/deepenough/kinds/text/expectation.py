"""What studies found on documents, by how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FEW, MANY = 5_000, 100_000


def of(documents: int) -> Sequence[Mapping[str, str]]:
    """Findings that fit, each with its source."""
    found = []
    if documents <= FEW:
        found.append(
            {
                "sentence": "Linear models on word counts and pairs of words (NB-SVM) were as good as or better than "
                "recursive networks of the time on most small sets of short reviews and of topics.",
                "source": "Wang and Manning, Baselines and Bigrams, ACL 2012",
                "expected": "classical",
            }
        )
    if documents < MANY:
        found.append(
            {
                "sentence": "With up to a few hundred thousand documents, models of character networks trained from "
                "nothing lost to n-grams with TF-IDF.",
                "source": "Zhang, Zhao and LeCun, Character-level Convolutional Networks, NeurIPS 2015",
                "expected": "classical",
            }
        )
    found.append(
        {
            "sentence": "A linear model on averaged word vectors was often on par with deep networks in accuracy, and "
            "trained many times faster.",
            "source": "Joulin et al., Bag of Tricks for Efficient Text Classification, EACL 2017",
            "expected": "either",
        }
    )
    return found
