"""Holding: a customer joins an account that others hold already, or leaves it.

In: a turn, a `Snapshot` or a `Departure` made by `Links`. Out: the record changed.
Invariant: nobody is told because they joined or left. What holds at that instant counts as said;
timers whose instant has passed are spent; from then on rules look as always. Of an account that was
left nothing remains but the customer's own features.
Source: docs/decisions/0001-where-the-design-was-silent.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from belfry.engine import alerts, decide, series
from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.events import Departure, Snapshot
from belfry.engine.instants import NEVER
from belfry.engine.program.build import RuleCode
from belfry.engine.reasons import Reason
from belfry.engine.record import SEPARATOR, TimerEntry, joined
from belfry.engine.rulebook.model import Rule
from belfry.engine.segments import settle_segments
from belfry.engine.sight import Sight, keys_of, of_key
from belfry.engine.timers import arm_calendar, arm_key, arm_moment
from belfry.engine.turn import Turn, holds

KINDS = ("account", "card", "loan")
Keys = Mapping[str, list[str]]


def join(turn: Turn, event: Snapshot) -> None:
    """The record gets the account, its cards and loans as they are known."""
    record = turn.record
    entities = turn.program.book.event_types.entities
    keys: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for fact in event.facts:
        kind = fact["type"]
        key = fact[f"{kind}_id"]
        getattr(record, f"{kind}s")[key] = _entity(entities[kind], fact)
        keys[kind].append(key)
    _arm(turn, keys)
    _look_silently(turn, {**keys, "customer": [record.customer_id]})


def leave(turn: Turn, event: Departure) -> None:
    """The account goes, with its cards and loans and all that was kept or under way for them."""
    record, account_id = turn.record, event.account_id
    assert account_id is not None
    gone: dict[str, list[str]] = {"account": [account_id], "customer": []}
    for kind in ("card", "loan"):
        many = getattr(record, f"{kind}s")
        gone[kind] = [key for key, one in many.items() if one.account_id == account_id]
    _drop_candidates(turn, account_id, gone)
    _drop_state(turn, gone)
    for kind in KINDS:
        for key in gone[kind]:
            getattr(record, f"{kind}s").pop(key, None)
    if account_id in record.leads:
        record.leads.remove(account_id)
    _look_silently(turn, {"customer": [record.customer_id]})


def _entity(kind: type[Any], fact: Mapping[str, Any]) -> Any:
    """A field that the rulebook no longer has, or has with another type, is left out."""
    entity = kind()
    for name in kind.__struct_fields__:
        if name in fact:
            try:
                one = msgspec.convert({name: fact[name]}, kind, strict=False)
            except msgspec.ValidationError:
                continue
            setattr(entity, name, getattr(one, name))
    return entity


# --- joining --------------------------------------------------------------------------------------
def _arm(turn: Turn, keys: Keys) -> None:
    """Timers of the new keys, and the customer's own that hang on them; only instants to come."""
    record = turn.record
    before = {name: entry.moment for name, entry in record.timers.items()}
    for by in KINDS:
        for key in keys[by]:
            arm_key(turn, by, key)
    for by in KINDS:
        for rule in turn.program.types[by].moments:
            if rule.by == "customer":
                arm_moment(turn, rule, record.customer_id)
        for rule in turn.program.types[by].sleepers:
            for key in keys_of(record, rule.by):
                arm_calendar(turn, rule, key)
    for name, entry in list(record.timers.items()):
        if not entry.moment or before.get(name) == entry.moment:
            continue
        ahead = [due for due in (entry.due, *entry.rest) if due > turn.now]
        if len(ahead) != 1 + len(entry.rest):
            due = ahead[0] if ahead else NEVER
            set_timer(record, name, TimerEntry(due, entry.moment, ahead[1:]))


def _look_silently(turn: Turn, keys: Keys) -> None:
    """Rules that watch the state, and segments: what holds now is noted, and nobody hears of it."""
    names = [name for kind in KINDS for name in turn.program.types[kind].segments]
    settle_segments(turn, list(dict.fromkeys(names)))
    turn.derived.clear()
    for rule in _watching(turn):
        code = turn.program.rules[rule.id]
        for key in keys.get(rule.by, ()):
            _look(turn, code, of_key(turn.record, rule.by, key, turn.now), key)


def _watching(turn: Turn) -> Iterable[Rule]:
    found: dict[str, Rule] = {}
    for kind in KINDS:
        plan = turn.program.types[kind]
        for rule in (*plan.direct, *plan.spread, *plan.tiered):
            if rule.trigger == "change":
                found[rule.id] = rule
    return [found[name] for name in sorted(found)]


def _look(turn: Turn, code: RuleCode, sight: Sight, key: str) -> None:
    rule = code.rule
    alert = turn.record.alerts.get(alerts.alert_key(rule.id, key))
    if alert is not None and alert.phase != "armed":
        if alerts.is_over(turn, code, alert, sight):
            alerts.resolve(turn, alert)
        return
    tiers: list[tuple[int, Decimal | None]] = [*enumerate(rule.tiers)] or [(-1, None)]
    for index, tier in reversed(tiers):
        sight.tier = tier
        if holds(turn, code.fires, sight, rule):
            _note(turn, rule, key, index)
            return


def _note(turn: Turn, rule: Rule, key: str, tier: int) -> None:
    """As if it had fired; `for` begins to run: it is what comes of having held from now on."""
    alert = alerts.alert_of(turn, rule, key)
    alert.phase = "firing" if rule.for_ is None else "pending"
    alert.since, alert.asked, alert.cause, alert.tier = turn.now, 0, "", tier
    alerts.go_live(turn, rule, key)
    if rule.for_ is not None:
        set_timer(turn.record, joined("for", rule.id, key), TimerEntry(turn.now + rule.for_))


# --- leaving --------------------------------------------------------------------------------------
def _drop_candidates(turn: Turn, account_id: str, gone: Keys) -> None:
    record, rules = turn.record, turn.program.book.rules
    waiting = [one for many in record.waiting.values() for one in many]
    open_ = [*waiting, *record.held.values()]
    for candidate in [*open_, *(out.candidate for out in record.outgoing.values())]:
        rule = rules.get(candidate.rule)
        is_of_key = rule is not None and candidate.key in gone[rule.by]
        if not is_of_key and candidate.by_account != account_id:
            continue
        if candidate in open_:
            decide.drop(turn, candidate, Reason.NOT_HOLDER)
        else:
            candidate.void = Reason.NOT_HOLDER


def _drop_state(turn: Turn, gone: Keys) -> None:
    """Alerts, timers, windows, series, chains and absences of these keys."""
    record, book = turn.record, turn.program.book
    series.forget(turn, gone)

    def is_gone(owner: str, key: str) -> bool:
        found = book.rules.get(owner) or book.features.get(owner)
        return found is not None and key in gone[found.by]

    for name, alert in list(record.alerts.items()):
        if is_gone(alert.rule, alert.key):
            alerts.resolve(turn, alert)
            record.alerts.pop(name, None)
    for many, parts in ((record.chains, 2), (record.windows, 2), (record.matched, 3)):
        for name in list(_of_keys(many, parts)):
            if is_gone(*name.split(SEPARATOR)[-2:]):
                del many[name]
    for name in list(_of_keys(record.timers, 3)):
        kind, owner, key = name.split(SEPARATOR)
        if kind in ("timer", "for", "repeat", "wake") and is_gone(owner, key):
            drop_timer(record, name)


def _of_keys(names: Iterable[str], parts: int) -> Iterator[str]:
    """Names of so many parts: those of one key."""
    return (name for name in names if name.count(SEPARATOR) == parts - 1)
