"""Generated code around features: taking an event in and reading a value, mostly without a call.

In: feature definitions. Out: source lines for `update(x)` of one event type, one reader per
feature, and the same lines for use inside a larger function (step.py).
Invariant: does what `windows.add` and `windows.value_at` do; those stand behind every case that is
not common.
"""

from __future__ import annotations

from belfry.engine.agenda import arm_wake
from belfry.engine.expressions import true_source, value_source
from belfry.engine.expressions.tree import Read
from belfry.engine.program.conditions import Conditions
from belfry.engine.program.reads import Reader, is_costly
from belfry.engine.program.wakes import Wakes
from belfry.engine.record import SEPARATOR, Window, joined
from belfry.engine.rulebook.model import Feature
from belfry.engine.windows import NUMERIC, ZERO, add, bound, evict, is_bucketed, kept, value_at

KEYS = {"account": "account_id", "card": "card_id", "loan": "loan_id"}
OLD_ITEMS_KEPT = 32  # above it a window lets go of old items whether anybody reads it or not
SPACE = {
    "add_item": add, "bound_window": bound, "evict_window": evict, "window_value": value_at,
    "arm_wake": arm_wake, "Window": Window, "ZERO": ZERO,
}  # fmt: skip


def define_update(
    cond: Conditions, features: list[Feature], event_type: str, wakes: Wakes
) -> str | None:
    """Name of `update(x)`; features in `wakes` arm a timer for when they empty."""
    if not features:
        return None
    reader = cond.reader(event_type)
    blocks = [line for f in features for line in take_in(cond, f, reader, wakes)]
    assert not any(is_costly(name) for name in reader.locals)
    keys = dict.fromkeys(KEYS[f.by] for f in features if f.by != "customer")
    head = ["e = x.e", "at = e.time", "r = x.r", "windows = r.windows"]
    return cond.define(*reader.loads(), *head, *(f"{key} = x.{key}" for key in keys), *blocks)


def window_source(feature: Feature) -> str:
    """Source of the name that the feature's window has in the record."""
    if feature.by == "customer":
        return repr(feature.name)
    return f"{feature.name + SEPARATOR!r} + {KEYS[feature.by]}"


def take_in(
    cond: Conditions,
    feature: Feature,
    reader: Reader,
    wakes: Wakes,
    window: str | None = None,
) -> list[str]:
    """Lines that take event `e` in. `window`: a variable that holds it already, or None; then the
    event is known to be in order.
    """
    definition = cond.constants.add(feature)
    tests, value = [], "None"
    if feature.where is not None:
        tests.append(true_source(feature.where, reader, cond.constants))
    if feature.value is not None:
        source = value_source(feature.value, reader, cond.constants)
        value = source if source.isidentifier() else "value"
        tree = feature.value.tree
        if value == "value" or not isinstance(tree, Read) or tree.nullable:
            tests.append(f"(value := {source}) is not None")
            value = "value"
    if feature.by != "customer":
        tests.append(KEYS[feature.by])
    win, name = window or "win", window_source(feature)
    body = [] if window else [f"win = windows.get({name})"]
    body += [f"if {win} is None:", f"    {win} = windows[{name}] = Window()"]
    if feature.operation == "distinct":
        body.append(f"add_item({definition}, {win}, at, {value}, e.id)")
    else:
        body.append(f"items = {win}.items")
        append = _append(feature, definition, value, win)
        if window is None:
            body += ["if items and at < items[-1][0]:"]
            body += [f"    add_item({definition}, win, at, {value}, e.id)", "else:"]
            append = ["    " + line for line in append]
        body += append
    if feature.name in wakes:
        key = "''" if feature.by == "customer" else KEYS[feature.by]
        prefix = joined("wake", feature.name, "")
        when = "" if feature.name in wakes.always else "r.live and "
        body += [f"if {when}{prefix!r} + {key} not in r.timers:"]
        body += [f"    arm_wake(r, {definition}, {key}, {win}, r.latest)"]
    if not tests:
        return body
    return [f"if {' and '.join(tests)}:", *("    " + line for line in body)]


def _append(feature: Feature, definition: str, value: str, win: str) -> list[str]:
    lines = [f"items.append((at, {value}, e.id))", f"{win}.count += 1"]
    if feature.operation in NUMERIC:
        lines.append(f"{win}.total += {value}")
    if feature.operation == "deviation":
        lines.append(f"{win}.squares += {value} * {value}")
    if feature.window is None and feature.operation == "last":
        return [*lines, f"if len(items) > {kept(feature)}:", "    del items[0]"]
    bound = f"bound_window({definition}, {win}, {value})"
    if feature.window is None and feature.operation in ("min", "max"):
        return [*lines, bound]
    if feature.window is not None and kept(feature) > OLD_ITEMS_KEPT:
        # Readers let old items go only where it matters to a rule.
        lines += [
            f"if len(items) > {OLD_ITEMS_KEPT}:",
            f"    evict_window({definition}, {win}, at)",
        ]
        return [*lines, f"    if len(items) > {kept(feature)}:", f"        {bound}"]
    return [*lines, f"if len(items) > {kept(feature)}:", f"    {bound}"]


def define_reader(cond: Conditions, feature: Feature) -> str:
    """Name of `read(x)`: the value at `x.t`, None for unknown."""
    head = []
    if feature.by != "customer":
        key = KEYS[feature.by]
        head = [f"{key} = x.{key}", f"if not {key}:", "    return None"]
    head.append(f"win = x.r.windows.get({window_source(feature)})")
    return cond.define(*head, *value_lines(cond, feature, "value", "win", "x.t"), "return value")


def value_lines(cond: Conditions, feature: Feature, target: str, win: str, at: str) -> list[str]:
    """Lines that put the value at instant `at` into `target`; `win` may hold None: no window."""
    definition = cond.constants.add(feature)
    simple = _simple_value(feature, win)
    if simple is None:
        return [f"{target} = window_value({definition}, {win}, {at})"]
    lines = [f"if {win} is None:", f"    {target} = {_empty(feature)}", "else:"]
    if feature.window is not None:
        lines += ["    " + line for line in _evict(cond, feature, definition, win, at)]
    if feature.at_least:
        simple = f"{simple} if {win}.count >= {feature.at_least} else None"
    return [*lines, f"    {target} = {simple}"]


def _evict(cond: Conditions, feature: Feature, definition: str, win: str, at: str) -> list[str]:
    """What has left the window goes; a window with day buckets has a way of its own."""
    window = cond.constants.add(feature.window)
    gone = [f"    {win}.count -= 1", "    del items[0]"]
    if feature.operation in NUMERIC:
        gone.insert(0, f"    {win}.total -= items[0][1]")
    lines = [f"items = {win}.items", f"edge = {at} - {window}"]
    lines += ["while items and items[0][0] <= edge:", *gone]
    if is_bucketed(feature):
        lines += [f"if {win}.buckets:", f"    evict_window({definition}, {win}, {at})"]
    return lines


def _empty(feature: Feature) -> str:
    if feature.at_least:
        return "None"
    return {"count": "0", "distinct": "0", "sum": "ZERO"}.get(feature.operation, "None")


def _simple_value(feature: Feature, win: str) -> str | None:
    last = f"({win}.items[-1][1] if {win}.items else None)"
    return {
        "count": f"{win}.count",
        "sum": f"{win}.total",
        "mean": f"({win}.total / {win}.count if {win}.count else None)",
        "last": last if feature.window is None else None,
    }.get(feature.operation)
