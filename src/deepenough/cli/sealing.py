"""The commands about what can be relied on: `seal`, `verify` and `keygen`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepenough.cli.parsing import add_command, aligned, as_json, shown

if TYPE_CHECKING:
    from deepenough.seal.checks import Check

_WORDS = {"ok": "ok", "failed": "FAILED", "not_checked": "not checked"}


def add(commands: Any) -> None:
    """Add this group's commands."""
    verify = add_command(commands, "verify", "Check that a run is what was sealed; race it again if asked.", _verify)
    verify.add_argument("run", metavar="RUN", type=Path, help="folder of a sealed run, as every finished one is")
    verify.add_argument("--key", metavar="PUBLIC", help="public key, a PEM file: the seal must be signed by it")
    verify.add_argument("--data", metavar="FILE", help="where the data that were raced are now")
    verify.add_argument("--rerun", action="store_true", help="race again on this machine, beside RUN, and compare")
    verify.add_argument("--json", action="store_true", help="as JSON")
    seal = add_command(commands, "seal", "Seal a run: hashes of its data, evidence, verdict and model.", _seal)
    seal.add_argument("run", metavar="RUN", type=Path, help="folder of a run that no race is writing into")
    seal.add_argument("--sign", metavar="KEY", help="private Ed25519 key, a PEM file, that signs the seal")
    keygen = add_command(commands, "keygen", "Make a key to sign with: KEY, and KEY.pub to give away.", _keygen)
    keygen.add_argument("key", metavar="KEY", help="file of the private key, such as key.pem; never overwritten")


def _verify(options: argparse.Namespace, started: float) -> int:
    from deepenough.seal import checks, keys

    key = keys.public_key(options.key) if options.key else None
    found = list(checks.verify(options.run, key=key, data=options.data))
    if not options.json:
        print(_told(found), flush=True)
    again: dict[str, Any] | None = None
    if options.rerun:
        check, again = _rerun(options, found)
        found.append(check)
    good = all(check.result != checks.FAILED for check in found)
    if options.json:
        print(as_json({"good": good, "checks": found, "rerun": again}))
    else:
        print(*_ending(found, again, good), sep="\n")
    return 0 if good else 1


def _told(found: list[Check]) -> str:
    from deepenough.report import words

    return aligned([[check.name, _WORDS[check.result], words.plain(check.why)] for check in found])


def _rerun(options: argparse.Namespace, found: list[Check]) -> tuple[Check, dict[str, Any] | None]:
    """Race again, where the evidence and the data are those that were raced."""
    from deepenough.report import live
    from deepenough.rerun import rerun
    from deepenough.seal.checks import FAILED, NOT_CHECKED, OK, Check

    results = {check.name: check.result for check in found}
    if not {"evidence", "data"} <= set(results) or FAILED in (results["evidence"], results["data"]):
        return Check("rerun", NOT_CHECKED, "the evidence or the data are not what was sealed"), None
    with live.listener(quiet=options.json, as_json=False) as listen:
        again = rerun(options.run, source=options.data, listen=listen)
    return Check("rerun", OK if again["good"] else FAILED, " ".join(again["said"])), again


def _ending(found: list[Check], again: dict[str, Any] | None, good: bool) -> list[str]:
    """What is said below the checks: the race that was run again, then the sum of it all."""
    from deepenough import runs

    told = [_told(found[-1:])] if found[-1].name == "rerun" else []
    told += [*again["differences"], aligned(runs.rows(again)), ""] if again else []
    failed = [check.name for check in found if check.result == "failed"]
    open_ones = [check.name for check in found if check.result == "not_checked"]
    left = f" Not checked: {', '.join(open_ones)}." if open_ones else ""
    return [*told, ("All that was checked holds." if good else f"FAILED: {', '.join(failed)}.") + left]


def _seal(options: argparse.Namespace, started: float) -> int:
    from deepenough.errors import RunError
    from deepenough.racing.run_folder import in_use
    from deepenough.result import Race
    from deepenough.seal import keys, sealing

    key = keys.private_key(options.sign) if options.sign else None
    if in_use(options.run):
        raise RunError(f"{options.run} is in use by a race, which seals it when it ends.")
    path = sealing.write(Race(options.run), key)
    signed = f", signed by the key {keys.fingerprint(key.public_key())}" if key else ", not signed"
    print(f"Sealed in {shown(path)}{signed}.", file=sys.stderr)
    return 0


def _keygen(options: argparse.Namespace, started: float) -> int:
    from deepenough.seal import keys

    public, fingerprint = keys.generate(options.key)
    print(f"{options.key} signs; keep it to yourself. {public} checks; give it away.", file=sys.stderr)
    print(f"Its fingerprint is {fingerprint}.", file=sys.stderr)
    return 0
