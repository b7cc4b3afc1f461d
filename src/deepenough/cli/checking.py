"""The command that holds a stranger's learner or kind to the contract: `check`."""

from __future__ import annotations

import argparse
from typing import Any

from deepenough.cli.parsing import add_command, as_json


def add(commands: Any) -> None:
    """Add this group's commands."""
    check = add_command(commands, "check", "Hold a learner or a kind to the contract, yours or ours.", _check)
    check.add_argument(
        "what", metavar="WHAT", help="a .py file, the folder of a kind or project, or the name of a learner or kind"
    )
    check.add_argument("--kind", metavar="KIND", help="kind of the learner, where it doesn't say it itself")
    check.add_argument("--json", action="store_true", help="every promise and how it went, as JSON")


def _check(options: argparse.Namespace, started: float) -> int:
    from deepenough.contract import rounds, told
    from deepenough.contract.claims import CLAIMS
    from deepenough.contract.kind_claims import KIND_CLAIMS
    from deepenough.contract.subjects import search

    about = {claim.name: claim.about for claim in (*CLAIMS.values(), *KIND_CLAIMS.values())}
    found: list[dict[str, Any]] = []
    good = True
    for subject in search(options.what, options.kind):
        for results in rounds(subject):
            good &= all(result.is_good for result in results)
            found += [vars(result) | {"kind": subject.kind, "about": about.get(result.claim, "")} for result in results]
            if not options.json:
                print(*told(results), sep="\n", flush=True)
    if options.json:
        print(as_json({"good": good, "results": found}))
    return 0 if good else 1
