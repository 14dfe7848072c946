"""Migrate: a record that an older rulebook left behind becomes one of the new rulebook.

In: the new program, a record, the edits, the instant from which the new rulebook counts. Out: the
record changed, and an outcome with a decision for each candidate that had to go.
Invariant: pure and deterministic; nobody is told because of an edit. With the same rulebook nothing
happens.
Source: docs/decisions/0006-rule-edits.md.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec.structs import asdict
from msgspec.structs import fields as fields_of

from belfry.engine import series
from belfry.engine.agenda import arm_wake, drop_timer, set_timer, settle_next_due
from belfry.engine.decisions import Decision, Outcome, derived_id
from belfry.engine.edits import Edit, Edits, Effect
from belfry.engine.instants import start_of
from belfry.engine.program.build import Program
from belfry.engine.rearm import arm_anew, arm_campaign, arm_missing
from belfry.engine.reasons import Outcome as Verdict
from belfry.engine.reasons import Reason
from belfry.engine.reassess import fit_tier, reassess
from belfry.engine.record import SEPARATOR, Candidate, Record, TimerEntry, joined
from belfry.engine.recorded import recorded
from belfry.engine.rulebook.model import Rule
from belfry.engine.segments import restate_segment
from belfry.engine.turn import Turn, local_zone

OF_RULES = frozenset({"campaign", "for", "repeat", "timer"})  # kinds of timers with a rule's id
LONGEST = {"day": 1, "week": 7, "month": 31, "year": 366}  # days after which each has begun anew


def migrate(program: Program, record: Record, edits: Edits, now: dt.datetime) -> Outcome:
    """Bring the record to the program's rulebook. `now` never lies before the record's last event.

    Hosts do this for every record, at the instant of the switch: a record that nobody touches has
    timers of new rules, too.
    """
    if record.rulebook == program.book.hash:
        return Outcome()
    record.rulebook = program.book.hash
    _renew_entities(program, record)
    if record.latest is None:
        return Outcome()
    turn = Turn(program, record, max(now, record.latest))
    _leave(turn, edits)
    _renew_windows(turn, edits)
    series.renew(turn)
    _wait(turn, edits)
    _renew_segments(turn, edits)
    for name, edit in edits.touched.items():
        code = program.rules[name]
        rule = code.rule
        reassess(turn, code, edit)
        if rule.campaign is not None and (edit.is_new or "campaign" in edit.keys):
            arm_campaign(turn, code, is_new=edit.is_new)
        if rule.timer is not None and (edit.is_new or Effect.RE_ARMED in edit.effects):
            arm_anew(turn, code)
        elif rule.timer is not None:
            arm_missing(turn, code)
    settle_next_due(record)
    return Outcome("applied", decisions=turn.decisions, errors=turn.errors)


def _renew_entities(program: Program, record: Record) -> None:
    """Declared fields may have come or gone: the structs are the new rulebook's."""
    kinds = program.book.event_types.entities
    record.customer = _renewed(record.customer, kinds["customer"])
    for kind in ("account", "card", "loan"):
        entities = getattr(record, kind + "s")
        for key, entity in entities.items():
            entities[key] = _renewed(entity, kinds[kind])


def _renewed(entity: Any, kind: type[Any]) -> Any:
    if entity.__class__ is kind:
        return entity
    before = {field.name: field.type for field in fields_of(entity.__class__)}
    kept = {field.name for field in fields_of(kind) if before.get(field.name) == field.type}
    return kind(**{name: value for name, value in asdict(entity).items() if name in kept})


def _leave(turn: Turn, edits: Edits) -> None:
    """State of rules that are gone, or that begin anew. A cooldown goes on where the key does."""
    record, rules = turn.record, turn.program.book.rules
    begun = {name: edit for name, edit in edits.touched.items() if edit.is_new}

    def is_over(rule_id: str) -> bool:
        return rule_id not in rules or rule_id in begun

    _drop_candidates(turn, edits, begun)
    for name, alert in list(record.alerts.items()):
        if not is_over(alert.rule):
            continue
        del record.alerts[name]
        edit = begun.get(alert.rule)
        if edit is not None and "by" not in edit.keys and alert.told_at is not None:
            record.alerts[name] = type(alert)(alert.rule, alert.key, told_at=alert.told_at)
    record.live[:] = [
        name for name in record.live if (a := record.alerts.get(name)) and a.phase != "armed"
    ]
    for name in [name for name in record.chains if is_over(name.partition(SEPARATOR)[0])]:
        del record.chains[name]
    for name in [name for name in record.matched if is_over(name.split(SEPARATOR)[1])]:
        if name.startswith("absent") or name.split(SEPARATOR)[1] not in rules:
            del record.matched[name]
    for name in list(record.timers):
        kind, *rest = name.split(SEPARATOR)
        if kind not in OF_RULES:
            continue
        is_silent = kind == "repeat" and not is_over(rest[0]) and rules[rest[0]].repeat is None
        if is_silent or is_over(rest[0]):
            drop_timer(record, name)
    record.goals[:] = [
        goal for goal in record.goals if goal.rule in rules and rules[goal.rule].goal is not None
    ]


def _drop_candidates(turn: Turn, edits: Edits, begun: Any) -> None:
    """What waits or is held goes with its rule, and leaves a record; the others fit the new one."""
    record, rules = turn.record, turn.program.book.rules
    waiting = [one for many in record.waiting.values() for one in many]
    for candidate in [*waiting, *record.held.values()]:
        rule = rules.get(candidate.rule)
        if rule is not None and rule.notify is not None and candidate.rule not in begun:
            fit_tier(rule, candidate)
            continue
        for many in record.waiting.values():
            if candidate in many:
                many.remove(candidate)
        is_held = record.held.pop(candidate.message_id, None) is not None
        for name in [name for name in record.timers if _is_held_timer(name, candidate)]:
            drop_timer(record, name)
        reason = Reason.RULE_REMOVED if rule is None else Reason.RULE_CHANGED
        turn.decisions.append(_last_word(turn, edits, candidate, reason, is_held=is_held))
    for out in record.outgoing.values():
        if out.candidate.rule in rules:
            fit_tier(rules[out.candidate.rule], out.candidate)


def _is_held_timer(name: str, candidate: Candidate) -> bool:
    return bool(candidate.message_id) and name.split(SEPARATOR)[0::2] == [
        "held",
        candidate.message_id,
    ]


def _last_word(
    turn: Turn, edits: Edits, candidate: Candidate, reason: Reason, *, is_held: bool
) -> Decision:
    phase = "release" if is_held else "first"
    customer_id = turn.record.customer_id
    identity = (customer_id, candidate.rule, candidate.key, candidate.occurrence)
    return recorded(
        turn,
        candidate,
        derived_id("decision", *identity, Verdict.SUPPRESS, phase),
        Verdict.SUPPRESS,
        reason,
        at=turn.now if is_held else candidate.at,
        message_class=edits.classes.get(candidate.rule),
        channel=candidate.channel or None,
        message_id=candidate.message_id or None,
    )


def _renew_windows(turn: Turn, edits: Edits) -> None:
    """Windows of edited or removed features go; the others wake whoever reads them now."""
    record, features = turn.record, turn.program.book.features
    for name in list(record.windows):
        feature_name, _, key = name.partition(SEPARATOR)
        feature = features.get(feature_name)
        edit = edits.features.get(feature_name)
        if feature is None or (edit is not None and Effect.WARM_UP in edit.effects):
            del record.windows[name]
            drop_timer(record, joined("wake", feature_name, key))
        elif feature_name in turn.program.wakes:
            arm_wake(record, feature, key, record.windows[name], turn.now)


def _wait(turn: Turn, edits: Edits) -> None:
    """Until when rules and segments wait for windows that have to fill."""
    warming = turn.record.warming
    for name in [name for name, until in warming.items() if _is_done(turn, name, until)]:
        del warming[name]
    for name, edit in edits.touched.items():
        is_unwatched = edit.is_new or not edits.old
        until = _rule_waits(turn, edits, name, is_unwatched=is_unwatched)
        if until is not None:
            warming[name] = max(until, warming.get(name, until))
    for name, edit in edits.segments.items():
        until = max(_fills(turn, edits, edit), default=None)
        if until is not None:
            key = joined("segment", name)
            warming[key] = max(until, warming.get(key, until))
            set_timer(turn.record, key, TimerEntry(warming[key]))


def _is_done(turn: Turn, name: str, until: dt.datetime) -> bool:
    head, _, segment = name.partition(SEPARATOR)
    is_there = segment in turn.program.segments if segment else head in turn.program.book.rules
    return not is_there or (until <= turn.now and not segment)


def _rule_waits(turn: Turn, edits: Edits, name: str, *, is_unwatched: bool) -> dt.datetime | None:
    rule = turn.program.book.rules[name]
    until = _fills(turn, edits, edits.rules[name])
    if rule.absent is not None and is_unwatched:
        until.append(_watched_from(turn, rule))
    return max(until, default=None)


def _fills(turn: Turn, edits: Edits, edit: Edit) -> list[dt.datetime]:
    """When the windows that begin anew have filled once.

    With `at_least` a feature is unknown until it means something; without a window it counts from
    now on, and nobody can wait for that.
    """
    if Effect.WARM_UP not in edit.effects:
        return []
    features = turn.program.book.features
    names = [key.removeprefix("features.") for key in edit.keys if key.startswith("features.")]
    empty = [features[name] for name in names if edits.features[name].is_empty]
    return [
        turn.now + one.window
        for one in empty
        if one.entity is None and one.window is not None and not one.at_least
    ]


def _watched_from(turn: Turn, rule: Rule) -> dt.datetime:
    """The first instant that an absence can be sure of: what came before the edit was not noted."""
    assert rule.absent is not None
    since = rule.absent.since
    if not isinstance(since, str):
        return turn.now + since
    unit, tz = since.removesuffix("_start"), local_zone(turn)
    begun = start_of(unit, turn.now, tz)
    return start_of(unit, begun + dt.timedelta(days=LONGEST[unit], hours=2), tz)


def _renew_segments(turn: Turn, edits: Edits) -> None:
    """Gone ones go; new values of edited ones count at once and are no change."""
    record, segments = turn.record, turn.program.segments
    for name in [name for name in record.segments if name not in segments]:
        del record.segments[name]
        drop_timer(record, joined("segment", name))
    for name in segments:
        edit = edits.segments.get(name)
        is_edited = edit is None or Effect.KEPT not in edit.effects
        if is_edited and joined("segment", name) not in record.warming:
            restate_segment(turn, name)
