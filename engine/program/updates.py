"""Generated code around features: taking an event in and reading a value, mostly without a call.

In: feature definitions. Out: source lines for `update(x)` of one event type, and one reader per
feature.
Invariant: does what `windows.add` and `windows.value_at` do; those stand behind every case that is
not common.
"""

from __future__ import annotations

from belfry.engine.agenda import arm_wake
from belfry.engine.expressions import true_source, value_source
from belfry.engine.expressions.tree import Read
from belfry.engine.program.conditions import Conditions
from belfry.engine.program.reads import Reader, is_costly
from belfry.engine.record import SEPARATOR, Window
from belfry.engine.rulebook.model import Feature
from belfry.engine.windows import NUMERIC, ZERO, add, bound, evict, kept, value_at

KEYS = {"account": "x.account_id", "card": "x.card_id", "loan": "x.loan_id"}
SPACE = {
    "add_item": add, "bound_window": bound, "evict_window": evict, "window_value": value_at,
    "arm_wake": arm_wake, "Window": Window, "ZERO": ZERO,
}  # fmt: skip


def define_update(
    cond: Conditions, features: list[Feature], event_type: str, wakes: frozenset[str]
) -> str | None:
    """Name of `update(x)`; features in `wakes` arm a timer for when they empty."""
    if not features:
        return None
    reader = cond.reader(event_type)
    blocks = [line for f in features for line in _take_in(cond, f, reader, wakes)]
    assert not any(is_costly(name) for name in reader.locals)
    head = [*reader.loads(), "e = x.e", "at = e.time", "windows = x.r.windows"]
    return cond.define(*head, *blocks)


def _take_in(
    cond: Conditions, feature: Feature, reader: Reader, wakes: frozenset[str]
) -> list[str]:
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
    name, key = repr(feature.name), "''"
    before = []
    if feature.by != "customer":
        tests.append(KEYS[feature.by])
        key = KEYS[feature.by]
        before = [f"name = {feature.name + SEPARATOR!r} + {key}"]
        name = "name"
    body = [*before, f"win = windows.get({name})"]
    body += ["if win is None:", f"    win = windows[{name}] = Window()"]
    if feature.operation == "distinct":
        body.append(f"add_item({definition}, win, at, {value}, e.id)")
    else:
        body += ["items = win.items", "if items and at < items[-1][0]:"]
        body += [f"    add_item({definition}, win, at, {value}, e.id)", "else:"]
        body += ["    " + line for line in _append(feature, definition, value)]
    if feature.name in wakes:
        body.append(f"arm_wake(x, {definition}, {key}, win)")
    if not tests:
        return body
    return [f"if {' and '.join(tests)}:", *("    " + line for line in body)]


def _append(feature: Feature, definition: str, value: str) -> list[str]:
    lines = [f"items.append((at, {value}, e.id))", "win.count += 1"]
    if feature.operation in NUMERIC:
        lines.append(f"win.total += {value}")
    if feature.operation == "deviation":
        lines.append(f"win.squares += {value} * {value}")
    is_always = feature.window is None and feature.operation in ("min", "max")
    test = "True" if is_always else f"len(items) > {kept(feature)}"
    return [*lines, f"if {test}:", f"    bound_window({definition}, win, {value})"]


def define_reader(cond: Conditions, feature: Feature) -> str:
    """Name of `read(x)`: the value at `x.t`, None for unknown."""
    definition = cond.constants.add(feature)
    lines = []
    name = repr(feature.name)
    if feature.by != "customer":
        key = KEYS[feature.by]
        lines += [f"if not {key}:", "    return None"]
        name = f"{feature.name + SEPARATOR!r} + {key}"
    lines.append(f"win = x.r.windows.get({name})")
    lines += ["if win is None:", f"    return {_empty(feature)}"]
    simple = _simple_value(feature)
    if simple is None:
        return cond.define(*lines, f"return window_value({definition}, win, x.t)")
    if feature.window is not None:
        window = cond.constants.add(feature.window)
        lines += [
            "items = win.items",
            f"if win.buckets or (items and items[0][0] <= x.t - {window}):",
        ]
        lines.append(f"    evict_window({definition}, win, x.t)")
    if feature.at_least:
        lines += [f"if win.count < {feature.at_least}:", "    return None"]
    return cond.define(*lines, f"return {simple}")


def _empty(feature: Feature) -> str:
    if feature.at_least:
        return "None"
    return {"count": "0", "distinct": "0", "sum": "ZERO"}.get(feature.operation, "None")


def _simple_value(feature: Feature) -> str | None:
    last = "(win.items[-1][1] if win.items else None)"
    return {
        "count": "win.count",
        "sum": "win.total",
        "mean": "(win.total / win.count if win.count else None)",
        "last": last if feature.window is None else None,
    }.get(feature.operation)
