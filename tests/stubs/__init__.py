"""Stubs of the three shapes of a task, whose truth is known because it was put there.

Needs that this package answers:

* Races with a known right answer: the whole machinery (child processes, splits, records, verdict) is raced against a
  truth in milliseconds.
* A child process finds everything by its import path, such as `tests.stubs.supervised:Classical`.
* One stub a shape: `StubSupervised` (with `Classical`, `Second`, `Deep`, `DeepSecond`, `Trivial`), `StubEnvironment`
  (with `Greedy`, `PolicyGradient`) and `StubUnlabelled` (with `KMeans`, `SlowMeans`).

Learners that cheat, crash and hang stand in `tests.stubs.faulty`.
"""

from tests.stubs.interactive import Greedy, PolicyGradient, StubEnvironment, Walk
from tests.stubs.kind import StubCodec, StubKind, contender, entry
from tests.stubs.supervised import Array, Classical, Curve, Deep, DeepSecond, Second, StubSupervised, Trivial
from tests.stubs.unlabelled import KMeans, SlowMeans, StubUnlabelled

__all__ = [
    "Array",
    "Classical",
    "Curve",
    "Deep",
    "DeepSecond",
    "Greedy",
    "KMeans",
    "PolicyGradient",
    "Second",
    "SlowMeans",
    "StubCodec",
    "StubEnvironment",
    "StubKind",
    "StubSupervised",
    "StubUnlabelled",
    "Trivial",
    "Walk",
    "contender",
    "entry",
]
