"""What an event can change, and which rules therefore have to be looked at.

In: rules, features, event types. Out: yes or no. A rule that reads what an event cannot change is
left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from belfry.engine.events import ENTITIES
from belfry.engine.expressions import Expression, thresholds
from belfry.engine.expressions.tree import Read
from belfry.engine.fields import Kind
from belfry.engine.rulebook.model import Feature, Rule, Rulebook

HEADS = frozenset(
    {"customer", "account", "card", "loan", "features", "segments", "series", "lists", "previous"}
)
# Facts outside an entity's own event that change one of its fields.
ALSO_CHANGED: Mapping[str, frozenset[str]] = {
    "transaction": frozenset({"account.balance"}),
    "preference": frozenset({"customer.low_balance_limit", "customer.language"}),
}


def reads_of(*expressions: Expression | None) -> tuple[str, ...]:
    """All names read, each once, in order."""
    return tuple(dict.fromkeys(n for e in expressions if e is not None for n in e.reads))


def reads_event(expression: Expression | None) -> bool:
    """Does it read a field of the event itself?"""
    return any(
        name.partition(".")[0] not in HEADS and name not in ("time", "tier")
        for name in reads_of(expression)
    )


def changes(book: Rulebook, name: str, event_type: str) -> bool:
    """Can an event of this type change what `name` reads?"""
    head, _, rest = name.partition(".")
    if head == "features":
        return changes_feature(book.features[rest], event_type)
    if head == "segments":
        return event_type == "segment"
    if head == "series":
        return event_type == "series"
    if head in HEADS:
        return event_type == head or name in ALSO_CHANGED.get(event_type, frozenset())
    return False


def changes_feature(feature: Feature, event_type: str) -> bool:
    """Can an event of this type change the feature?"""
    if feature.entity is not None:
        return event_type in (feature.entity, "transaction" if feature.entity == "account" else "")
    return event_type in feature.events


def event_conjuncts(book: Rulebook, rule: Rule) -> tuple[Expression, ...]:
    """For a calendar timer: the and-ed parts of `when` that only an event can make true."""
    if rule.timer is None or rule.timer.moment is not None or rule.when is None or rule.tiers:
        return ()
    return tuple(
        part
        for part in rule.when.conjuncts
        if part.kind is Kind.BOOLEAN
        and part.reads
        and (all(name.partition(".")[0] in ENTITIES for name in part.reads) or _grows(book, part))
    )


def _grows(book: Rulebook, part: Expression) -> bool:
    """Is it a lower bound for something that only falls without events?"""
    return any(
        sign.startswith(">") and name.startswith("features.")
        and growing(book.features[name.partition(".")[2]]) is not None
        for name, sign, _ in thresholds(part)
    )  # fmt: skip


def growing(feature: Feature) -> str | None:
    """Of a count or a sum of amounts, which are positive, the attribute of its window that only an
    event can raise: when old items go it falls. None for all others.
    """
    match feature.operation, feature.events, feature.value:
        case "count", (_, *_), _:
            return "count"
        case "sum", ("transaction",), Expression(tree=Read(dotted="amount")):
            return "total"
        case _:
            return None


def rests_on(book: Rulebook, rule: Rule) -> tuple[Feature, ...] | None:
    """For a calendar timer: the features over events whose windows, once empty, leave its
    conditions as they are until an event comes. None: time alone may make them true.
    """
    if rule.timer is None or rule.timer.moment is not None or rule.absent is not None:
        return None
    found = []
    for name in reads_of(rule.when, rule.except_, rule.until):
        head, _, rest = name.partition(".")
        if head == "features":
            if book.features[rest].entity is None:
                found.append(book.features[rest])
        elif head not in ENTITIES:
            return None
    return tuple(found)


def is_spread(book: Rulebook, rule: Rule, names: Iterable[str], event_type: str) -> bool:
    """Does the change concern all keys of the rule, not only the one that the event is about?"""
    if rule.by == "customer":
        return False
    for name in names:
        if not changes(book, name, event_type):
            continue
        head, _, rest = name.partition(".")
        if head in ("customer", "segments") or (head == "account" and rule.by != "account"):
            return True
        if head == "series" and book.series[rest.partition(".")[0]].by != rule.by:
            return True
        if head == "features":
            feature = book.features[rest]
            if feature.entity is not None or feature.by != rule.by:
                return True
    return False
