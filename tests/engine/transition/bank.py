"""A small bank for tests of the transition: rules as text, events as fields.

In: YAML of rules and policies; events with `at`, `type` and fields. Out: what was decided, in
order.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from belfry.engine.decisions import Attempt, Decision, Outcome
from belfry.engine.events import Answer
from belfry.engine.program import Program, build_program
from belfry.engine.record import Record
from belfry.engine.rulebook.load import load_rulebook
from belfry.runtime.host import MemoryHost, in_time_order

ZONE = "+08:00"
POLICIES = """
bank: {time_zone: Asia/Shanghai, language: zh, currency: CNY, country: CN}
quiet_hours:
- {classes: [service, advice, marketing], from: "21:00", to: "08:00", channels: [sms]}
caps:
- {name: marketing_week, classes: [marketing], limit: 1, window: 7d}
- {name: sms_day, channels: [sms], limit: 2, window: calendar_day}
"""
CONTACTS = (("mobile", "+8613800138000"), ("device", "token"), ("email", "c@bank.example"))


def program_of(*rules: str, shared: str = "", policies: str = POLICIES) -> Program:
    """The program of some rules; each text is one rule file."""
    files = {f"rules/{i}.yaml": text.encode() for i, text in enumerate(rules)}
    files |= {"policies/all.yaml": policies.encode(), "shared.yaml": shared.encode()}
    book, faults = load_rulebook({name: text for name, text in files.items() if text.strip()})
    assert book is not None, "\n".join(map(str, faults))
    return build_program(book)


def facts(
    customer: str = "C1", account: str = "A1", *, consents: bool = True
) -> list[dict[str, Any]]:
    """A customer with an account, contacts and consents, known since the first of March."""
    at = "2026-03-01T00:00:00"
    found: list[dict[str, Any]] = [
        {"at": at, "type": "customer", "customer_id": customer},
        {
            "at": at,
            "type": "account",
            "account_id": account,
            "holders": [{"customer_id": customer, "role": "owner"}],
        },
    ]
    for kind, address in CONTACTS:
        found.append(
            {
                "at": at,
                "type": "contact",
                "customer_id": customer,
                "kind": kind,
                "address": address,
                "verified": True,
                "primary": True,
            }
        )
    if consents:
        found += [
            {"at": at, "type": "consent", "customer_id": customer, "purpose": p, "given": True}
            for p in ("service", "advice", "marketing")
        ]
    return found


def spend(at: str, amount: float, *, balance: float | None = None, **more: Any) -> dict[str, Any]:
    """A debit on A1."""
    found: dict[str, Any] = {"at": at, "type": "transaction", "account_id": "A1", "amount": amount}
    found |= {"direction": "debit", **more}
    return found if balance is None else found | {"balance": balance}


class Bank:
    """A program with a host in memory. `decisions` and `attempts` grow as events come."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.decisions: list[Decision] = []
        self.attempts: list[Attempt] = []
        self.outcomes: list[Outcome] = []
        self.answers: dict[str, str] = {}
        self.taken: list[Any] = []
        self.host = MemoryHost(program, self._deliver, self._listen)
        self._number = 0

    def take(self, *events: dict[str, Any]) -> Bank:
        """Events in order of time."""
        for event in in_time_order(self.event(fields) for fields in events):
            assert self.host.accept(event), event
        return self

    def event(self, fields: dict[str, Any]) -> Any:
        """One event; `at` without an offset is local."""
        self._number += 1
        fields = {"id": f"e{self._number}", **fields}
        fields["time"] = instant(fields.pop("at"))
        struct = self.program.book.event_types.structs[fields["type"]]
        event = msgspec.convert(fields, struct, strict=False)
        self.taken.append(event)
        return event

    def switch(self, program: Program, at: str) -> Bank:
        """Another rulebook from this instant on."""
        self.host.switch(program, instant(at))
        self.program = program
        return self

    def until(self, at: str) -> Bank:
        """Let timers fire up to and including this instant, then close what is open."""
        self.host.run_until(instant(at))
        self.host.close_arbitration()
        return self

    def told(self, rule: str | None = None) -> list[tuple[str, str, str, str]]:
        """(local time, rule, outcome, channel or reason) of each decision."""
        return [
            (
                d.at.strftime("%m-%d %H:%M"),
                d.rule,
                str(d.outcome),
                str(d.channel if d.outcome == "send" else d.reason),
            )
            for d in self.decisions
            if rule in (None, d.rule)
        ]

    def record(self, customer: str = "C1") -> Record:
        """What is kept of a customer."""
        return self.host.records[customer]

    def _deliver(self, attempt: Attempt) -> Answer:
        self.attempts.append(attempt)
        result: Any = self.answers.get(attempt.attempt_id, self.answers.get("", "accepted"))
        name = f"{attempt.attempt_id}-answer"
        return Answer(id=name, time=attempt.at, attempt_id=attempt.attempt_id, result=result)

    def _listen(self, record: Record, event: Any, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.decisions += outcome.decisions


def instant(at: str) -> dt.datetime:
    """Local time of the bank, as UTC."""
    text = at if "+" in at else at + ZONE
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
