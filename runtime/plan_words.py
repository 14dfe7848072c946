"""What an edit does to live state, in sentences for people who write rules.

In: the new rulebook and an edit. Out: sentences, the most important one first.
Source: docs/decisions/0006-rule-edits.md; what is said here is what `belfry.engine.migrate` does.
"""

from __future__ import annotations

from belfry.engine.edits import NEW_STATE, Edit, Edits, Effect
from belfry.engine.rulebook.model import Feature, Rule, Rulebook

UNCHANGED = "live state goes on"
REMOVED_RULE = (
    "removed: its alerts, timers and open chains go; "
    "what waits or is held is not sent (rule_removed)"
)
ANEW = (
    "begins anew: old alerts, timers and chains go, what waits or is held is not sent "
    "(rule_changed); nobody is told of what holds already"
)
ASKED_AGAIN = {
    "change": "asked again in silence: what holds now counts as told, what does not may fire again",
    "event": "the next event is judged by the new condition",
    "timer": "the next due instant is judged by the new condition",
    "sequence": "open chains go on; the last step is judged by the new condition",
    "campaign": "customers are judged by the new condition at their next event",
}
RE_ARMED = (
    "timers are derived again: instants that have passed stay silent, and what fired today does "
    "not fire again today"
)
STARTS = {
    "change": "new: nobody is told of what holds already, only of what comes",
    "event": "new: looks at events from the switch on",
    "timer": "new: timers are armed for everybody known; instants that have passed stay silent",
    "sequence": "new: chains begin with events after the switch",
    "campaign": "new: asks everybody at its start, or at the switch if it runs already",
}


def of_rule(new: Rulebook, edits: Edits, name: str) -> tuple[str, ...]:
    """A rule, by its edit and by what it reads."""
    edit = edits.rules[name]
    if Effect.REMOVED in edit.effects:
        return (REMOVED_RULE,)
    rule = new.rules[name]
    said = []
    if Effect.ADDED in edit.effects:
        said.append(STARTS[rule.trigger])
    elif not NEW_STATE.isdisjoint(edit.keys):
        said.append(ANEW)
    said += _waits(new, edits, edit, rule)
    if Effect.RE_EVALUATED in edit.effects and not edit.is_new:
        said.append(ASKED_AGAIN[rule.trigger])
    if Effect.RE_ARMED in edit.effects and not edit.is_new:
        said.append(RE_ARMED)
    return tuple(said) or (UNCHANGED,)


def _waits(new: Rulebook, edits: Edits, edit: Edit, rule: Rule) -> list[str]:
    names = [key.removeprefix("features.") for key in edit.keys if key.startswith("features.")]
    said = [_fills(new.features[name]) for name in names if edits.features[name].is_empty]
    if rule.absent is not None and edit.is_new:
        since = rule.absent.since
        unit = since.removesuffix("_start") if isinstance(since, str) else "span"
        said.append(f"says nothing of the {unit} of the switch: what came before was not noted")
    return said


def _fills(feature: Feature) -> str:
    name = f"features.{feature.name}"
    if feature.entity is not None:
        return f"{name} is known at once: it looks at the customer's {feature.entity}s"
    if feature.at_least:
        return f"{name} begins empty and is unknown until it has {feature.at_least} values"
    if feature.window is None:
        return f"{name} has no window: it counts from the switch on, and nobody waits for it"
    days = feature.window.total_seconds() / 86400
    return f"says nothing until {name} has filled once, {days:g} days after the switch (warming_up)"


def of_feature(new: Rulebook, name: str, edit: Edit) -> tuple[str, ...]:
    """A feature: its window."""
    effect = edit.effects[0]
    if effect is Effect.REMOVED:
        return ("removed: its windows go",)
    feature = new.features[name]
    if effect is Effect.KEPT:
        return (UNCHANGED,)
    if effect is Effect.RE_EVALUATED or feature.entity is not None:
        return ("its readers are asked again in silence",)
    if effect is Effect.ADDED:
        return ("new: its window begins empty for everybody",)
    return ("its windows are dropped and fill anew",)


def of_segment(edit: Edit) -> tuple[str, ...]:
    """A segment: the value that counts."""
    if Effect.REMOVED in edit.effects:
        return ("removed: its values go",)
    if Effect.WARM_UP in edit.effects:
        return ("values stay as they are until the windows it reads have filled",)
    if Effect.ADDED in edit.effects:
        return ("new: the first value counts at once and is no change",)
    if Effect.RE_EVALUATED in edit.effects:
        return ("the value that holds now counts at once and is no change",)
    return (UNCHANGED,)
