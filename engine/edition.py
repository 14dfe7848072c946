"""A rulebook as far as live state is concerned: digests of what each rule and feature means.

In: a rulebook. Out: an `Edition`, small enough that a host keeps one for every rulebook whose
records it may still meet.
Invariant: layout, comments, names of macros and the order of files are no part of it; the content
of macros and lists is.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from belfry.engine.expressions import Expression
from belfry.engine.expressions.tree import Node
from belfry.engine.rulebook.model import Feature, Policies, Rule, Rulebook, SegmentDef, Timer

NOT_MEANT = frozenset({"place", "text", "start", "grace"})  # where it stands, how it is written
DIGITS = 12
FORMAT = 1  # of digests; tests/engine/test_edition.py says when to raise it

Aspects = dict[str, Any]


class Edition(msgspec.Struct, frozen=True):
    """Name → key → digest. `classes`: the message class of each rule that notifies.

    Digests of another `format` say nothing: the edition is as good as lost.
    """

    hash: str
    rules: dict[str, dict[str, str]]
    features: dict[str, dict[str, str]]
    segments: dict[str, dict[str, str]]
    classes: dict[str, str]
    format: int = FORMAT


def edition_of(book: Rulebook) -> Edition:
    """What a host keeps of a rulebook once another one has taken its place."""
    return Edition(
        book.hash,
        {name: _digests(rule_aspects(rule, book.policies)) for name, rule in book.rules.items()},
        {name: _digests(feature_aspects(one)) for name, one in book.features.items()},
        {name: _digests(segment_aspects(one)) for name, one in book.segments.items()},
        {
            name: rule.notify.message_class
            for name, rule in book.rules.items()
            if rule.notify is not None
        },
    )


def rule_aspects(rule: Rule, policies: Policies) -> Aspects:
    """YAML key → value, of those on which live state depends. What is not written is left out."""
    found = {
        "by": rule.by,
        "trigger": rule.trigger,
        "sequence": rule.sequence and rule.sequence.steps,
        "within": rule.sequence and rule.sequence.within,
        "absent": rule.absent,
        "timer": rule.timer and (rule.timer, _calendar_of(rule.timer, policies)),
        "campaign": rule.campaign,
        "event": rule.events or None,
        "when": rule.when,
        "until": rule.until,
        "except": rule.except_,
        "for": rule.for_,
        "tiers": rule.tiers or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _calendar_of(timer: Timer, policies: Policies) -> tuple[object, ...]:
    """What local times of a customer without a zone, business days and hours hang on."""
    bank = policies.bank
    is_business = timer.clock == "business"
    country = bank.country if timer.roll or is_business else ""
    hours = (bank.opens, bank.closes) if is_business else ()
    return (bank.time_zone, country, *hours)


def feature_aspects(feature: Feature) -> Aspects:
    """YAML key → value of a feature."""
    found = {
        feature.operation: feature.value if feature.value is not None else True,
        "of": feature.entity or feature.events,
        "where": feature.where,
        "window": feature.window,
        "by": feature.by,
        "current": feature.current_included,
        "at_least": feature.at_least or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def segment_aspects(segment: SegmentDef) -> Aspects:
    """YAML key → value of a segment. A change of `stay` concerns no value that counts already."""
    return {"values": segment.values}


def changed_keys(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that are not the same in both."""
    return tuple(key for key in {**old, **new} if old.get(key) != new.get(key))


def meaning(value: Any) -> str:
    """A text that is equal for what means the same, whatever the hash seed."""
    if isinstance(value, Expression):
        return meaning(value.tree)
    if isinstance(value, Node):
        return _fields(value, msgspec.structs.fields(value))
    if dataclasses.is_dataclass(value):
        return _fields(value, dataclasses.fields(value))
    if isinstance(value, Mapping):
        return _joined(sorted(f"{key}={meaning(one)}" for key, one in value.items()))
    if isinstance(value, frozenset):
        return _joined(sorted(map(meaning, value)))
    if isinstance(value, tuple):
        return _joined(map(meaning, value))
    return f"{type(value).__name__}:{value}"


def _fields(value: Any, fields: Iterable[Any]) -> str:
    """What has its default is left out: a field that a later version adds changes no digest."""
    kept = [
        f"{one.name}={meaning(found)}"
        for one in fields
        if one.name not in NOT_MEANT and (found := getattr(value, one.name)) != one.default
    ]
    return type(value).__name__ + _joined(kept)


def _joined(parts: Iterable[str]) -> str:
    return "(" + ",".join(parts) + ")"


def _digests(aspects: Aspects) -> dict[str, str]:
    return {
        key: hashlib.sha256(meaning(value).encode()).hexdigest()[:DIGITS]
        for key, value in aspects.items()
    }
