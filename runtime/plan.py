"""Plan: what another rulebook would do to live state, before it does it.

In: the old rulebook and the new one. Out: a `Plan`: for every rule, feature and segment what
happens, in sentences, with the keys that changed and their texts before and after.
Invariant: it asks `belfry.engine.edits`, as hosts do at the switch; nothing is decided here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from belfry.engine.edition import (
    Aspects,
    edition_of,
    feature_aspects,
    meaning,
    rule_aspects,
    segment_aspects,
)
from belfry.engine.edits import Edit, Edits, Effect, compare
from belfry.engine.expressions import Expression
from belfry.engine.rulebook.model import Policies, Rule, Rulebook, Timer
from belfry.engine.rulebook.rule_keys import WEEKDAYS
from belfry.runtime.plan_words import of_feature, of_rule, of_segment

# Keys of a rule that its live state does not depend on: YAML key → attributes.
KEPT_KEYS: dict[str, tuple[str, ...]] = {
    "title": ("title",), "owner": ("owner",), "why": ("why",), "cooldown": ("cooldown",),
    "repeat": ("repeat",), "limit": ("limit",), "active": ("active_from", "active_to"),
    "rollout": ("rollout",), "holdout": ("holdout",), "goal": ("goal",),
    "supersedes": ("supersedes",), "inhibits": ("inhibits",), "paused": ("paused",),
    "notify": ("notify",), "task": ("task",), "emit": ("emit",),
}  # fmt: skip
SAID_OF_TIMER = frozenset({"kind", "moment", "day", "weekday", "grace"})
UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


class Change(msgspec.Struct, frozen=True):
    """One key. Equal texts: a list, a macro or a policy behind them changed. None: not written."""

    key: str
    old: str | None
    new: str | None


class Planned(msgspec.Struct, frozen=True):
    """One rule, feature or segment. `says`: what happens to live state."""

    name: str
    effects: tuple[Effect, ...]
    says: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def is_unchanged(self) -> bool:
        return self.effects == (Effect.KEPT,) and not self.changes


class Plan(msgspec.Struct, frozen=True):
    """Everything. `kept`: policies and templates that changed; live state goes on under them."""

    schema: str
    old: str
    new: str
    rules: list[Planned]
    features: list[Planned]
    segments: list[Planned]
    kept: list[str]


def plan(old: Rulebook, new: Rulebook) -> Plan:
    """What would happen if `new` took the place of `old`."""
    edits = compare(edition_of(old), new)
    return Plan(
        "belfry.plan/1",
        old.hash,
        new.hash,
        [_rule(old, new, edits, name) for name in edits.rules],
        [_feature(old, new, name, edit) for name, edit in edits.features.items()],
        [_segment(old, new, name, edit) for name, edit in edits.segments.items()],
        _kept(old, new),
    )


def _rule(old: Rulebook, new: Rulebook, edits: Edits, name: str) -> Planned:
    edit = edits.rules[name]
    before, after = old.rules.get(name), new.rules.get(name)
    changes: tuple[Change, ...] = ()
    if before is not None and after is not None:
        changes = _changes(_all_of(before, old.policies), _all_of(after, new.policies))
    return Planned(name, edit.effects, of_rule(new, edits, name), changes)


def _all_of(rule: Rule, policies: Policies) -> Aspects:
    found = rule_aspects(rule, policies)
    for key, names in KEPT_KEYS.items():
        values = tuple(getattr(rule, name) for name in names)
        if any(value not in (None, "", (), False) for value in values):
            found[key] = values[0] if len(values) == 1 else values
    if rule.timer is not None:
        found["grace"] = rule.timer.grace
    return found


def _feature(old: Rulebook, new: Rulebook, name: str, edit: Edit) -> Planned:
    changes: tuple[Change, ...] = ()
    if name in old.features and name in new.features:
        before, after = old.features[name], new.features[name]
        changes = _changes(feature_aspects(before), feature_aspects(after))
    return Planned(name, edit.effects, of_feature(new, name, edit), changes)


def _segment(old: Rulebook, new: Rulebook, name: str, edit: Edit) -> Planned:
    changes: tuple[Change, ...] = ()
    if name in old.segments and name in new.segments:
        before, after = old.segments[name], new.segments[name]
        changes = _changes(
            segment_aspects(before) | {"stay": before.stay},
            segment_aspects(after) | {"stay": after.stay},
        )
    return Planned(name, edit.effects, of_segment(edit), changes)


def _kept(old: Rulebook, new: Rulebook) -> list[str]:
    found = [
        f"policies: {field.name}"
        for field in dataclasses.fields(Policies)
        if meaning(getattr(old.policies, field.name)) != meaning(getattr(new.policies, field.name))
    ]
    texts = [{key: one.text for key, one in book.templates.items()} for book in (old, new)]
    changed = [key for key in {**texts[0], **texts[1]} if texts[0].get(key) != texts[1].get(key)]
    return found + ["template: " + _file_of(*key) for key in sorted(changed)]


def _file_of(name: str, language: str, channel: str) -> str:
    return f"{name}/{language}.{channel}"


def _changes(old: Aspects, new: Aspects) -> tuple[Change, ...]:
    return tuple(
        Change(key, _shown(old.get(key)), _shown(new.get(key)))
        for key in {**old, **new}
        if old.get(key) != new.get(key) and meaning(old.get(key)) != meaning(new.get(key))
    )


def _shown(value: Any) -> str | None:
    """About as the author wrote it."""
    if value is None:
        return None
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, dt.timedelta):
        return _duration(value)
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        if value and dataclasses.is_dataclass(value[0]) and not dataclasses.is_dataclass(value[-1]):
            return _shown(value[0])  # a timer, with what its calendar hangs on
        return "[" + ", ".join(_shown(one) or "–" for one in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(one)}" for key, one in value.items()) + "}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return str(value)


def _fields(value: Any) -> str:
    parts = [_of_kind(value)] if isinstance(value, Timer) else []
    for field in dataclasses.fields(value):
        one = getattr(value, field.name)
        is_default = one == field.default or (not one and isinstance(one, dict))
        is_said = isinstance(value, Timer) and field.name in SAID_OF_TIMER
        if field.name != "place" and not is_default and not is_said:
            parts.append(f"{field.name.rstrip('_')}: {_shown(one)}")
    return "{" + ", ".join(parts) + "}"


def _of_kind(timer: Timer) -> str:
    if timer.moment is not None:
        return f"{timer.kind}: {timer.moment.text}"
    word = {"monthly": str(timer.day), "weekly": WEEKDAYS[timer.weekday]}.get(timer.kind, "true")
    return f"{timer.kind}: {word}"


def _duration(span: dt.timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in UNITS:
        if seconds and not seconds % size:
            return f"{seconds // size}{unit}"
    return "0s"
