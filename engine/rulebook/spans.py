"""Lints: times that do not fit together, between a rule, its class and the policies.

In: a `Book`. Out: warnings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from belfry.engine.faults import Fault
from belfry.engine.rulebook.book import Book, warn
from belfry.engine.rulebook.model import QuietHours, Rule
from belfry.engine.rulebook.yaml_nodes import MapNode

DAY = dt.timedelta(days=1)
LOCAL = frozenset(("date", "yearly", "monthly", "weekly", "daily", "after"))


def forgotten(book: Book) -> Iterator[Fault]:
    """A cooldown or a goal that outlives the decisions of its class: nobody could show why."""
    for rule in book.rules:
        if rule.notify is None:
            continue
        of_class = book.rulebook.policies.classes.get(rule.notify.message_class)
        kept = of_class.retention if of_class is not None else None
        if kept is None:
            continue
        spans = (
            (("cooldown",), rule.cooldown),
            (("goal", "within"), rule.goal.within if rule.goal is not None else None),
            (("within",), rule.sequence.within if rule.sequence is not None else None),
        )
        for keys, span in spans:
            if span is not None and span > kept:
                message = (
                    f"class '{rule.notify.message_class}' keeps its decisions {kept.days} days"
                )
                hint = f"at most {kept.days}d, or a longer `retention`"
                yield warn(book.at(rule, *keys), "B523", message, hint)


def always_quiet(book: Book) -> Iterator[Fault]:
    """A timer inside quiet hours of all its channels."""
    for rule in book.rules:
        timer, notify = rule.timer, rule.notify
        if timer is None or timer.at is None or notify is None or timer.kind not in LOCAL:
            continue
        of_class = book.rulebook.policies.classes.get(notify.message_class)
        if of_class is None or of_class.quiet_hours != "respect":
            continue
        quiet = [
            one for one in book.rulebook.policies.quiet_hours if _concerns(one, rule, timer.at)
        ]
        silent = [
            c for c in notify.channels if any(not q.channels or c in q.channels for q in quiet)
        ]
        if notify.channels and len(silent) == len(notify.channels):
            until = max(one.to for one in quiet)
            message = f"{timer.at:%H:%M} lies in quiet hours: it is always held until {until:%H:%M}"
            yield warn(book.at(rule, "timer", "at"), "B526", message, f'at: "{until:%H:%M}"')


def _concerns(quiet: QuietHours, rule: Rule, at: dt.time) -> bool:
    assert rule.notify is not None
    if quiet.classes and rule.notify.message_class not in quiet.classes:
        return False
    if quiet.from_ <= quiet.to:
        return quiet.from_ <= at < quiet.to
    return at >= quiet.from_ or at < quiet.to


def twice_a_day(book: Book) -> Iterator[Fault]:
    """A daily message with a day of grace: after a pause yesterday's goes out with today's."""
    for rule in book.rules:
        timer, notify = rule.timer, rule.notify
        if timer is None or timer.kind != "daily" or notify is None or timer.grace < DAY:
            continue
        is_bounded = notify.expires is not None and notify.expires < DAY
        is_spaced = rule.cooldown is not None and rule.cooldown >= DAY
        node = book.nodes[rule.id].get("timer")
        is_meant = isinstance(node, MapNode) and node.get("grace") is not None
        if not (is_bounded or is_spaced or is_meant):
            message = "no `grace`: after a pause yesterday's message goes out just before today's"
            yield warn(book.at(rule, "timer"), "B527", message, "grace: 4h")
