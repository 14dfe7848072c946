"""Features whose emptying by time must wake the rules and segments that read them.

In: a rulebook. Out: `Wakes`. A window that loses an item is a change without an event, so it needs
a timer; but only where it can make something true, or end an alert that is live.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from belfry.engine.events import ENTITIES
from belfry.engine.expressions import Expression
from belfry.engine.expressions.tree import Compare, Read
from belfry.engine.program import dependencies as deps
from belfry.engine.program.plan import watched_by
from belfry.engine.rulebook.model import Feature, Rule, Rulebook


@dataclass(frozen=True, slots=True)
class Wakes:
    """`rules`, `segments`: who reads a feature. `always`: features that may make something true.

    `of_live`: rule → the features that matter to it only while one of its alerts is live.
    """

    rules: Mapping[str, list[Rule]]
    segments: Mapping[str, list[str]]
    always: frozenset[str]
    of_live: Mapping[str, tuple[Feature, ...]]

    def __contains__(self, feature: str) -> bool:
        return feature in self.rules or feature in self.segments


def find_wakes(book: Rulebook) -> Wakes:
    """For every windowed feature over events."""
    rules: dict[str, list[Rule]] = {}
    segments: dict[str, list[str]] = {}
    of_live: dict[str, tuple[Feature, ...]] = {}
    for rule in book.rules.values():
        reads = watched_by(rule) if rule.trigger == "change" else deps.reads_of(rule.until)
        for feature in _windowed(book, reads):
            rules.setdefault(feature.name, []).append(rule)
            if not _may_fire_by_time(rule, feature):
                of_live[rule.id] = (*of_live.get(rule.id, ()), feature)
    for segment in book.segments.values():
        for feature in _windowed(book, deps.reads_of(*(one.when for one in segment.values))):
            segments.setdefault(feature.name, []).append(segment.name)
    firing = {
        name
        for name, readers in rules.items()
        if any(book.features[name] not in of_live.get(rule.id, ()) for rule in readers)
    }
    return Wakes(rules, segments, frozenset(firing | set(segments)), of_live)


def _windowed(book: Rulebook, reads: tuple[str, ...]) -> list[Feature]:
    names = [read.partition(".")[2] for read in reads if read.startswith("features.")]
    features = [book.features[name] for name in names]
    return [one for one in features if one.entity is None and one.window is not None]


def _may_fire_by_time(rule: Rule, feature: Feature) -> bool:
    """Could the rule's condition turn true because this feature's window lost an item?"""
    if rule.trigger != "change":
        return False
    name = f"features.{feature.name}"
    if rule.tiers or rule.when is None or deps.growing(feature) is None:
        return True
    if name in deps.reads_of(rule.except_):
        return True
    return not all(_is_floor(part, name) for part in rule.when.conjuncts if name in part.reads)


def _is_floor(part: Expression, name: str) -> bool:
    """`feature > …` with nothing but facts and constants on the other side."""
    match part.tree:
        case Compare(operator=">" | ">=", left=Read(dotted=dotted)):
            pass
        case Compare(operator="<" | "<=", right=Read(dotted=dotted)):
            pass
        case _:
            return False
    others = [read for read in part.reads if read != name]
    return dotted == name and all(read.partition(".")[0] in ENTITIES for read in others)
