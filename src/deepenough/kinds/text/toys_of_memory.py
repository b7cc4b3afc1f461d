"""Documents whose answer lies in the order of two words far apart: nothing but memory tells their classes apart.

Needs that this module answers:

* A net that claims to read in order can be shown to: counts of words, and of neighbours, hold no information here.
* Harder by one number: how far apart the two words stand.
"""

from __future__ import annotations

import numpy as np

from deepenough.kinds.text.inputs import Texts

MARKS = ("opened", "closed")
NOISE = 60
"""Different words that mean nothing."""


def order_of_two(documents: int, apart: int = 20, around: int = 10, seed: int = 0) -> tuple[Texts, np.ndarray]:
    """Documents that hold both marks, `apart` words from each other, and the class: which of them comes first.

    around: noise words before the first and behind the second mark together, at most.

    Shape: so many texts, (documents,) int64.
    """
    rng = np.random.default_rng(seed)
    noise = np.array([f"noise{number}" for number in range(NOISE)])
    classes = rng.integers(0, 2, documents)
    texts = []
    for answer in classes.tolist():
        words = rng.choice(noise, apart + 1 + int(rng.integers(0, around + 1)))
        first = int(rng.integers(0, len(words) - apart))
        words[first], words[first + apart] = MARKS[answer], MARKS[1 - answer]
        texts.append(" ".join(words.tolist()))
    return Texts(tuple(texts)), classes.astype(np.int64)
