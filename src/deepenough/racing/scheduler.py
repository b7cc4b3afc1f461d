"""PURE: the evidence so far and the seconds gone -> the next trial, or None when the race is over.

Needs that this module answers:

* Planned backwards from the budget: the model and the report are reserved first; then come the finals (each family's
  champion, at the same size, on the same folds), the finalists' ladder, breadth (other learners), search.
* A verdict exists early: the champions (lowest `priority` of each family) run their finals first; whoever looks better
  on small rungs, or in a first final where that is cheap, challenges them, and the pick among all that finished is made
  by the judge, inside each part.
* Equal shares: with a lane for each, both families run side by side, one trial each; with one lane the family that has
  spent less goes next. What a family leaves over stays its own.
* Nothing is begun that can't end in time; how long a trial takes is learnt from those that ended.
* Asking again with the same evidence gives the same order: so resuming is reading the journal and asking again.

A budget in trials is the same with every trial costing one and no clock: then the same seed gives the same race.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from deepenough.evidence import FAMILIES, FINISHED, MINE, Contender, Evidence, Plan
from deepenough.racing import mine
from deepenough.racing.order import Order, Running, next_number
from deepenough.racing.rivals import chance, standing
from deepenough.racing.standing import PROBE_SHARE, RESEED, Race, Wish

PROBES_SHARE = 0.2
"""Learners are probed in turn for so much of a family's share."""
COUNTED_PROBES_SHARE = 1 / 3
"""The same where trials are counted, and none has a clock to learn."""
SCREEN = (16, 8, 4)
"""Rungs that a challenger climbs before it is judged worth finals, or dropped."""
AT_ONCE, VARIANT_AT_ONCE = 0.08, 0.01
"""A learner, and a variant, whose final takes no more than this part of its family's share runs one at once: small
rungs flatter simple learners."""
DROP_BELOW = 0.05
"""A challenger that beats its family's leader at full size with less than this probability is dropped."""
LIKELY = 0.5
"""A challenger that beats its family's leader with more than this probability need not wait for the others' rungs."""
POSSIBLE, CHEAP_CHALLENGE = 0.2, 0.2
"""Nor need one with this probability whose finals take no more than this part of its family's share."""
MUCH_CHEAPER = 1 / 3
"""A final that takes less than this part of another's seconds."""
_LANES = {"baseline": "classical"}
"""Whose lane a family takes that has none of its own: trivial answers take no time."""
THREADS_PAY_FROM_ROWS = 10_000
GRACE_SECONDS = 2.0
ONE_ROW_SECONDS, VARIANT_ONE_ROW_SECONDS = 0.5, 0.1
"""Single predictions are timed for so long, once a contender; nobody pays for it."""


def next_order(evidence: Evidence, elapsed_seconds: float, running: Sequence[Running] = ()) -> Order | None:
    """The next trial; None when nothing worth having fits into what is left, or beside what runs.

    elapsed_seconds: since the command's start, in all sittings together; not looked at where trials are counted.
    running: what has begun and not ended.
    """
    race = Race(evidence, elapsed_seconds, tuple(running))
    busy = {_LANES.get(own.order.family, own.order.family) for own in running}
    if len(running) >= race.plan.lanes or MINE in busy:
        return None
    baseline = None if _LANES["baseline"] in busy else _fitting(race, _baseline_wishes(race), math.inf)
    if baseline is not None:
        return baseline
    if race.family(MINE):
        own = _fitting(race, mine.wishes(race), mine.allowance(race))
        if own is not None:  # it runs alone, so that it costs both families the same
            return None if busy else own
        race = Race(evidence, elapsed_seconds + mine.reserved_seconds(race), tuple(running))
    for family in sorted((f for f in FAMILIES if race.family(f) and f not in busy), key=lambda f: (race.spent(f), f)):
        order = _fitting(race, _wishes(race, family), race.left(family))
        if order is not None:
            return order
    return None


def _fitting(race: Race, wishes: Iterator[Wish], left: float) -> Order | None:
    seen = {own.key for own in race.running}
    for wish in wishes:
        key = (wish.contender.name, wish.n_train, wish.fold, wish.seed)
        if key in race.done or key in seen:
            continue
        seen.add(key)
        unpriced = wish.purpose == "baseline" or (wish.purpose == "probe" and race.seconds_left > 0)
        if unpriced or race.price(wish) <= left:
            return _order(race, wish, left)
    return None


def _baseline_wishes(race: Race) -> Iterator[Wish]:
    """The trivial answer, on every fold that has a final: what there is to explain."""
    folds = {t.fold for t in race.evidence.trials if t.purpose == "final" and t.status in FINISHED}
    for contender in race.family("baseline")[:1]:
        for fold in sorted(folds):
            yield Wish(contender, "baseline", race.size or race.plan.smallest, fold, race.seed(fold))


def _wishes(race: Race, family: str) -> Iterator[Wish]:
    """What this family wants next, the most wanted first; what is done already is among it."""
    yield from _probes(race, family)
    champion = race.champion(family)
    if champion is None or race.size is None or not _probed(race):
        return
    yield from _finals(race, champion, race.fewest_folds, "final")
    yield from _low_ladder(race, champion)
    yield from _breadth(race, family)
    yield from _ladder(race, champion)
    leader = race.leader(family) or champion
    yield from _finals(race, leader, race.most_folds, "final")
    yield from _ladder(race, leader)
    yield from _close_rivals(race, family, leader)
    yield from _reseeds(race, leader)
    yield from _search(race, family)
    yield from _repeats(race, leader)
    yield from _second_chances(race, family, leader)


def _probes(race: Race, family: str) -> Iterator[Wish]:
    """A small trial of each learner, as long as a part of the share lasts; then how the champion's time grows."""
    if race.has_finals:
        return
    learners = [c for c in race.family(family) if c.name == c.learner]
    if race.counted:  # nothing is to be learnt of time, and of the order only where two can be compared
        several = learners[: int(race.share * COUNTED_PROBES_SHARE)]
        learners = several if len(several) > 1 else []
    for contender in learners:
        yield Wish(contender, "probe", race.probe_rows, 0, race.probe_seed)
        if not race.counted and _probes_spent(race, family) > PROBES_SHARE * race.share:
            break
    champion = race.champion(family)
    if champion is not None and not race.counted:
        if race.plan.largest >= 8 * race.probe_rows:
            yield Wish(champion, "probe", 4 * race.probe_rows, 0, race.probe_seed)
        elif race.plan.largest >= 4 * race.probe_rows and not race.fits_all(champion):
            yield Wish(champion, "probe", 2 * race.probe_rows, 0, race.probe_seed)


def _probes_spent(race: Race, family: str) -> float:
    """Seconds of a family's probes, with another like those so far."""
    count = sum(t.family == family for t in race.evidence.trials)
    return race.spent(family) * (count + 1) / max(count, 1)


def _probed(race: Race) -> bool:
    """Whether both families have said how fast they are: the finals' size hangs on the slower one."""
    wishes = [wish for family in FAMILIES for wish in _probes(race, family)]
    return all((w.contender.name, w.n_train, w.fold, w.seed) in race.done for w in wishes)


def _finals(race: Race, contender: Contender, folds: int, purpose: str) -> Iterator[Wish]:
    for fold in range(folds):
        yield Wish(contender, purpose, race.size or 0, fold, race.seed(fold), urgent=fold < race.fewest_folds)


def _low_ladder(race: Race, contender: Contender) -> Iterator[Wish]:
    """The cheap rungs, once each: where challengers are compared with it."""
    for divisor in SCREEN:
        if (race.size or 0) // divisor >= race.plan.smallest:
            yield Wish(contender, "ladder", race.rung(divisor), 0, race.seed(0))


def _ladder(race: Race, contender: Contender) -> Iterator[Wish]:
    """All rungs below the finals, and a second draw of the cheap ones."""
    yield from _low_ladder(race, contender)
    yield Wish(contender, "ladder", race.rung(2), 0, race.seed(0))
    for divisor in SCREEN[::-1]:
        if (race.size or 0) // divisor >= race.plan.smallest:
            yield Wish(contender, "ladder", race.rung(divisor), 1, race.seed(1))


def _breadth(race: Race, family: str) -> Iterator[Wish]:
    """Every other learner runs a final where that is cheap, or climbs the small rungs; the promising ones run the
    finals, at once where one is likely to win: a dear learner's rungs would leave it no time."""
    others = [c for c in race.family(family) if c.name == c.learner and not race.failed(c)]
    leader = race.leader(family)
    for contender in _much_cheaper_first(race, others):
        yield from _first_look(race, contender, "breadth", SCREEN, AT_ONCE)
        if leader is not None and _need_not_wait(race, leader, contender):
            yield from _challenge(race, family, contender)
    for contender in sorted(others, key=lambda c: standing(race, family, c)):
        yield from _challenge(race, family, contender)


def _much_cheaper_first(race: Race, contenders: Sequence[Contender]) -> list[Contender]:
    """By priority; but where there is a clock, after those whose final takes much less: who waits for the cheap loses
    little, who waits for the dear may have no time left."""
    if race.counted:
        return list(contenders)
    seconds = [race.seconds_for(contender, race.size or 0) for contender in contenders]
    order: list[int] = []
    for place in range(len(contenders)):
        cheap = (later for later in range(place, len(contenders)) if seconds[later] < MUCH_CHEAPER * seconds[place])
        order += [each for each in (*cheap, place) if each not in order]
    return [contenders[place] for place in order]


def _need_not_wait(race: Race, leader: Contender, contender: Contender) -> bool:
    """Whether a challenger may run its finals before the others have had their first look."""
    hope = chance(race, leader, contender)
    missing = race.finals(leader) - race.finals(contender)
    cheap = missing * race.seconds_for(contender, race.size or 0) <= CHEAP_CHALLENGE * race.share
    return hope > LIKELY or (hope > POSSIBLE and cheap and not race.counted)


def _screen(race: Race, contender: Contender, purpose: str, divisors: Sequence[int]) -> Iterator[Wish]:
    for divisor in divisors:
        yield Wish(contender, purpose, race.rung(divisor), 0, race.seed(0))
    yield Wish(contender, purpose, race.rung(divisors[-1]), 1, race.seed(1))


def _challenge(race: Race, family: str, contender: Contender) -> Iterator[Wish]:
    """Finals on as many folds as the leader has, all or none, as long as it may still win."""
    leader = race.leader(family)
    if leader is None or contender.name == leader.name or chance(race, leader, contender) < DROP_BELOW:
        return
    folds = max(race.finals(leader), 1)
    missing = folds - race.finals(contender)
    for fold in range(folds):
        yield Wish(contender, "final", race.size or 0, fold, race.seed(fold), together=max(missing, 1))


def _close_rivals(race: Race, family: str, leader: Contender) -> Iterator[Wish]:
    """Who already ran finals gets the folds that the leader got since, so that it can still be picked."""
    for contender in race.family(family):
        if contender.name != leader.name and race.finals(contender) >= 1:
            yield from _challenge(race, family, contender)


def _reseeds(race: Race, leader: Contender) -> Iterator[Wish]:
    """The same training rows with other seeds: how much is luck."""
    if leader.deterministic:
        return
    for fold, repeat in ((0, 1), (1, 1), (0, 2), (1, 2)):
        if fold < race.most_folds:
            yield Wish(leader, "seed", race.rung(4), fold, race.seed(fold) + RESEED * repeat)


def _repeats(race: Race, leader: Contender) -> Iterator[Wish]:
    """When there is nothing left to search: the leader's finals again with other seeds, which narrows its interval."""
    for repeat in () if leader.deterministic else range(1, 4):
        for fold in range(race.finals(leader)):
            yield Wish(leader, "seed", race.size or 0, fold, race.seed(fold) + RESEED * repeat)


def _second_chances(race: Race, family: str, leader: Contender) -> Iterator[Wish]:
    """When there is nothing left at all: whom one stretch of time threw out gets the others, the nearest first."""
    if race.plan.splitting != "time":
        return
    begun = [c for c in race.family(family) if c.name == c.learner and 0 < race.finals(c) < race.finals(leader)]
    for contender in sorted(begun, key=lambda c: standing(race, family, c)):
        yield from _finals(race, contender, race.finals(leader), "final")


def _search(race: Race, family: str) -> Iterator[Wish]:
    """Variants of the learners that stand best, looked at once, then challenging."""
    out = {name for name, _ in _dropped(race)}
    base = [c for c in race.family(family) if c.name == c.learner and c.name not in out and not race.failed(c)]
    ranked = [c.learner for c in sorted(base, key=lambda c: standing(race, family, c))]
    variants = [c for c in race.family(family) if c.name != c.learner and not race.failed(c)]
    waves: dict[int, list[Contender]] = {}
    for place, learner in enumerate(ranked):
        for index, variant in enumerate(c for c in variants if c.learner == learner):
            # The second-best learner's search begins two variants later.
            waves.setdefault(index + 2 * place, []).append(variant)
    for _, wave in sorted(waves.items()):
        for contender in wave:
            yield from _first_look(race, contender, "search", SCREEN[-1:], VARIANT_AT_ONCE)
        for contender in wave:
            if _screened(race, contender):
                yield from _challenge(race, family, contender)


def _first_look(
    race: Race, contender: Contender, purpose: str, divisors: Sequence[int], at_once: float
) -> Iterator[Wish]:
    """A challenger's first trials: on the small rungs; a final where that takes no more than half of these, than what
    is left of these, or than this part of the share."""
    screen = tuple(_screen(race, contender, purpose, divisors))
    took = [race.seconds_for(contender, wish.n_train) for wish in screen]
    done = [(wish.contender.name, wish.n_train, wish.fold, wish.seed) in race.done for wish in screen]
    left = sum(own for own, over in zip(took, done, strict=True) if not over)
    worth = max(at_once * race.share, left, sum(took) / 2)
    seconds = race.seconds_for(contender, race.size or 0)
    if (not race.counted and math.isfinite(seconds) and seconds <= worth) or race.finals(contender):
        yield Wish(contender, "final", race.size or 0, 0, race.seed(0))
    else:
        yield from screen


def _screened(race: Race, contender: Contender) -> bool:
    return any(t.status in FINISHED for t in race.trials(contender.name))


def dropped(evidence: Evidence) -> list[tuple[str, float]]:
    """Contenders that climbed their rungs, or ran first finals, and will run no more: their chance to beat their
    family's leader."""
    return _dropped(Race(evidence))


def _dropped(race: Race) -> list[tuple[str, float]]:
    out = []
    for family in FAMILIES if race.has_finals else ():
        leader = race.leader(family)
        for contender in race.family(family):
            if leader and contender.name != leader.name and _looked_at(race, leader, contender):
                probability = chance(race, leader, contender)
                if probability < DROP_BELOW:
                    out.append((contender.name, probability))
    return out


def _looked_at(race: Race, leader: Contender, contender: Contender) -> bool:
    """Whether its first look is over, and the leader has finals that it has not."""
    climbed = len({t.n_train for t in race.trials(contender.name) if t.purpose != "final"})
    enough = len(SCREEN) if contender.name == contender.learner else 1
    finals = race.finals(contender)
    return finals < race.finals(leader) and (finals > 0 or climbed >= enough)


def _order(race: Race, wish: Wish, left: float) -> Order:
    plan, contender = race.plan, wish.contender
    limit = None if race.counted else _limit_seconds(race, wish, left)
    final = wish.purpose == "final"
    return Order.of(
        plan,
        contender,
        lanes=plan.lanes,
        number=next_number(race.evidence.trials, race.running),
        purpose=wish.purpose,
        n_train=wish.n_train,
        fold=wish.fold,
        seed=wish.seed,
        limit_seconds=limit,
        kill_seconds=None if limit is None else limit + GRACE_SECONDS + _answering_seconds(race, contender, limit),
        threads=threads_in_lane(plan, wish.n_train),
        keep=final and contender.family in FAMILIES,
        one_row_seconds=_one_row_seconds(wish) if final else 0.0,
    )


def _answering_seconds(race: Race, contender: Contender, limit: float) -> float:
    """What answering may take after a fit: twice the longest so far; of a learner that never ended as long as the fit,
    for some answer as slowly as they learn."""
    return limit if race.law_of(contender) is None else 2 * race.predict_seconds(contender)


def _one_row_seconds(wish: Wish) -> float:
    """Of a learner's first final; of a variant's second one, which few reach, and shortly: there are many of them."""
    if wish.contender.name == wish.contender.learner:
        return ONE_ROW_SECONDS if wish.fold == 0 else 0.0
    return VARIANT_ONE_ROW_SECONDS if wish.fold == 1 else 0.0


def threads_in_lane(plan: Plan, n_train: int) -> int:
    """Of a trial that has its lane's part of the cores: one for few rows, where more only spin."""
    return max(plan.threads // plan.lanes, 1) if n_train >= THREADS_PAY_FROM_ROWS else 1


def _limit_seconds(race: Race, wish: Wish, left: float) -> float:
    """The soft deadline: what the planned finals leave to each of them; three times the prediction otherwise."""
    expected = race.seconds_for(wish.contender, wish.n_train)
    if wish.purpose in ("baseline", "probe") or math.isinf(expected):
        limit = PROBE_SHARE * race.share + 0.5
    elif wish.purpose == "final" and race.finals(wish.contender) < race.fewest_folds:
        each = 0.9 * left / (race.fewest_folds - race.finals(wish.contender))
        limit = max(each - race.predict_seconds(wish.contender), each / 2)  # a fit's deadline: its answers come on top
    else:
        limit = 3 * expected + 1
    available = max(race.seconds_left, 0.5)
    return max(min(limit, max(left, 0.5), available), 0.3)
