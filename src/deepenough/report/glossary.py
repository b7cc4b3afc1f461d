"""What the words of a report mean, one plain sentence or two each; the page shows them where a word is pointed at."""

from __future__ import annotations

GLOSSARY = {
    "calibrated": "Probabilities that mean what they say: of all cases that were given 30 %, three in ten happen. Both "
    "families are calibrated alike, on rows of their own training part.",
    "certain": "A bound that is 95 % certain is missed in one race of twenty. What varies from seed to seed and from "
    "training draw to training draw is in it.",
    "classical": "A model without layers that are learnt one above another: trees, linear models, neighbours.",
    "deep": "A model whose representation has two or more layers learnt by gradient descent, by us or by whoever "
    "pretrained it.",
    "fold": "One split of the rows into those that a model learns from and those that it is judged on.",
    "fresh sample": "Other rows of the same origin: what to expect if all data were collected anew.",
    "frontier": "The learners for whom nobody is both better and cheaper.",
    "input": "One of the columns that predictions are made from.",
    "judged": "Scored on rows that the model had not learnt from, and that had no say in choosing it.",
    "modelled": "Computed from processor time and memory, not read off an instrument; right within a factor of 2.5.",
    "practically equal": "So small a difference that it would not matter: what you said with --equal-within, else 5 % "
    "of what the better side leaves unexplained or of what it explains, whichever is smaller.",
    "processor time": "Seconds summed over all processor cores, of the learner's process alone: other programs don't "
    "count, as they do in wall-clock time.",
    "rise when shuffled": "One input's values are dealt out anew among the judged rows, several times, and the loss is "
    "taken again. What it rises by is what the model owes to that input. Inputs that tell the same share it.",
    "rung": "A training size on the ladder below the largest one.",
    "share": "The seconds that a family may spend; both have the same.",
    "trial": "One learner, one training size, one fold and one seed, in a process of its own under limits.",
    "wall-clock time": "Seconds as a clock on the wall counts them.",
}
