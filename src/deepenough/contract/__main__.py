"""`python -m deepenough.contract KIND [LEARNER ...]`: hold learners to the contract and say how it went."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from deepenough import kinds
from deepenough.contract import Result, check


def main(arguments: Sequence[str]) -> int:
    """Check the learners of a kind, or those named: 0 when all promises are kept, 1 when not, 2 for bad input."""
    if not arguments:
        print("usage: python -m deepenough.contract KIND [LEARNER ...]", file=sys.stderr)
        return 2
    kind, *names = arguments
    if kind not in kinds.find():
        print(f"{kind!r} is not a kind. Kinds: {', '.join(kinds.find())}.", file=sys.stderr)
        return 2
    entries = {entry.name: entry for entry in kinds.find_learners(kind)}
    unknown = [name for name in names if name not in entries]
    if unknown:
        print(f"{unknown[0]!r} is not a learner of {kind}. Learners: {', '.join(entries)}.", file=sys.stderr)
        return 2
    bad = [_told(check(entries[name])) for name in names or entries if _is_here(entries[name])]
    return 1 if any(bad) else 0


def _is_here(entry: kinds.Entry) -> bool:
    if entry.missing:
        print(f"{entry.name}: not checked, it needs `pip install {' '.join(entry.missing)}`")
    return not entry.missing


def _told(results: Sequence[Result]) -> bool:
    """Print what is not as promised, and a closing line; returns whether there was anything."""
    bad = [result for result in results if not result.is_good]
    for result in bad:
        print(f"{result.learner}: {result.claim} on {result.toy}: {result.outcome}. {result.reason}")
    excused = sum(result.outcome == "excused" for result in results)
    print(f"{results[0].learner}: {len(results) - len(bad)} of {len(results)} kept ({excused} of them excused)")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
