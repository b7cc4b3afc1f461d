"""Who will leave, whom to call first, and what that brings: from a file of customers to a service that lists calls.

    python examples/churn.py --budget 60s
    python examples/churn.py --budget 60s --capacity 100 --kept 150 --stay 0.3 --call 5

The customers are REAL: 2,850 of a telecommunications company in Iran, nine months of use each and whether they had left
three months later (`examples/data/README.md`). A quarter takes no part in the race; what became of them is known, so
that what was promised can be held against what came true. What a kept customer is worth, what a call costs and how many
of the leavers a call keeps are ASSUMED: no column says what calls do, so put your own numbers there. Then the model is
served, customers come in, and the service itself writes those to call into a file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import deepenough

FILE = Path(__file__).parent / "data" / "churn.csv"
TARGET, LEFT = "left", "yes"
RULE = "complained = yes"
"""Today's: call who complained."""
CALLS = "calls.jsonl"
SHOWN = 5
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Terms:
    """What a kept customer is worth, the share of called leavers who stay, what a call costs, how many can be made."""

    kept: float
    stay: float
    call: float
    capacity: int

    @property
    def value(self) -> str:
        """As `act` takes it: calling somebody who would leave, and somebody who would not."""
        return f"tp={self.stay * self.kept - self.call:g}, fp={-self.call:g}"

    def came(self, called: np.ndarray, left: np.ndarray) -> float:
        """What calls came to, of customers of whom it is known whether they left."""
        return float(self.stay * self.kept * (called & left).sum() - self.call * called.sum())


def parted(rows: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers to learn from, and the quarter that is kept aside. rows: of a smaller cut."""
    customers = pd.read_csv(FILE)
    if rows is not None:
        customers = customers.sample(rows, random_state=0)
    aside = customers.sample(frac=0.25, random_state=1)
    return customers.drop(aside.index), aside.reset_index(drop=True)


def line_above(chances: np.ndarray, chosen: np.ndarray) -> float:
    """The chance from which on a rule takes those who are chosen. Of equal chances, which no rule can tell apart, it
    takes all or none, so that never more are taken than there is room for."""
    highest = chances[~chosen].max(initial=0.0)
    return float((chances[chosen & (chances > highest)].min(initial=1.0) + highest) / 2)


def listed(actions: Any, most: int = SHOWN) -> list[str]:
    """The head of the list: what is expected of each, and why."""
    money, head = actions.facts["currency"], actions.frame.head(most)
    columns = (head[name] for name in ("rank", "row", "chance", "expected_gain", "reasons"))
    return [
        f"{rank:>3}. row {row:<5} chance {chance:4.0%}  {money} {gain:,.0f} expected: {reasons or '(no reasons)'}"
        for rank, row, chance, gain, reasons in zip(*columns, strict=True)
    ]


AGAINST = {"nothing": "doing nothing", "all": "acting on all", "rule": "today's rule"}


def compared(facts: Mapping[str, Any], came: Mapping[str, float]) -> list[str]:
    """What was promised beside what came true. facts: of `act`. came: what each of its plans really came to."""
    money = facts["currency"]
    promises = {"In all": (facts["plans"]["plan"], came["plan"])}
    for name, more in facts["more_than"].items():
        promises[f"More than {AGAINST[name]}"] = (more, came["plan"] - came[name])
    others = ", ".join(f"{AGAINST[name]} to {money} {came[name]:,.0f}" for name in facts["more_than"])
    return [
        *(_beside(what, promised, true, money) for what, (promised, true) in promises.items()),
        f"In short: the list came to {money} {came['plan']:,.0f}, {others}.",
    ]


def _beside(what: str, promised: Mapping[str, float], true: float, money: str) -> str:
    low, high = promised["low"], promised["high"]
    where = "below" if true < low else "above" if true > high else "within"
    return (
        f"{what}: promised {money} {promised['value']:,.0f} (between {low:,.0f} and {high:,.0f}), "
        f"came true {money} {true:,.0f}, {where} the interval."
    )


def until(fits: Callable[[], Any], what: str) -> Any:
    """What `fits` gives, as soon as it gives something. Exits where that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := fits()):
        if time.monotonic() > deadline:
            raise SystemExit(f"After {PATIENCE_SECONDS:.0f} s still missing: {what}.")
        time.sleep(0.1)
    return found


@contextlib.contextmanager
def service(run: Path, rules: Path) -> Iterator[str]:
    """`deepenough serve` with rules on a free port of this machine; gives its address, and stops it at the end."""
    command = [sys.executable, "-m", "deepenough.cli", "serve", str(run), "--port", "0", "--routes", str(rules)]
    log = rules.with_name("service.log")
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, stderr=said)
    try:
        heard = until(
            lambda: re.search(r"at (http://\S+)", log.read_text(encoding="utf-8")) or process.poll() is not None,
            f"a service, see {log}",
        )
        if not isinstance(heard, re.Match):
            raise SystemExit(f"The service did not start: {log.read_text(encoding='utf-8')}")
        yield heard[1]
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def routed(address: str) -> dict[str, int]:
    """How many records the service says that it has sent where."""
    with urllib.request.urlopen(f"{address}/metrics") as page:
        lines = page.read().decode().splitlines()
    found = (re.fullmatch(r'deepenough_routed_total\{to="(.*)"\} (\d+)', line) for line in lines)
    return {match[1]: int(match[2]) for match in found if match}


def landed(file: Path) -> list[dict[str, Any]]:
    """The whole records of a file of JSON lines, which may still be written to, or not be there yet."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def ask(address: str, rows: pd.DataFrame) -> None:
    """Send rows to the service as a stream, which it answers one after the other. Exits where it refuses one."""
    with deepenough.Client(address) as client:
        until(client.ready, "an answer")
        for answer in client.stream(json.loads(rows.to_json(orient="records")), portion=100):
            if "error" in answer:
                raise SystemExit(f"The service refused a row: {answer['error']}")


def fresh(folder: Path) -> None:
    """The folder, without what a service of before left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def served(run: Path, coming: pd.DataFrame, line: float, folder: Path) -> list[dict[str, Any]]:
    """Serve the model, let customers come in, and give the calls that the service wrote down."""
    fresh(folder)
    rules = folder / "routes.toml"
    rules.write_text(f'[[route]]\nwhen = "p >= {line!r}"\nto = "{CALLS}"\n\n[[route]]\nto = "drop"\n', encoding="utf-8")
    with service(run, rules) as address:
        ask(address, coming)
        counts = routed(address)
        until(lambda: len(landed(folder / CALLS)) >= counts[CALLS], f"records in {CALLS}")
    return landed(folder / CALLS)


def raced(known: pd.DataFrame, target: str, budget: str, run: Path, **options: Any) -> deepenough.Race:
    """The race that lies in the folder already, so that other sums can be tried at once, or a new one."""
    if (run / "model").exists():
        print(f"\nThe race in {run} is taken; name another --out for a new one.")
        return deepenough.Race(run)
    return deepenough.race(known, target, budget=budget, out=run, **options)


def told_calls(actions: Any, aside: pd.DataFrame, terms: Terms) -> np.ndarray:
    """Print whom to call, and what came of it; gives whom, shape (n,)."""
    left = (aside[TARGET] == LEFT).to_numpy()
    called = np.zeros(len(aside), dtype=bool)
    called[actions.frame["row"] - 1] = True
    complained = (aside["complained"] == "yes").to_numpy()
    plans = {"plan": called, "nothing": np.zeros_like(called), "all": np.ones_like(called), "rule": complained}
    print("\nWHOM TO CALL", *actions.sentences, *listed(actions), sep="\n")
    print("\nWHAT CAME TRUE", sep="\n")
    print(*compared(actions.facts, {name: terms.came(plan, left) for name, plan in plans.items()}), sep="\n")
    print(f"Of the {called.sum()} on the list {(called & left).sum()} really left; of all it was {left.mean():.0%}.")
    print(f"That {terms.stay:.0%} of those who would leave stay when called is assumed, in the promise and here alike.")
    return called


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--budget", default="60s", help="of the race (default: %(default)s)")
    parser.add_argument("--capacity", type=int, default=60, help="calls that can be made (default: %(default)s)")
    parser.add_argument("--kept", type=float, default=150, help="a kept customer is worth (default: %(default)s)")
    parser.add_argument("--stay", type=float, default=0.3, help="share of called leavers who stay; assumed")
    parser.add_argument("--call", type=float, default=5, help="a call costs (default: %(default)s)")
    parser.add_argument("--customers", type=int, help="a smaller cut of the file, for a quick look")
    parser.add_argument("--out", type=Path, default=Path("runs/churn"), help="its folder (default: %(default)s)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None, **options_of_race: Any) -> None:
    options = parsed(arguments)
    terms = Terms(options.kept, options.stay, options.call, options.capacity)
    known, aside = parted(options.customers)
    coming = aside.drop(columns=TARGET)
    gone = (known[TARGET] == LEFT).sum()
    print(f"{len(known):,} real customers to learn from, {gone} of whom left; {len(aside):,} are kept aside.")
    run = options.out / (f"run_of_{options.customers}" if options.customers else "run")
    race = raced(known, TARGET, options.budget, run, **options_of_race)
    print("\nTHE VERDICT", race.decision_sentence, sep="\n")

    room = {"value": terms.value, "capacity": terms.capacity}
    actions = deepenough.act(run, coming, positive=LEFT, rule=RULE, raced=known, **room)
    actions.write(options.out / "to_call.csv")
    called = told_calls(actions, aside, terms)
    print(f"The whole list: {options.out / 'to_call.csv'}")
    if not called.any():
        print("\nNobody is worth a call, so nothing is served.")
        return

    line = line_above(deepenough.load(run).predict(coming)[f"probability_{LEFT}"].to_numpy(), called)
    calls = served(run, coming, line, options.out / "service")
    print(f"\nSERVED\n{len(coming):,} customers came in. The rule: from a chance of {line:.3f} on into {CALLS}.")
    print(f"{len(calls)} landed in {options.out / 'service' / CALLS}, {len(coming) - len(calls)} were dropped.")
    for call in calls[:1]:
        print(f"The first: {json.dumps(call['answer'])}, of {json.dumps(call['row'])}")


if __name__ == "__main__":
    main()
