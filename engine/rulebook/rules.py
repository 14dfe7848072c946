"""Rules: from the nodes of a rule file to a checked `Rule`.

In: nodes, and `Ground`: all that rules may refer to. Out: `Rule` values, faults of all of them.
Which modifiers go with which trigger is a table, `MODIFIERS`; docs/reference/rule-keys.md shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from belfry.engine.expressions import Expression, Scope
from belfry.engine.faults import Place
from belfry.engine.fields import Kind
from belfry.engine.rulebook.actions import read_emit, read_notify, read_task
from belfry.engine.rulebook.content import content_hash
from belfry.engine.rulebook.event_names import known_events
from belfry.engine.rulebook.keys import Values, read_section
from belfry.engine.rulebook.model import (
    Absent,
    Campaign,
    Goal,
    Policies,
    Rollout,
    Rule,
    Sequence,
    Step,
)
from belfry.engine.rulebook.policies import check_known
from belfry.engine.rulebook.reading import Reading
from belfry.engine.rulebook.rule_keys import ACTIONS, RULE, TRIGGERS
from belfry.engine.rulebook.rule_tests import read_tests
from belfry.engine.rulebook.scopes import Scopes, View, view_of
from belfry.engine.rulebook.suggest import listed
from belfry.engine.rulebook.timers import read_timer
from belfry.engine.rulebook.yaml_nodes import (
    MapNode,
    Node,
    TextNode,
    fault_at,
    place_of,
)

# Trigger → modifiers that mean nothing with it. An event or sequence without `until` has
# occurrences, not a life: nothing can hold for a time or be repeated.
NO_LIFE = ("for", "repeat")
MODIFIERS: dict[str, tuple[str, ...]] = {
    "change": ("within", "absent"),
    "event": ("within", "absent"),
    "timer": ("within", "for"),
    "sequence": ("absent", "tiers"),
    "campaign": ("within", "absent", "for", "repeat", "limit", "tiers", "until"),
}


@dataclass(slots=True)
class Ground:
    """What all rules stand on."""

    scopes: Scopes
    policies: Policies
    reading: Reading
    rule_ids: Mapping[str, Place]

    def known_events(self, values: Values, key: str) -> tuple[str, ...]:
        """Event types under a key; unknown ones are faults, and read as what was probably meant."""
        names: tuple[str, ...] = values.get(key, ())
        return known_events(names, values.at(key), self.scopes.types, self.reading.faults)


def read_rules(nodes: list[MapNode], ground: Ground) -> dict[str, Rule]:
    """Id → rule, for all rules that can be read."""
    found: dict[str, Rule] = {}
    first: dict[str, Node] = {}
    for node in nodes:
        values = read_section(RULE, node, ground.reading.faults)
        if values is None or values.get("rule") is None:
            continue
        name = values.at("rule")
        before = first.setdefault(values.get("rule"), name)
        if before is not name:
            message = f"rule '{values.get('rule')}' is defined twice: first at {place_of(before)}"
            fault = fault_at(name, "B213", message, hint="ids are unique in the rulebook")
            ground.reading.faults.append(fault)
            continue
        rule = _rule(values, ground)
        found[rule.id] = rule
    return found


def _rule(values: Values, ground: Ground) -> Rule:
    by: str = values.get("by", "customer")
    events = ground.known_events(values, "event")
    sequence = _sequence(values, by, ground)
    seen = sequence.steps[-1].events if sequence and sequence.steps else events
    tiers = tuple(sorted(set(values.get("tiers", ()))))
    scope = ground.scopes.of(view_of(by, seen, has_tier=bool(tiers)))
    _check_structure(values, ground)
    timer = values.get("timer")
    moment_scope = ground.scopes.of(view_of(by, ()))
    active, rollout = values.get("active"), values.get("rollout")
    place = place_of(values.node)
    return Rule(
        id=values.get("rule"),
        area=_area(place.file),
        place=place_of(values.at("rule")),
        text_hash=content_hash(values.node),
        title=values.get("title", ""),
        owner=values.get("owner", ""),
        why=values.get("why", ""),
        by=values.get("by", "customer"),
        events=events,
        timer=read_timer(timer, moment_scope, ground.reading) if timer else None,
        sequence=sequence,
        absent=_absent(values, by, ground),
        campaign=_campaign(values, ground),
        when=_when(values, scope, ground, has_tiers=bool(tiers)),
        until=ground.reading.expression(values.get("until"), scope, Kind.BOOLEAN),
        except_=ground.reading.expression(values.get("except"), scope, Kind.BOOLEAN),
        for_=values.get("for"),
        cooldown=values.get("cooldown"),
        repeat=values.get("repeat"),
        limit=values.get("limit"),
        tiers=tiers,
        active_from=active.get("from") if active else None,
        active_to=active.get("to") if active else None,
        rollout=_rollout(rollout) if rollout else None,
        holdout=values.get("holdout"),
        goal=_goal(values, by, ground),
        supersedes=_rules_named(values, "supersedes", ground),
        inhibits=_rules_named(values, "inhibits", ground),
        paused=values.get("paused", False),
        notify=read_notify(values, scope, ground.policies, ground.reading),
        task=read_task(values, scope, ground.reading),
        emit=read_emit(values, scope, ground.scopes.types, ground.reading),
        tests=read_tests(values, ground.scopes.types, ground.reading.faults),
    )


def _area(path: str) -> str:
    return path.rpartition("/")[0].rpartition("/")[2]


# --- structure ----------------------------------------------------------------------------------
def _check_structure(values: Values, ground: Ground) -> None:
    faults = ground.reading.faults
    triggers = [key for key in values.nodes if key in TRIGGERS]  # in the order written
    if len(triggers) > 1:
        message = f"a rule has one trigger, this has {len(triggers)}: {', '.join(triggers)}"
        at = values.name_at(triggers[1])
        faults.append(fault_at(at, "B210", message, hint="make a rule for each"))
    if not any(action in values for action in ACTIONS):
        message = "the rule does nothing: it needs notify, task or emit"
        faults.append(fault_at(values.at("rule"), "B211", message, expected=listed(ACTIONS)))
    trigger = triggers[0] if triggers else "change"
    if trigger == "change" and "when" not in values:
        message = "a rule without a trigger needs a condition"
        faults.append(fault_at(values.at("rule"), "B202", message, hint="when: …"))
    if len(triggers) < 2:
        _check_modifiers(values, trigger, ground)
    if trigger == "sequence" and "within" not in values:
        message = "a sequence says how long it may take"
        at = values.name_at("sequence")
        faults.append(fault_at(at, "B202", message, hint="within: 2h"))
    if "limit" in values and "repeat" not in values:
        message = "'limit' bounds repeats, and there is no 'repeat'"
        faults.append(fault_at(values.name_at("limit"), "B212", message, hint="repeat: 2d"))


def _check_modifiers(values: Values, trigger: str, ground: Ground) -> None:
    refused = MODIFIERS[trigger]
    if trigger in ("event", "sequence") and "until" not in values:
        refused += NO_LIFE
    for key in refused:
        if key not in values:
            continue
        said = "a rule without a trigger" if trigger == "change" else f"'{trigger}'"
        message, hint = f"'{key}' does not go with {said}", None
        if key in NO_LIFE and trigger in ("event", "sequence"):
            message += ": each is one occurrence"
            hint = "with `until` the alert has a life that can last and be repeated"
        elif key == "absent":
            hint = "absence is looked at by a timer"
        fault = fault_at(values.name_at(key), "B212", message, hint=hint)
        ground.reading.faults.append(fault)


# --- parts ----------------------------------------------------------------------------------------
def _when(values: Values, scope: Scope, ground: Ground, *, has_tiers: bool) -> Expression | None:
    """The condition; with tiers it may be the number that is compared with them."""
    node = values.get("when")
    if node is None:
        return None
    if isinstance(node, TextNode) and node.value == "true" and any(t in values for t in TRIGGERS):
        return None  # said what an absent `when` means
    if not has_tiers:
        return ground.reading.expression(node, scope, Kind.BOOLEAN)
    found = ground.reading.expression(node, scope)
    if found is not None and found.kind not in (Kind.BOOLEAN, Kind.NUMBER):
        message = f"with tiers `when` is a condition or a number, this is a {found.kind}"
        ground.reading.faults.append(fault_at(node, "B306", message))
        return None
    return found


def _step(values: Values, by: str, ground: Ground) -> Step:
    events = ground.known_events(values, "event")
    scope = ground.scopes.of(_event_view(by, events))
    when = ground.reading.expression(values.get("when"), scope, Kind.BOOLEAN)
    return Step(events, when)


def _event_view(by: str, events: tuple[str, ...]) -> View:
    # A step of an unknown type was reported; its condition is then read as if about a transaction.
    return view_of(by, events or ("transaction",))


def _sequence(values: Values, by: str, ground: Ground) -> Sequence | None:
    found = values.get("sequence")
    if found is None:
        return None
    if len(found) < 2:
        message = "a sequence has at least two steps"
        fault = fault_at(values.at("sequence"), "B203", message, hint="for one use `event:`")
        ground.reading.faults.append(fault)
    within = values.get("within")
    steps = tuple(_step(one, by, ground) for one in found)
    return Sequence(steps, within) if within is not None else None


def _absent(values: Values, by: str, ground: Ground) -> Absent | None:
    found = values.get("absent")
    if found is None:
        return None
    step, since = _step(found, by, ground), found.get("since")
    return Absent(step, since) if since is not None else None


def _goal(values: Values, by: str, ground: Ground) -> Goal | None:
    found = values.get("goal")
    if found is None:
        return None
    step, within = _step(found, by, ground), found.get("within")
    return Goal(step, within) if within is not None else None


def _campaign(values: Values, ground: Ground) -> Campaign | None:
    found = values.get("campaign")
    if found is None:
        return None
    start, stop = found.get("start"), found.get("stop")
    if start is None or stop is None:
        return None
    if (start.tzinfo is None) != (stop.tzinfo is None):
        message = "either both ends have an offset, or neither"
        ground.reading.faults.append(fault_at(found.at("stop"), "B208", message))
        return None
    if start >= stop:
        message = "the campaign stops before it starts"
        ground.reading.faults.append(fault_at(found.at("stop"), "B208", message))
        return None
    return Campaign(start, stop)


def _rollout(found: Values) -> Rollout:
    default: Any = Rollout()
    return Rollout(found.get("branches", ()), found.get("percent", default.percent))


def _rules_named(values: Values, key: str, ground: Ground) -> tuple[str, ...]:
    names: tuple[str, ...] = values.get(key, ())
    check_known(names, values.at(key), "rules", ground.rule_ids, ground.reading.faults)
    return names
