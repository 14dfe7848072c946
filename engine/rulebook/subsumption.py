"""Lint: a rule that says nothing which another one does not say at the same moment.

In: a `Book`. Out: warnings. Only what is certain: the same trigger, key and message, and a
condition that holds only where the other's holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from belfry.engine.faults import Fault
from belfry.engine.rulebook.book import Book, warn
from belfry.engine.rulebook.flapping import is_implied
from belfry.engine.rulebook.model import Rule

TRIGGERS = ("change", "event")
COMPARED_MAX = 50  # rules with one message; more would take the square of them


def subsumed(book: Book) -> Iterator[Fault]:
    """The narrower of two rules with the same message: whenever it fires, the wider one does."""
    alike: dict[tuple[object, ...], list[Rule]] = defaultdict(list)
    for rule in book.rules:
        if rule.notify is not None and rule.trigger in TRIGGERS and rule.when is not None:
            notify = rule.notify
            said = (notify.message_class, notify.template, notify.channels)
            alike[rule.by, rule.events, rule.for_, *said].append(rule)
    for rules in alike.values():
        for narrow in rules[:COMPARED_MAX]:
            wide = next((one for one in rules[:COMPARED_MAX] if _covers(one, narrow)), None)
            if wide is not None:
                message = f"whenever '{narrow.id}' fires, '{wide.id}' fires and says the same"
                hint = "remove one, or let one `inhibits` or `supersedes` the other"
                yield warn(book.at(narrow, "when"), "B524", message, hint)


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Equal conditions are a finding of their own (B509)."""
    if wide is narrow or wide.when is None or narrow.when is None or wide.when == narrow.when:
        return False
    limits = (wide.except_, wide.rollout, wide.active_from, wide.active_to, wide.holdout)
    if any(one is not None for one in limits) or wide.paused or wide.tiers or narrow.tiers:
        return False
    known = {*wide.inhibits, *wide.supersedes, *narrow.inhibits, *narrow.supersedes}
    return not known & {wide.id, narrow.id} and is_implied(narrow.when, wide.when)
