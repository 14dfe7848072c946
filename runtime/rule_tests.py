"""Runs the tests that stand inside rules: facts given, events in order, decisions expected.

In: a rulebook. Out: one `Result` per test, with what differed.
A test sees its own rule and those that inhibit, replace or feed it, so that other rules can't
disturb it.
Unless `given` says otherwise the customer C1 has account A1, card K1, loan L1, a verified contact
of every kind
and consent to every purpose.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from belfry.engine.decisions import Attempt, Decision, Outcome
from belfry.engine.events import ENTITIES, Answer
from belfry.engine.faults import Place
from belfry.engine.program import Program, build_program
from belfry.engine.reasons import Outcome as Verdict
from belfry.engine.record import Record
from belfry.engine.rulebook.model import Rule, Rulebook, RuleTest
from belfry.runtime.host import MemoryHost, accept_all, in_time_order

IDS = {"customer": "C1", "account": "A1", "card": "K1", "loan": "L1"}
CONTACTS = (
    {"kind": "mobile", "address": "+8613800138000"},
    {"kind": "email", "address": "customer@example.com"},
    {"kind": "device", "address": "device-token"},
    {"kind": "landline", "address": "+861065529988"},
)
OUTCOMES = {"send", "hold", "task", "emit", "suppress"}
SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Result:
    """One test. `faults` empty: it passed."""

    rule: str
    test: str
    place: Place
    faults: tuple[str, ...]


class BadTest(ValueError):  # noqa: N818  (reads as what it is)
    """The test itself can't be run: a field of a wrong type, an instant that is none."""


def run_tests(book: Rulebook, only: frozenset[str] = frozenset()) -> Iterator[Result]:
    """All tests of the rulebook, or of some rules."""
    for rule in book.rules.values():
        if only and rule.id not in only:
            continue
        if not rule.tests:
            continue
        program = build_program(related_book(book, rule))
        for test in rule.tests:
            yield Result(rule.id, test.name, test.place, tuple(run_test(program, rule, test)))


def related_book(book: Rulebook, rule: Rule) -> Rulebook:
    """The rule with those that inhibit it, replace it, or make the events it waits for."""
    wanted = {rule.id, *rule.supersedes, *rule.inhibits}
    waits = set(rule.events) | {
        e for s in (rule.sequence.steps if rule.sequence else ()) for e in s.events
    }
    for other in book.rules.values():
        makes = other.emit is not None and other.emit.event in waits
        if makes or rule.id in other.inhibits or rule.id in other.supersedes:
            wanted.add(other.id)
    return dataclasses.replace(book, rules={i: r for i, r in book.rules.items() if i in wanted})


def run_test(program: Program, rule: Rule, test: RuleTest) -> list[str]:
    """What differs from the expectation; empty if nothing."""
    try:
        events = list(_events(program.book, rule, test))
        expected = [_expectation(one) for one in test.expect]
        until = _instant(test.until) if test.until is not None else None
    except BadTest as bad:
        return [str(bad)]
    ends = [event.time for event in events] + [one["at"] for one in expected]
    decisions = _decide(program, rule, events, until or max(ends))
    named = {one["value"] for one in expected if one["outcome"] == "suppress"}
    got = [d for d in decisions if d.outcome != Verdict.SUPPRESS or d.reason in named]
    return _differences(expected, got, decisions)


def attempts_in(program: Program, rule: Rule, test: RuleTest) -> list[Attempt]:
    """What the rule hands to providers while the test runs. Raises `BadTest`."""
    events = list(_events(program.book, rule, test))
    expected = [_expectation(one)["at"] for one in test.expect]
    until = _instant(test.until) if test.until is not None else None
    attempts: list[Attempt] = []

    def deliver(attempt: Attempt) -> Answer:
        attempts.append(attempt)
        return accept_all(attempt)

    ends = [event.time for event in events] + expected
    _decide(program, rule, events, until or max(ends), deliver)
    return [one for one in attempts if one.rule == rule.id]


def _decide(
    program: Program,
    rule: Rule,
    events: list[Any],
    until: dt.datetime,
    deliver: Callable[[Attempt], Answer] = accept_all,
) -> list[Decision]:
    found: list[Decision] = []

    def listen(record: Record, event: Any, outcome: Outcome) -> None:
        found.extend(d for d in outcome.decisions if d.rule == rule.id)

    host = MemoryHost(program, deliver, listen)
    for event in in_time_order(events):
        if not host.accept(event):
            raise AssertionError(f"nobody holds the account of {event.id}")
    host.run_until(until)
    host.close_arbitration()
    return found


def _differences(
    expected: list[dict[str, Any]], got: list[Decision], all_: list[Decision]
) -> list[str]:
    faults = []
    for number in range(max(len(expected), len(got))):
        want = _show_expected(expected[number]) if number < len(expected) else "nothing more"
        have = _show(got[number]) if number < len(got) else "nothing more"
        if number < len(expected) and number < len(got) and _matches(expected[number], got[number]):
            continue
        faults.append(f"expected {want}, got {have}")
    if faults:
        faults += [f"  {_show(one)}" for one in all_] or ["  the rule never fired"]
    return faults


def _matches(want: dict[str, Any], have: Decision) -> bool:
    if want["outcome"] != have.outcome or want["at"] != have.at:
        return False
    if want["until"] is not None and want["until"] != have.send_at:
        return False
    value = want["value"]
    if value is None:
        return True
    return bool(value == (have.channel if have.outcome == Verdict.SEND else have.reason)) or (
        have.outcome in (Verdict.TASK, Verdict.EMIT)
    )


def _show(one: Decision) -> str:
    word = one.channel if one.outcome == Verdict.SEND else one.reason
    later = (
        f" until {one.send_at.isoformat()}" if one.outcome == Verdict.HOLD and one.send_at else ""
    )
    return f"{one.at.isoformat()} {one.outcome} {word}{later}"


def _show_expected(one: dict[str, Any]) -> str:
    return f"{one['at'].isoformat()} {one['outcome']} {one['value']}"


def _expectation(one: Mapping[str, object]) -> dict[str, Any]:
    outcome = next((name for name in one if name in OUTCOMES), None)
    if outcome is None or "at" not in one:
        msg = f"an expectation needs `at` and one of {', '.join(sorted(OUTCOMES))}: {dict(one)}"
        raise BadTest(msg)
    until = one.get("until")
    return {
        "at": _instant(one["at"]),
        "outcome": outcome,
        "value": None if one[outcome] in (True, "true") else one[outcome],
        "until": None if until is None else _instant(until),
    }


def _instant(word: object) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(str(word))
    except ValueError:
        msg = f'not an instant: {word!r}; write it as "2026-03-02T10:00:00+08:00"'
        raise BadTest(msg) from None
    if found.tzinfo is None:
        msg = f'instant without offset: {word!r}; write it as "2026-03-02T10:00:00+08:00"'
        raise BadTest(msg)
    return found.astimezone(dt.UTC)


def _events(book: Rulebook, rule: Rule, test: RuleTest) -> Iterator[Any]:
    given: dict[str, Any] = dict(test.given)
    times = [_instant(one["at"]) for one in test.events if "at" in one]
    ends = times + [_instant(one["at"]) for one in test.expect if "at" in one]
    if "at" in given:
        start = _instant(given.pop("at"))
    elif ends:
        start = min(ends) - SECOND
    else:
        raise BadTest("a test without events needs `given: {at: …}`")
    for number, fields in enumerate(_given(book, rule, given), 1):
        yield _event(book, {"id": f"given-{number}", "time": start, **fields})
    for number, one in enumerate(test.events, 1):
        fields = {name: value for name, value in one.items() if name != "at"}
        if "at" not in one or "type" not in fields:
            raise BadTest(f"event {number} needs `at` and `type`")
        yield _event(
            book,
            {"id": f"event-{number}", "time": _instant(one["at"]), **_subject(rule, given, fields)},
        )


def _given(book: Rulebook, rule: Rule, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    customer = IDS["customer"]
    yield {"type": "customer", "customer_id": customer, **given.get("customer", {})}
    holders = [{"customer_id": customer, "role": "owner"}]
    yield {"type": "account", "account_id": IDS["account"], "holders": holders,
           **given.get("account", {})}  # fmt: skip
    for kind in ("card", "loan"):
        if kind in given or rule.by == kind:
            yield {"type": kind, f"{kind}_id": IDS[kind], "account_id": IDS["account"],
                   **given.get(kind, {})}  # fmt: skip
    for contact in given.get("contacts", CONTACTS):
        defaults = {"verified": True, "primary": True}
        yield {"type": "contact", "customer_id": customer, **defaults, **contact}
    purposes = sorted({c.purpose for c in book.policies.classes.values() if c.purpose})
    all_given = [{"purpose": purpose, "given": True} for purpose in purposes]
    for consent in given.get("consents", all_given):
        yield {"type": "consent", "customer_id": customer, "given": True, **consent}
    for preference in _listed(given.get("preferences", given.get("preference", []))):
        yield {"type": "preference", "customer_id": customer, **preference}
    for plural, kind in (("accounts", "account"), ("cards", "card"), ("loans", "loan")):
        for one in _listed(given.get(plural, [])):
            extra = {"holders": holders} if kind == "account" else {"account_id": IDS["account"]}
            yield {"type": kind, **extra, **one}


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [value] if isinstance(value, Mapping) else list(value)


def _subject(rule: Rule, given: Mapping[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Whom an event is about when the test does not say: the only customer, account, card, loan."""
    if any(f"{kind}_id" in fields for kind in ENTITIES):
        return fields
    kind = str(fields["type"])
    found = {"customer_id": IDS["customer"]} if kind not in ("account", "transaction") else {}
    if kind in ("account", "transaction", "card", "loan"):
        found["account_id"] = IDS["account"]
    for entity in ("card", "loan"):
        if kind == entity or ((rule.by == entity or entity in given) and kind == "transaction"):
            found[f"{entity}_id"] = IDS[entity]
    if kind in ("card", "loan"):
        found.pop("customer_id", None)
    return {**found, **fields}


def _event(book: Rulebook, fields: dict[str, Any]) -> Any:
    struct = book.event_types.structs.get(str(fields["type"]))
    if struct is None:
        msg = f"unknown event type {fields['type']!r}"
        raise BadTest(msg)
    unknown = [n for n in fields if n != "type" and n not in struct.__struct_fields__]
    if unknown:
        msg = f"{fields['type']} has no field {unknown[0]!r}"
        raise BadTest(msg)
    try:
        return msgspec.convert(fields, struct, strict=False)
    except (msgspec.ValidationError, ArithmeticError) as error:
        msg = f"event {fields['id']}: {error}"
        raise BadTest(msg) from None
