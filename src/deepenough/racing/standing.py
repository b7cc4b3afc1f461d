"""PURE: the evidence, read for the scheduler's questions: what each family spent, what a trial will take, who leads.

Needs that this module answers:

* The finals' size is the largest that both champions can run on the planned folds, and stays what it is once begun.
* What a trial takes is learnt from those that ended (see `time_law`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deepenough.evidence import FAMILIES, FINISHED, Contender, Evidence, Plan, Trial
from deepenough.racing.order import DIED, Running
from deepenough.racing.time_law import TimeLaw, time_law

SAVE_SECONDS = 2.5
"""Kept for writing the model folder and the report."""
JUDGE_SECONDS = 1.5
"""Kept for blends, the verdict and what a refit takes beside its fit: it is loaded again, and asked row by row."""
EXPLAIN_SHARE = 0.02
"""Of the budget (of ten minutes at most), kept for what drives the winner and where it is wrong (see `explain`)."""
REFIT_MARGIN = 1.4
"""A refit is kept so many times what it is predicted to take: one that is short of time sees fewer rows."""
REFIT_SHARE, SETTLED_REFIT_SHARE = 0.15, 0.3
"""At most so much of the budget is kept for the refit, before and after both families ran the finals that were planned;
where that is not enough for all rows, it sees fewer."""
AFTER_FINALS = ("ladder", "breadth", "search", "seed")
"""Purposes of trials that a family comes to when its planned finals are run."""
BETWEEN_SECONDS = 0.05
PROBE_ROWS = 1000
CLEARLY, HARDLY_SLOWER = 0.95, 2.0
"""A probe's loss, and its seconds, against those of the first by priority, for it to run the finals instead."""
RESEED = 500_000
"""Seeds of repeats lie this far from those of the first fits."""
CHEAP_SHARE = 0.35
"""Where the champions' finals on every fold, at the largest size, take no more of a share, every fold is planned."""
FINALS_SHARE = 0.6
"""The finals of a champion may take so much of its family's share; the rest is ladder, breadth and search."""
PROBE_SHARE = 0.12
MOST_TRIAL_ROWS = 20_000
"""With a budget in trials there is no clock to size the finals by: they have at most so many rows."""
URGENT_SHARE = 0.15
"""A planned final is begun when so much of its predicted time is left: cut short, it still gives a verdict."""


@dataclass(frozen=True)
class Wish:
    """A trial that would be worth having, before it is known whether it fits.

    together: so many of its like or none.
    urgent: begun although it may be cut by its deadline: the finals that every verdict needs.
    """

    contender: Contender
    purpose: str
    n_train: int
    fold: int
    seed: int
    together: int = 1
    urgent: bool = False


@dataclass(frozen=True)
class Race:
    """The evidence, read for the scheduler's questions. All its answers are functions of its first three fields.

    running: trials that have begun and not ended. gaps: what `rivals` has worked out for two contenders.
    """

    evidence: Evidence
    elapsed_seconds: float = 0.0
    running: tuple[Running, ...] = ()
    gaps: dict[tuple[str, str], list[tuple[int, float, float]]] = field(default_factory=dict, compare=False)
    _times: dict[str, TimeLaw | None] = field(default_factory=dict, compare=False)
    _laws: dict[str, TimeLaw | None] = field(default_factory=dict, compare=False)
    _leaders: dict[str, Contender | None] = field(default_factory=dict, compare=False)
    _in_a_row: dict[tuple[str, int], int] = field(default_factory=dict, compare=False)

    @property
    def plan(self) -> Plan:
        return self.evidence.plan

    @property
    def counted(self) -> bool:
        """Whether the budget is a number of trials."""
        return self.plan.budget_trials is not None

    @cached_property
    def done(self) -> dict[tuple[str, int, int, int], Trial]:
        """Every trial that ended, whatever its end; one that was killed once may be tried again."""
        done: dict[tuple[str, int, int, int], Trial] = {}
        died = set()
        for trial in self.evidence.trials:
            key = (trial.contender, trial.n_train, trial.fold, trial.seed)
            if trial.error.startswith(DIED) and key not in died:
                died.add(key)
            else:
                done[key] = trial
        return done

    def family(self, family: str) -> list[Contender]:
        """Its contenders, the champion first."""
        return [c for c in self.plan.contenders if c.family == family]

    @cached_property
    def _by_contender(self) -> dict[str, list[Trial]]:
        trials: dict[str, list[Trial]] = {}
        for trial in self.evidence.trials:
            trials.setdefault(trial.contender, []).append(trial)
        return trials

    def trials(self, contender: str) -> list[Trial]:
        return self._by_contender.get(contender, [])

    # Costs

    def spent(self, family: str) -> float:
        return self._spent.get(family, 0.0)

    @cached_property
    def _spent(self) -> dict[str, float]:
        spent: dict[str, float] = {}
        for trial in self.evidence.trials:
            if trial.purpose not in ("refit", "blend"):
                spent[trial.family] = spent.get(trial.family, 0.0) + (1.0 if self.counted else trial.wall_seconds)
        for own in self.running:
            seconds = max(self.elapsed_seconds - own.started_seconds, 0.0)
            spent[own.order.family] = spent.get(own.order.family, 0.0) + (1.0 if self.counted else seconds)
        return spent

    @cached_property
    def share(self) -> float:
        """What each family may spend in all: half of what the race has for trials; in a lane of its own all."""
        families = [family for family in FAMILIES if self.family(family)]
        each = [self.spent(family) for family in families]
        spent = sum(each)
        if self.plan.budget_trials is not None:
            return self.plan.budget_trials / max(len(families), 1)
        between = sum(t.startup_seconds + BETWEEN_SECONDS for t in self.evidence.trials)  # paid by nobody
        used = spent / (spent + between) if spent else 1.0
        left = used * max(self.seconds_left, 0.0)
        return max(each) + left if self.plan.lanes > 1 else (spent + left) / max(len(families), 1)

    @property
    def seconds_left(self) -> float:
        """Seconds that trials may still take, all families together."""
        budget = self.plan.budget_seconds or math.inf
        return budget - self.elapsed_seconds - self.reserve_seconds

    @cached_property
    def reserve_seconds(self) -> float:
        """Kept for the report, and for the refit of who is ahead: before the finals of both, of the slower champion."""
        budget = self.plan.budget_seconds or math.inf
        leaders, share = [leader for family in FAMILIES if (leader := self.leader(family))], REFIT_SHARE
        if leaders and self.has_finals and all(self.finals(leader) for leader in leaders):
            share = SETTLED_REFIT_SHARE if self._is_settled else share
            leaders = [min(leaders, key=lambda leader: self.mean_loss(leader, 1))]
        laws = [law for leader in leaders if (law := self.law_of(leader))]
        refit = max((law.refit_seconds(self.plan.rows) for law in laws), default=0.0)
        ending = SAVE_SECONDS + JUDGE_SECONDS + explain_seconds(budget)
        return ending + min(REFIT_MARGIN * refit, share * budget) + self.resplit_seconds

    @property
    def _is_settled(self) -> bool:
        """Whether both families have run the finals that were planned at least, or what comes after these. More time
        for the model that is handed over is then worth more than more search."""
        after = {trial.family for trial in self.evidence.trials if trial.purpose in AFTER_FINALS}
        judged = {f for f in FAMILIES if (leader := self.leader(f)) and self.finals(leader) >= self._few_folds}
        return after | judged >= {family for family in FAMILIES if self.family(family)}

    @cached_property
    def resplit_seconds(self) -> float:
        """Kept for judging both leaders under the other splits of the data, two folds each, where the analysis' part of
        the budget holds that; else 0: it is then done later, from the run's folder."""
        asked = self.plan.setup.get("analysis", {})
        leaders = [leader for family in FAMILIES if (leader := self.leader(family))] if self.has_finals else []
        if self.counted or not asked.get("splits") or len(leaders) < len(FAMILIES):
            return 0.0
        size = min(t.n_train for t in self.evidence.trials if t.purpose == "final")
        wanted = 2 * len(asked["splits"]) * sum(self.seconds_for(leader, size) for leader in leaders)
        return wanted if wanted <= asked["share"] * (self.plan.budget_seconds or math.inf) else 0.0

    def left(self, family: str) -> float:
        """What a family may still spend: the rest of its share, and no more than the race has left."""
        if self.plan.lanes > 1:
            return self.seconds_left
        own = self.share - self.spent(family)
        return own if self.counted else min(own, self.seconds_left)

    def seconds_for(self, contender: Contender | None, n_train: int) -> float:
        """Predicted wall seconds of a trial, from its learner's own: to fit, log t = a + b log n, and to answer."""
        if contender is None:
            return 0.0
        law = self.law_of(contender)
        return math.inf if law is None else law.seconds(n_train)

    def law_of(self, contender: Contender) -> TimeLaw | None:
        """What its trials take, by its own or those of its learner; None while none is known."""
        if contender.name not in self._times:
            own = [t for t in self.trials(contender.name) if t.wall_seconds > 0]
            self._times[contender.name] = time_law(own) if own else self._law_of_learner(contender.learner)
        return self._times[contender.name]

    def predict_seconds(self, contender: Contender) -> float:
        """The longest that a learner's model took to answer for a fold: what comes on top of a fit's deadline."""
        like = [t for c in self.plan.contenders if c.learner == contender.learner for t in self.trials(c.name)]
        return max((t.predict_wall_seconds for t in like), default=0.0)

    def _law_of_learner(self, learner: str) -> TimeLaw | None:
        """Of all its variants together: what a variant that was never tried is expected to take."""
        if learner not in self._laws:
            like = [t for c in self.plan.contenders if c.learner == learner for t in self.trials(c.name)]
            self._laws[learner] = time_law([t for t in like if t.wall_seconds > 0])
        return self._laws[learner]

    def price(self, wish: Wish) -> float:
        """What a wish costs in the budget's unit; unknown learners cost their first look."""
        if self.counted:
            return float(wish.together)
        seconds = self.seconds_for(wish.contender, wish.n_train)
        if math.isinf(seconds):
            return PROBE_SHARE * self.share * 0.5
        return seconds * wish.together * (URGENT_SHARE if wish.urgent else 1.0)

    # Standing

    def failed(self, contender: Contender) -> bool:
        """It errs, or it could not end even its smallest trial."""
        trials = [t for t in self.trials(contender.name) if (t.contender, t.n_train, t.fold, t.seed) in self.done]
        return bool(trials) and (
            any(t.status == "error" for t in trials) or not any(t.status in FINISHED for t in trials)
        )

    def champion(self, family: str) -> Contender | None:
        """The contender that runs its finals first: of the learners that have not failed the first by priority.

        Another one only where its probe was clearly better and hardly slower: small rungs flatter simple learners. Of
        several that are about as good the quickest: the finals' size hangs on it.
        """
        able = [c for c in self.family(family) if c.name == c.learner and not self.failed(c)]
        begun = {t.contender for t in self.evidence.trials if t.purpose == "final"}
        probes = {c.name: self._probe(c) for c in able}
        first = next((c for c in able if c.name in begun), next(iter(able), None))
        own = probes[first.name] if first else None
        if first is None or first.name in begun or own is None or own.loss is None:
            return first
        patience = math.inf if self.counted else HARDLY_SLOWER
        better = [probe for probe in probes.values() if probe is not None and _clearly_better(probe, own, patience)]
        if not better:
            return first
        best = min(probe.loss or 0.0 for probe in better)
        near = [probe for probe in better if (loss := probe.loss or 0.0) - best <= (1 - CLEARLY) * abs(loss)]
        chosen = min(near, key=lambda probe: (probe.loss or 0.0) if self.counted else probe.wall_seconds)
        return self.plan.contender(chosen.contender)

    def _probe(self, contender: Contender) -> Trial | None:
        return self.done.get((contender.name, self.probe_rows, 0, self.probe_seed))

    @cached_property
    def probe_rows(self) -> int:
        return max(min(PROBE_ROWS, self.plan.largest // 4), self.plan.smallest)

    @property
    def probe_seed(self) -> int:
        """Not that of the finals: a probe has another deadline than they have, and must not stand in for one."""
        return self.seed(0) + 7 * RESEED

    @cached_property
    def size(self) -> int | None:
        """Rows of the finals, equal for both families; None while the probes have not said enough."""
        started = [t.n_train for t in self.evidence.trials if t.purpose == "final"]
        started += [own.order.n_train for own in self.running if own.order.purpose == "final"]
        if started:
            return self._size_that_holds(min(started))
        if self.counted:
            return min(self.plan.largest, MOST_TRIAL_ROWS)
        champions = [self.champion(family) for family in FAMILIES if self.family(family)]
        fitting = (n for n in self.sizes() if max(self.seconds_for(c, n) for c in champions) <= self._final_seconds)
        return next(fitting, self.sizes()[-1])

    @property
    def _final_seconds(self) -> float:
        """What one of the planned finals of a champion may take."""
        return FINALS_SHARE * self.share / self.fewest_folds

    def fits_all(self, champion: Contender) -> bool:
        """Whether it is predicted to run its planned finals at the largest size."""
        return self.seconds_for(champion, self.plan.largest) <= self._final_seconds

    def _size_that_holds(self, size: int) -> int:
        """Half of it when a family's champion could not end there in time or memory."""
        for family in FAMILIES:
            finals = [t for t in self.evidence.trials if t.family == family and t.purpose == "final"]
            tried = [t for t in finals if t.n_train == size]
            failed = [t for t in tried if t.status in ("timeout", "memory")]
            if failed and not any(t.status in FINISHED for t in tried) and size // 2 >= self.plan.smallest:
                return size // 2
        return size

    def sizes(self) -> list[int]:
        """Sizes that the finals may have, the largest first, each 1.4 times the next."""
        steps = int(2 * math.log2(max(self.plan.largest / self.plan.smallest, 1))) + 1
        return [max(int(self.plan.largest / 2 ** (step / 2)), self.plan.smallest) for step in range(steps)]

    @cached_property
    def fewest_folds(self) -> int:
        """Folds that the finals are planned for. Where all of them are not cheap, more rows and the other learners tell
        more than more folds; these come when time is left."""
        if self.counted:
            wanted = int(self.share // 4)
        else:
            slowest, wanted = self._slowest_final, self._few_folds
            cheap = self.plan.folds if slowest <= 0 else int(min(CHEAP_SHARE * self.share / slowest, self.plan.folds))
            wanted = min(wanted, 3) if self.plan.judging == "halves" else max(wanted, cheap)
        return min(max(wanted, 2), self.plan.folds)

    @property
    def _few_folds(self) -> int:
        """The same where finals are dear."""
        return min(2 if (self.plan.budget_seconds or 0.0) < 45 else 3, self.plan.folds)

    @property
    def _slowest_final(self) -> float:
        """Seconds of the slower champion's final at the largest size; infinite while none is known."""
        champions = [champion for family in FAMILIES if (champion := self.champion(family))]
        return max((self.seconds_for(champion, self.plan.largest) for champion in champions), default=math.inf)

    @property
    def most_folds(self) -> int:
        return self.plan.folds if self.plan.judging == "folds" else min(self.plan.folds, 3)

    def finals(self, contender: Contender) -> int:
        """Folds 0, 1, ... that it has finished at the finals' size."""
        key = (contender.name, self.size or 0)
        if key not in self._in_a_row:
            self._in_a_row[key] = _in_a_row(self, *key)
        return self._in_a_row[key]

    def leader(self, family: str) -> Contender | None:
        """The best of those with the most folds at the finals' size; the champion before there are any."""
        if family not in self._leaders:
            self._leaders[family] = self._leader(family)
        return self._leaders[family]

    def _leader(self, family: str) -> Contender | None:
        able = [c for c in self.family(family) if self.finals(c)] if self.has_finals else []
        if not able:
            return self.champion(family)
        most = max(self.finals(c) for c in able)
        return min((c for c in able if self.finals(c) == most), key=lambda c: self.mean_loss(c, most))

    @cached_property
    def has_finals(self) -> bool:
        return any(t.purpose == "final" for t in self.evidence.trials)

    def mean_loss(self, contender: Contender, folds: int) -> float:
        trials = [self.done[contender.name, self.size or 0, k, self.seed(k)] for k in range(folds)]
        losses = [t.loss for t in trials if t.loss is not None]
        return float(np.mean(losses)) if losses else math.inf

    def seed(self, fold: int) -> int:
        """A new seed in each fold, the same for every learner."""
        return (self.plan.seed * 1009 + fold) % 2**31

    def rung(self, divisor: int) -> int:
        """A size of the ladder; never under the smallest that makes sense."""
        return max((self.size or 0) // divisor, self.plan.smallest)


def explain_seconds(budget_seconds: float) -> float:
    """Kept of a budget for what explains the winner, after the model is saved."""
    return EXPLAIN_SHARE * min(budget_seconds, 600)


def _clearly_better(probe: Trial | None, other: Trial, patience: float) -> bool:
    if probe is None or probe.loss is None or other.loss is None:
        return False
    ahead = other.loss - probe.loss  # losses of returns are negative
    return ahead > (1 - CLEARLY) * abs(other.loss) and probe.wall_seconds <= patience * other.wall_seconds


def _in_a_row(race: Race, contender: str, size: int) -> int:
    count = 0
    while True:
        trial = race.done.get((contender, size, count, race.seed(count)))
        if trial is None or trial.status not in FINISHED:
            return count
        count += 1
