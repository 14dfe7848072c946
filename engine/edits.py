"""Edits: what a new rulebook does to the live state that an old one left behind.

In: the edition of the old rulebook, the new rulebook. Out: `Edits`: for every rule, feature and
segment what happens, and because of which keys.
Invariant: without the old edition (or with one of another format) every rule counts as edited in
its conditions, the safest reading: nothing is told because of it.
Source: docs/decisions/0006-rule-edits.md.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from belfry.engine.edition import FORMAT, Edition, changed_keys, edition_of
from belfry.engine.expressions import Expression
from belfry.engine.program.dependencies import reads_of
from belfry.engine.rulebook.model import Feature, Rule, Rulebook, SegmentDef

NEW_STATE = frozenset({"by", "trigger", "sequence", "within", "absent", "errors"})
SCHEDULE = frozenset({"timer"})
READ_ONLY = frozenset({"at_least"})  # keys of a feature that change how its window is read


class Effect(enum.StrEnum):
    """What becomes of live state."""

    KEPT = "kept"
    RE_EVALUATED = "re_evaluated"
    RE_ARMED = "re_armed"
    WARM_UP = "warm_up"
    ADDED = "added"
    REMOVED = "removed"


class Edit(msgspec.Struct, frozen=True):
    """One rule, feature or segment: the effects, and the keys (or what it reads) that changed."""

    effects: tuple[Effect, ...] = (Effect.KEPT,)
    keys: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        """Does its state begin anew?"""
        return Effect.ADDED in self.effects or (
            Effect.WARM_UP in self.effects and not NEW_STATE.isdisjoint(self.keys)
        )

    @property
    def is_empty(self) -> bool:
        """Of a feature: does its window begin empty?"""
        return not {Effect.WARM_UP, Effect.ADDED}.isdisjoint(self.effects)


KEPT = Edit()
ADDED = Edit((Effect.ADDED,))
REMOVED = Edit((Effect.REMOVED,))
UNKNOWN = Edit((Effect.RE_EVALUATED,), ("when",))


class Edits(msgspec.Struct, frozen=True):
    """Name → edit, of all there was and is. `old` empty: nobody knows the old rulebook.

    `touched`: the rules of the new book whose state does not simply go on. `classes`: the message
    class of each old rule.
    """

    old: str
    new: str
    rules: dict[str, Edit]
    features: dict[str, Edit]
    segments: dict[str, Edit]
    touched: dict[str, Edit]
    classes: dict[str, str] = {}


def compare(old: Edition | None, new: Rulebook, broken: Iterable[str] = frozenset()) -> Edits:
    """What the new rulebook does. `broken`: rules that were switched off; they begin anew."""
    if old is None or old.format != FORMAT:
        rules = dict.fromkeys(new.rules, UNKNOWN)
        return Edits("", new.hash, rules, {}, {}, rules)
    now = edition_of(new)
    features = _all(old.features, now.features, lambda name: _feature(old, now, new.features[name]))
    changed = _changed(features, {})
    segments = {
        name: _with_reads(edit, _read_by_segment(new.segments[name], changed), changed)
        if name in new.segments
        else edit
        for name, edit in _all(
            old.segments, now.segments, lambda name: _edit(old.segments[name], now.segments[name])
        ).items()
    }
    changed = _changed(features, segments)
    off = frozenset(broken)

    def edit_of(name: str) -> Edit:
        return _edit(old.rules[name], now.rules[name], ("errors",) if name in off else ())

    rules = {
        name: _with_reads(edit, _read_by(new.rules[name], changed), changed)
        if name in new.rules
        else edit
        for name, edit in _all(old.rules, now.rules, edit_of).items()
    }
    touched = {name: edit for name, edit in rules.items() if edit not in (KEPT, REMOVED)}
    return Edits(old.hash, new.hash, rules, features, segments, touched, old.classes)


def _all(old: Mapping[str, Any], new: Mapping[str, Any], edit: Any) -> dict[str, Edit]:
    found = {
        name: ADDED if name not in old else REMOVED if name not in new else edit(name)
        for name in {**old, **new}
    }
    return dict(sorted(found.items()))


def _feature(old: Edition, now: Edition, feature: Feature) -> Edit:
    keys = changed_keys(old.features[feature.name], now.features[feature.name])
    if not keys:
        return KEPT
    is_read_only = feature.entity is not None or READ_ONLY.issuperset(keys)
    return Edit((Effect.RE_EVALUATED if is_read_only else Effect.WARM_UP,), keys)


def _changed(features: Mapping[str, Edit], segments: Mapping[str, Edit]) -> dict[str, bool]:
    """Name as rules read it → must it fill anew? Of features and segments that are not kept.

    A segment that warms up keeps its old value until it is warm: its readers need not wait.
    """
    found = {
        f"features.{name}": bool({Effect.WARM_UP, Effect.ADDED}.intersection(edit.effects))
        for name, edit in features.items()
        if edit.effects not in (KEPT.effects, REMOVED.effects)
    }
    found |= {
        f"segments.{name}": False
        for name, edit in segments.items()
        if Effect.RE_EVALUATED in edit.effects
    }
    return found


def _read_by(rule: Rule, changed: Mapping[str, bool]) -> list[str]:
    return [name for name in reads_of(*conditions_of(rule)) if name in changed]


def _read_by_segment(segment: SegmentDef, changed: Mapping[str, bool]) -> list[str]:
    return [name for name in reads_of(*(one.when for one in segment.values)) if name in changed]


def conditions_of(rule: Rule) -> list[Expression | None]:
    """All conditions that decide whether the rule speaks."""
    found = [rule.when, rule.until, rule.except_]
    if rule.timer is not None:
        found.append(rule.timer.moment)
    if rule.absent is not None:
        found.append(rule.absent.step.when)
    if rule.sequence is not None:
        found += [step.when for step in rule.sequence.steps]
    return found


def _edit(old: Mapping[str, str], now: Mapping[str, str], more: tuple[str, ...] = ()) -> Edit:
    """By its own keys alone."""
    keys = (*changed_keys(old, now), *more)
    effects = []
    if not NEW_STATE.isdisjoint(keys):
        effects.append(Effect.WARM_UP)
    if set(keys) - NEW_STATE - SCHEDULE:
        effects.append(Effect.RE_EVALUATED)
    if not SCHEDULE.isdisjoint(keys):
        effects.append(Effect.RE_ARMED)
    return Edit(tuple(effects), keys) if effects else KEPT


def _with_reads(edit: Edit, read: list[str], changed: Mapping[str, bool]) -> Edit:
    """With what it reads: emptied windows make it wait, the rest makes it look again."""
    if not read:
        return edit
    must_fill = any(changed[name] for name in read)
    kept = [one for one in edit.effects if one is not Effect.KEPT]
    if must_fill and Effect.WARM_UP not in kept:
        kept.append(Effect.WARM_UP)
    if Effect.ADDED not in kept and Effect.RE_EVALUATED not in kept:
        kept.append(Effect.RE_EVALUATED)
    return Edit(tuple(kept), (*edit.keys, *read))
