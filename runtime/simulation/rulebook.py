"""The rulebooks of the simulation: every message class, caps, quiet hours, timers, a life, a goal.

In: nothing. Out: `programs()`: the one that decides first, and another that is reloaded in flight;
`FAULTY`: files that must be refused.
Invariant: small enough that a naive reckoning can say what has to come out (`oracle`).
"""

from __future__ import annotations

from functools import lru_cache

from belfry.engine.program import Program, build_program
from belfry.engine.rulebook.load import load_rulebook

LARGE = 400  # above it the rule `large` speaks
FLOOR = 200  # below it the rule `low` speaks
DAILY = ("daily", "02:30")  # in the hour that a change of the clocks repeats or skips
FILES: dict[str, str] = {
    "policies/bank.yaml": """
bank: {time_zone: Europe/Berlin, language: en, currency: EUR, country: DE, lateness: 1h}
classes:
  security: {consent: none, quiet_hours: ignore, exempt_from_caps: true,
    counts_toward_caps: false, arbitration: 0s, unanswered: resend, holdout: never}
  regulatory: {consent: none, quiet_hours: respect, exempt_from_caps: true,
    counts_toward_caps: false, arbitration: 0s, unanswered: other_channel, holdout: never}
  service: {consent: opt_out, purpose: service, quiet_hours: respect, arbitration: 2s,
    unanswered: drop}
  advice: {consent: opt_in, purpose: advice, quiet_hours: respect, arbitration: 1m,
    unanswered: drop}
  marketing: {consent: opt_in, purpose: marketing, quiet_hours: respect, arbitration: 1m,
    unanswered: drop}
quiet_hours:
- {classes: [regulatory, service, advice, marketing], from: "21:00", to: "08:00"}
caps:
- {name: marketing_days, classes: [marketing], limit: 1, window: 2d}
- {name: service_day, classes: [service], limit: 4, window: calendar_day}
- {name: advice_hours, classes: [advice], limit: 2, window: 36h}
channels:
  sms: {contact: mobile, providers: [alpha, beta]}
  push: {contact: device, providers: [gamma]}
""",
    "templates/t/en.sms.txt": "Dear customer",
    "templates/t/en.push.txt": "Dear customer",
    "rules/alarm.yaml": """
rule: alarm
event: security
notify: {class: security, template: t, channels: [sms, push]}
""",
    "rules/terms.yaml": """
rule: terms
event: request
when: step == "opened"
notify: {class: regulatory, template: t, channels: [sms], expires: 3d}
""",
    "rules/large.yaml": f"""
rule: large
event: transaction
when: amount > {LARGE}
notify: {{class: service, template: t, channels: [push, sms], expires: 10h}}
""",
    "rules/low.yaml": f"""
rule: low
by: account
when: account.balance < {FLOOR}
until: account.balance >= {FLOOR + 100}
notify: {{class: service, template: t, channels: [sms], expires: 20h, priority: 70}}
""",
    "rules/daily.yaml": f"""
rule: {DAILY[0]}
timer: {{daily: "{DAILY[1]}", grace: 2h}}
notify: {{class: service, template: t, channels: [push], expires: 9h}}
""",
    "rules/tip.yaml": """
rule: tip
event: transaction
when: direction == "credit" and amount > 250
notify: {class: advice, template: t, channels: [push], expires: 1d}
""",
    "rules/offer.yaml": """
rule: offer
event: login
cooldown: 10h
holdout: 10%
notify: {class: marketing, template: t, channels: [push, sms], expires: 30m}
""",
    "rules/tease.yaml": """
rule: tease
event: transaction
when: direction == "debit" and amount < 50
notify: {class: marketing, template: t, channels: [sms], expires: 6h}
""",
    "rules/callback.yaml": """
rule: callback
event: request
when: step == "opened" and priority == "high"
task: {role: care, title: "Call them"}
""",
}
LATER = {
    **FILES,
    "rules/low.yaml": FILES["rules/low.yaml"].replace("priority: 70", "priority: 71"),
    "rules/tip.yaml": FILES["rules/tip.yaml"].replace("title", "owner"),
    "templates/t/en.sms.txt": "Dear customer, again",
}
FAULTY = {name: text.encode() for name, text in FILES.items()} | {
    "rules/low.yaml": b"rule: low\nwhen: account.balanse <\n"
}


@lru_cache(maxsize=1)
def programs() -> tuple[Program, Program]:
    """Built once in a process: they are read only."""
    first, second = FILES, LATER
    return _program(first), _program(second)


@lru_cache(maxsize=1)
def is_refused() -> bool:
    """A reload of the faulty files gets no rulebook."""
    book, faults = load_rulebook(FAULTY)
    return book is None and bool(faults)


def _program(files: dict[str, str]) -> Program:
    book, faults = load_rulebook({name: text.encode() for name, text in files.items()})
    assert book is not None, "\n".join(map(str, faults))
    return build_program(book)
