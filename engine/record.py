"""The customer record: everything about one customer, with one writer.

In: built empty by `new_record`. Out: changed only by `belfry.engine.transition`.
Invariant: what is not here does not influence a decision. Instants are aware UTC.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from belfry.engine.instants import NEVER

SEPARATOR = "\x1f"  # cannot stand in an id: control characters are refused at decoding


class ContactPoint(msgspec.Struct, omit_defaults=True):
    """One phone, address or device."""

    kind: str
    address: str
    verified: bool | None = None
    primary: bool = False
    suppressed: bool = False

    def __repr__(self) -> str:
        return f"ContactPoint({self.kind}, …)"


class ConsentEntry(msgspec.Struct, omit_defaults=True):
    """The last word about one purpose on one channel or contact (None: all)."""

    purpose: str
    given: bool
    at: dt.datetime
    channel: str | None = None
    contact: str | None = None
    valid_until: dt.datetime | None = None


class Preferences(msgspec.Struct, omit_defaults=True):
    """What the customer chose."""

    quiet_from: str | None = None
    quiet_to: str | None = None
    channels: list[str] | None = None
    paused_until: dt.datetime | None = None


class Bucket(msgspec.Struct, array_like=True):
    """One UTC day of a long window, once its items were too many to keep."""

    day: dt.date
    count: int
    total: Decimal
    squares: Decimal
    low: Any
    high: Any
    first: Any
    last: Any


class Window(msgspec.Struct, omit_defaults=True):
    """The state of one feature for one key: items in event-time order, older ones in day buckets.

    `items`: (instant, value, event id). `count`, `total`, `squares` run over items and buckets.
    `distinct` maps a value to its last instant.
    """

    items: list[tuple[dt.datetime, Any, str]] = []
    count: int = 0
    total: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)
    buckets: list[Bucket] = []
    distinct: dict[str, dt.datetime] = {}
    low: Any = None
    high: Any = None


class Alert(msgspec.Struct, omit_defaults=True):
    """A rule's life for one key. No entry at all is `armed` with nothing to remember.

    `since`: begin of the phase. `told_at`: the last message's occurrence. `asked`: repeats of this
    firing.
    """

    rule: str
    key: str
    phase: str = "armed"
    since: dt.datetime | None = None
    told_at: dt.datetime | None = None
    asked: int = 0
    tier: int = -1
    cause: str = ""


class Chain(msgspec.Struct, omit_defaults=True):
    """An open sequence: the next step to come, and when the first one was."""

    step: int
    first_at: dt.datetime
    events: list[str] = []


class TimerEntry(msgspec.Struct, omit_defaults=True):
    """What is due when. `due` NEVER: spent; one `moment` fires once. `rest`: later dues."""

    due: dt.datetime
    moment: str = ""
    rest: list[dt.datetime] = []


class Candidate(msgspec.Struct, omit_defaults=True):
    """An alert that asks to speak. `happening`: the event's fields. `cause`: its id.

    `void`: why a message that was handed over goes no further, whatever its condition says.
    """

    rule: str
    key: str
    occurrence: str
    at: dt.datetime
    values: dict[str, Any]
    by_account: str = ""
    by_card: str = ""
    by_loan: str = ""
    tier: int = -1
    cause: str = ""
    happening: dict[str, Any] | None = None
    message_id: str = ""
    channel: str = ""
    reserved: bool = False
    void: str = ""


class Sent(msgspec.Struct, array_like=True):
    """One message that counts toward caps."""

    at: dt.datetime
    message_id: str
    rule: str
    message_class: str
    channel: str
    contact: str
    tags: list[str]


class Outgoing(msgspec.Struct, omit_defaults=True):
    """A message handed over and not yet settled: its candidate and what was tried.

    `said`: of each attempt not surely refused, the highest word so far (engine/settle.py, RANKS).
    `state`: the last attempt is started or accepted, or the next one is waiting.
    """

    message_id: str
    candidate: Candidate
    channel: str
    contact: str
    attempt_id: str
    provider: str
    tried: list[str] = []
    attempts: int = 1
    state: str = "started"
    said: dict[str, str] = {}


class Goal(msgspec.Struct, omit_defaults=True):
    """We wait whether the customer does what a message was for. `told` False: in the holdout."""

    rule: str
    message_id: str
    since: dt.datetime
    until: dt.datetime
    told: bool = True


class Occurrence(msgspec.Struct, array_like=True):
    """One event as part of a series: its local day, its instant, the amount, the event's id."""

    day: dt.date
    at: dt.datetime
    amount: Decimal
    event_id: str


class Run(msgspec.Struct, omit_defaults=True):
    """One run of a series. `items`: those at their time; `extras`: those in between.

    `dropped`: regular ones that are not kept any more. `expected`: the day of the next one, once
    the run is regular. `missed`: how many times in a row it did not come.
    """

    items: list[Occurrence] = []
    extras: list[Occurrence] = []
    dropped: int = 0
    missed: int = 0
    expected: dt.date | None = None
    who: str | None = None
    currency: str | None = None


class SegmentState(msgspec.Struct, omit_defaults=True):
    """The value that counts, and a newer one that has held since `since` but not long enough."""

    value: str | None = None
    coming: str | None = None
    since: dt.datetime | None = None


class Record(msgspec.Struct, omit_defaults=True):
    """All of one customer. `seen` maps the ids inside the allowed lateness to their times.

    `former`: by kind, the contact point that was in use before the present one.
    `leads`: accounts of which this customer is the first owner. `live`: keys of alerts pending or
    firing.
    `series`: runs by series and key, then by what is the same in them.
    `windows`: state of features, by name or (for accounts, cards, loans) by name and key.
    `warming`: rules and segments that an edit made wait, and until when.
    """

    customer_id: str
    customer: Any
    latest: dt.datetime | None = None
    rulebook: str = ""
    accounts: dict[str, Any] = {}
    cards: dict[str, Any] = {}
    loans: dict[str, Any] = {}
    leads: list[str] = []
    contacts: list[ContactPoint] = []
    former: dict[str, ContactPoint] = {}
    consents: list[ConsentEntry] = []
    preferences: Preferences = msgspec.field(default_factory=Preferences)
    seen: dict[str, dt.datetime] = {}
    windows: dict[str, Window] = {}
    segments: dict[str, SegmentState] = {}
    series: dict[str, dict[str, Run]] = {}
    alerts: dict[str, Alert] = {}
    live: list[str] = []
    chains: dict[str, Chain] = {}
    matched: dict[str, dt.datetime] = {}
    timers: dict[str, TimerEntry] = {}
    next_due: dt.datetime = NEVER
    waiting: dict[str, list[Candidate]] = {}
    held: dict[str, Candidate] = {}
    outgoing: dict[str, Outgoing] = {}
    sent: list[Sent] = []
    goals: list[Goal] = []
    warming: dict[str, dt.datetime] = {}

    def __repr__(self) -> str:
        return f"Record({self.customer_id!r}, …)"


def joined(*parts: str) -> str:
    """One key of several ids."""
    return SEPARATOR.join(parts)
