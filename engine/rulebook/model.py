"""What a rulebook holds once it has been read and checked: plain frozen values, no behaviour.

In: built by `belfry.engine.rulebook.load`. Out: read by the compiler and the transition.
Attribute names equal the YAML keys, letter for letter, except where Python forbids it
(`for` is `for_`, `from` is `from_`, `except` is `except_`, `class` is `message_class`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from belfry.engine.faults import Fault, Place

if TYPE_CHECKING:
    from belfry.engine.event_types import EventTypes
    from belfry.engine.expressions import Expression

By = Literal["customer", "account", "card", "loan"]


@dataclass(frozen=True, slots=True)
class Timer:
    """When a timer rule is looked at. Exactly one `kind`; `at` is local wall time.

    `date`: `moment` (a DATE or INSTANT expression) with `before` / `after` offsets; `yearly`:
    `moment` is a date; `monthly` / `weekly` / `daily`: calendar; `after`: `moment` + `delay`.
    """

    kind: Literal["date", "yearly", "monthly", "weekly", "daily", "after"]
    moment: Expression | None = None
    before: tuple[dt.timedelta, ...] = ()
    after: tuple[dt.timedelta, ...] = ()
    delay: dt.timedelta = dt.timedelta(0)
    at: dt.time | None = None
    day: int = 1
    weekday: int = 0
    roll: Literal["next_business_day", "previous_business_day"] | None = None
    leap: Literal["feb28", "mar1"] = "feb28"
    grace: dt.timedelta = dt.timedelta(hours=24)
    clock: Literal["always", "business"] = "always"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence, or what must not be absent."""

    events: tuple[str, ...]
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A chain of events in event-time order; `within` spans the first to the last."""

    steps: tuple[Step, ...]
    within: dt.timedelta


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing like `step` happened since: a local calendar start, or so long before the timer."""

    step: Step
    since: Literal["month_start", "week_start", "day_start", "year_start"] | dt.timedelta


@dataclass(frozen=True, slots=True)
class Campaign:
    """Once for each customer while start <= now < stop. Naive ends are local to the customer."""

    start: dt.datetime
    stop: dt.datetime


@dataclass(frozen=True, slots=True)
class Rollout:
    """Who is told already: these branches (empty: all) and this share of customers (0-100)."""

    branches: tuple[str, ...] = ()
    percent: Decimal = Decimal(100)


@dataclass(frozen=True, slots=True)
class Goal:
    """What counts as success of a message: such an event within that time after it."""

    step: Step
    within: dt.timedelta


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the customer. `channels` in order of preference; `expires` counts from the occurrence.

    `with_` adds named values (expressions) for the template. `until` and `within` make the ladder.
    """

    message_class: str
    template: str
    channels: tuple[str, ...]
    priority: int = 50
    expires: dt.timedelta | None = None
    tags: tuple[str, ...] = ()
    with_: Mapping[str, Expression] = field(default_factory=dict)
    until: Literal["delivered", "read", "acted"] | None = None
    within: dt.timedelta | None = None
    to: Literal["current", "former"] = "current"


@dataclass(frozen=True, slots=True)
class Task:
    """Put work into a staff queue."""

    role: str
    due: dt.timedelta | None = None
    priority: int = 50
    title: str | None = None
    with_: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Emit:
    """Make an event for other rules; `with_` gives its fields."""

    event: str
    with_: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A test inside a rule: plain data as written, read by the runner."""

    name: str
    place: Place
    given: Mapping[str, object]
    events: tuple[Mapping[str, object], ...]
    expect: tuple[Mapping[str, object], ...]
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Without `events`, `timer`, `sequence` and `campaign` it watches what it reads."""

    id: str
    area: str
    place: Place
    text_hash: str
    title: str = ""
    owner: str = ""
    why: str = ""
    by: By = "customer"
    events: tuple[str, ...] = ()
    timer: Timer | None = None
    sequence: Sequence | None = None
    absent: Absent | None = None
    campaign: Campaign | None = None
    when: Expression | None = None
    until: Expression | None = None
    except_: Expression | None = None
    for_: dt.timedelta | None = None
    cooldown: dt.timedelta | None = None
    repeat: dt.timedelta | None = None
    limit: int | None = None
    tiers: tuple[Decimal, ...] = ()
    active_from: dt.datetime | None = None
    active_to: dt.datetime | None = None
    rollout: Rollout | None = None
    holdout: Decimal | None = None
    goal: Goal | None = None
    supersedes: tuple[str, ...] = ()
    inhibits: tuple[str, ...] = ()
    paused: bool = False
    notify: Notify | None = None
    task: Task | None = None
    emit: Emit | None = None
    tests: tuple[RuleTest, ...] = ()

    @property
    def trigger(self) -> Literal["change", "event", "timer", "sequence", "campaign"]:
        """Which kind of trigger makes this rule look."""
        if self.timer:
            return "timer"
        if self.sequence:
            return "sequence"
        if self.campaign:
            return "campaign"
        return "event" if self.events else "change"


@dataclass(frozen=True, slots=True)
class Feature:
    """A value kept per key. Over events (`events`), or over the customer's entities now (`entity`).

    `value` is None for count. `window` None: since ever. `current` is resolved: never None.
    """

    name: str
    place: Place
    operation: Literal[
        "count", "sum", "mean", "min", "max", "last", "first", "distinct", "deviation"
    ]
    events: tuple[str, ...] = ()
    entity: Literal["account", "card", "loan"] | None = None
    value: Expression | None = None
    where: Expression | None = None
    window: dt.timedelta | None = None
    by: By = "customer"
    at_least: int = 0
    current_included: bool = True
    exact: bool = False
    items: int = 1000


@dataclass(frozen=True, slots=True)
class SegmentValue:
    """One value of a segment; `when` None holds always (`mass: true`)."""

    value: str
    when: Expression | None


@dataclass(frozen=True, slots=True)
class SegmentDef:
    """The first value that holds; a new value must hold for `stay` before it counts."""

    name: str
    place: Place
    stay: dt.timedelta
    values: tuple[SegmentValue, ...]


MEASURES = ("count", "missing", "next_on", "next_amount", "due_soon")  # series.<name>.<measure>


@dataclass(frozen=True, slots=True)
class SeriesDef:
    """Events that come back: salary, bills, subscriptions. `same`: equal values are one run."""

    name: str
    place: Place
    events: tuple[str, ...]
    where: Expression | None
    by: By
    same: Expression
    amount: Expression
    who: Expression
    every: Literal["week", "two_weeks", "month", "quarter", "year"]
    at_least: int
    tolerance: dt.timedelta
    grace: dt.timedelta
    at: dt.time
    roll: Literal["next_business_day", "previous_business_day"] | None
    ahead: dt.timedelta
    most: int


# --- policies -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Bank:
    """Defaults for customers who have none of their own."""

    time_zone: str = "UTC"
    language: str = "en"
    currency: str = "EUR"
    country: str = ""
    name: str = ""
    languages: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    lateness: dt.timedelta = dt.timedelta(hours=1)
    opens: dt.time = dt.time(9)
    closes: dt.time = dt.time(18)
    wait_for: tuple[str, ...] = ()
    wait_max: dt.timedelta = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class MessageClass:
    """What a class of messages may do. `rank` is its place in the file: 0 goes first."""

    name: str
    rank: int
    consent: Literal["none", "opt_in", "opt_out"]
    purpose: str | None = None
    quiet_hours: Literal["ignore", "respect"] = "respect"
    exempt_from_caps: bool = False
    counts_toward_caps: bool = True
    arbitration: dt.timedelta = dt.timedelta(0)
    unanswered: Literal["resend", "other_channel", "drop"] = "drop"
    holdout: Literal["never", "allowed"] = "allowed"
    retention: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Half-open local window [from_, to), may wrap midnight. Empty `classes` / `channels`: all.

    `on_holidays`: in this country's public holidays the whole local day is quiet.
    """

    from_: dt.time
    to: dt.time
    classes: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    on_holidays: str | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` messages in `window` for each `by`. Empty filters: all."""

    name: str
    limit: int
    window: dt.timedelta | Literal["calendar_day", "calendar_week", "calendar_month"]
    by: Literal["customer", "contact", "channel", "class", "tag"] = "customer"
    classes: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()

    def concerns(self, message_class: str, channel: str, rule: str, tags: Iterable[str]) -> bool:
        """Does it count such messages?"""
        return (
            (not self.classes or message_class in self.classes)
            and (not self.channels or channel in self.channels)
            and (not self.rules or rule in self.rules)
            and (not self.tags or not self.tags.isdisjoint(tags))
        )


@dataclass(frozen=True, slots=True)
class Channel:
    """Which contact a channel uses, which providers in which order, what a segment costs."""

    name: str
    contact: Literal["mobile", "email", "device", "landline"]
    providers: tuple[str, ...] = ("console",)
    price: Decimal | None = None
    countries: frozenset[str] = frozenset()
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies together, defaults filled in."""

    bank: Bank
    classes: Mapping[str, MessageClass]
    quiet_hours: tuple[QuietHours, ...]
    caps: tuple[Cap, ...]
    channels: Mapping[str, Channel]


@dataclass(frozen=True, slots=True)
class Template:
    """One text: `templates/<name>/<language>.<channel>.<format>`. `names`: variables it uses.

    `paths`: the same with their dots (`event.amount`).
    """

    name: str
    language: str
    channel: str
    format: Literal["txt", "html"]
    text: str
    names: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything, checked. `hash` names this content: equal texts, equal hash."""

    hash: str
    rules: Mapping[str, Rule]
    features: Mapping[str, Feature]
    segments: Mapping[str, SegmentDef]
    lists: Mapping[str, frozenset[object]]
    macros: Mapping[str, str]
    policies: Policies
    templates: Mapping[tuple[str, str, str], Template]
    event_types: EventTypes
    series: Mapping[str, SeriesDef] = field(default_factory=dict)
    warnings: tuple[Fault, ...] = ()
