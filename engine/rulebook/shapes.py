"""The shapes a value of the rulebook can have: how each is read, described, put into JSON Schema.

In: nodes. Out: plain values (text, Decimal, timedelta, time, datetime), or None and a fault.
A shape is data: the same table serves the reader, the JSON Schema and the reference pages.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from belfry.engine.faults import Fault
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import ListNode, MapNode, Node, TextNode, fault_at

Faults = list[Fault]
Read = Callable[[Node, Faults], Any]  # Any: each shape has its own Python type

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
TEXT_LENGTH_MAX = 4_000
ITEMS_MAX = 100_000  # of one list
DURATION_MAX = dt.timedelta(days=36_525)  # a hundred years

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?")
_LOCAL_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = re.compile(
    rf"{_DATE}(?:[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,6}})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_DURATION = re.compile(r"(?:([0-9]{1,9})\s*([wdhms])\s*)+")
_DURATION_PART = re.compile(r"([0-9]{1,9})\s*([wdhms])")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Shape:
    """`says` completes the sentence "expected …"; `schema` is its JSON Schema."""

    says: str
    read: Read
    schema: dict[str, Any] = field(default_factory=dict)


def text_of(node: Node, faults: Faults, says: str = "a text") -> str | None:
    """The text of a scalar that is not empty."""
    if not isinstance(node, TextNode):
        found = "a list" if isinstance(node, ListNode) else "a mapping"
        faults.append(fault_at(node, "B203", f"{found} where {says} is expected", expected=says))
        return None
    if node.is_null or not node.value.strip():
        faults.append(fault_at(node, "B203", f"nothing where {says} is expected", expected=says))
        return None
    return node.value


def duration(text: str) -> dt.timedelta | None:
    """`30d`, `1d12h`, `0s`: weeks, days, hours, minutes, seconds."""
    if not _DURATION.fullmatch(text.strip()):
        return None
    seconds = sum(int(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(text))
    return dt.timedelta(seconds=seconds) if seconds <= DURATION_MAX.total_seconds() else None


def number(text: str) -> Decimal | None:
    """A plain decimal number; `0123`, `1e3` and `1_000` are texts."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def moment(text: str) -> dt.datetime | None:
    """A date, a local date and time (naive), or an instant with its offset."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def plain(node: Node) -> Any:
    """A node as plain data: unquoted numbers, true, false and null are values, the rest is text."""
    match node:
        case TextNode() if node.style:
            return node.value
        case TextNode() if node.is_null:
            return None
        case TextNode(value="true" | "false"):
            return node.value == "true"
        case TextNode():
            figure = number(node.value)
            if figure is None:
                return node.value
            return int(figure) if "." not in node.value else figure
        case ListNode():
            return [plain(item) for item in node.items]
        case MapNode():
            return {key.value: plain(value) for key, value in node.items}


# --- scalars ------------------------------------------------------------------------------------
def _scalar(
    says: str, convert: Callable[[str], Any], code: str, hint: str | None, schema: dict[str, Any]
) -> Shape:
    def read(node: Node, faults: Faults) -> Any:
        text = text_of(node, faults, says)
        if text is None:
            return None
        value = convert(text)
        if value is None:
            message = f"'{text[:60]}' is not {says}"
            faults.append(fault_at(node, code, message, expected=says, hint=hint))
        return value

    return Shape(says, read, schema)


def _local_time(text: str) -> dt.time | None:
    found = _LOCAL_TIME.fullmatch(text)
    if not found:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups())
    return dt.time(hour, minute, second)


def _percent(text: str) -> Decimal | None:
    share = number(text.removesuffix("%").rstrip())
    return share if share is not None and 0 <= share <= 100 else None


def _aware(text: str) -> str | None:
    found = moment(text)
    return text if found is not None and found.tzinfo is not None else None


def _short(text: str) -> str | None:
    return text.strip() if len(text) <= TEXT_LENGTH_MAX else None


TEXT = _scalar(
    "a text", _short, "B203", f"at most {TEXT_LENGTH_MAX:,} characters", {"type": "string"}
)
IDENTIFIER = _scalar(
    "a name", lambda t: t if NAME.fullmatch(t) else None, "B214",
    "letters, digits and _, not beginning with a digit",
    {"type": "string", "pattern": f"^{NAME.pattern}$"},
)  # fmt: skip
IDENTITY = _scalar(
    "a rule id", lambda t: t if RULE_ID.fullmatch(t) else None, "B214",
    "letters, digits, '-', '_' and '.', at most 100",
    {"type": "string", "pattern": f"^{RULE_ID.pattern}$"},
)  # fmt: skip
BOOLEAN = _scalar(
    "true or false", {"true": True, "false": False}.get, "B206",
    "only true and false are booleans", {"type": "boolean"},
)  # fmt: skip
NUMBER = _scalar("a number", number, "B205", None, {"type": "number"})
DURATION = _scalar(
    "a duration such as 30d", duration, "B204",
    "weeks, days, hours, minutes, seconds: 2w, 30d, 12h, 10m, 45s or 1d12h",
    {"type": "string", "pattern": "^([0-9]+ ?[wdhms] ?)+$"},
)  # fmt: skip
LOCAL_TIME = _scalar(
    'a local time such as "09:00"', _local_time, "B207", "00:00 to 23:59",
    {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"},
)  # fmt: skip
MOMENT = _scalar(
    "a date or an instant", moment, "B208",
    '2026-12-01, "2026-12-01T10:00" (local) or "2026-12-01T10:00:00+08:00"',
    {"type": "string"},
)  # fmt: skip
INSTANT = _scalar(
    "an instant with its offset", _aware, "B208", 'such as "2026-12-01T10:00:00+08:00"',
    {"type": "string"},
)  # fmt: skip
PERCENT = _scalar(
    "a share such as 5%", _percent, "B205", "0% to 100%",
    {"type": ["string", "number"], "pattern": r"^[0-9.]+ ?%?$"},
)  # fmt: skip


def whole(minimum: int, maximum: int) -> Shape:
    """A whole number within a range, bounds included."""

    def convert(text: str) -> int | None:
        found = number(text)
        if found is None or "." in text or not minimum <= found <= maximum:
            return None
        return int(found)

    says = f"a whole number from {minimum:,} to {maximum:,}"
    schema = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return _scalar(says, convert, "B205", None, schema)


def word(*choices: str) -> Shape:
    """One of some words."""

    def read(node: Node, faults: Faults) -> str | None:
        text = text_of(node, faults, "a word")
        if text is None or text in choices:
            return text
        hint, expected = did_you_mean(text, choices), listed(choices)
        message = f"'{text[:60]}' is not one of the words allowed here"
        faults.append(fault_at(node, "B209", message, expected=expected, hint=hint))
        return None

    return Shape("one of " + ", ".join(choices), read, {"enum": list(choices)})


def either(first: Shape, second: Shape) -> Shape:
    """A value of the first shape, else of the second; the fault shown is the more helpful one."""

    def read(node: Node, faults: Faults) -> Any:
        tried: Faults = []
        for shape in (first, second):
            found: Faults = []
            value = shape.read(node, found)
            if value is not None and not found:
                return value
            tried += found
        says = f"{first.says}, or {second.says}"
        one = next((f for f in tried if "did you mean" in (f.hint or "")), tried[0])
        faults.append(fault_at(node, one.code, one.message, expected=says, hint=one.hint))
        return None

    return Shape(f"{first.says}, or {second.says}", read, {"anyOf": [first.schema, second.schema]})


# --- lists and mappings ---------------------------------------------------------------------------
def items(one: Shape) -> Shape:
    """A list of such values; a single value stands for a list of one. Read as a tuple."""

    def read(node: Node, faults: Faults) -> tuple[Any, ...] | None:
        parts = node.items if isinstance(node, ListNode) else [node]
        if len(parts) > ITEMS_MAX:
            faults.append(fault_at(node, "B215", f"more than {ITEMS_MAX:,} items"))
            return None
        values = [one.read(part, faults) for part in parts]
        return tuple(value for value in values if value is not None)

    schema = {"anyOf": [one.schema, {"type": "array", "items": one.schema}]}
    return Shape(f"{one.says}, or a list of such", read, schema)


def _expression(node: Node, faults: Faults) -> TextNode | None:
    if text_of(node, faults, "an expression") is None:
        return None
    assert isinstance(node, TextNode)
    return node


def _expressions(node: Node, faults: Faults) -> dict[str, TextNode] | None:
    if not isinstance(node, MapNode):
        faults.append(fault_at(node, "B203", "expected a mapping from names to expressions"))
        return None
    found: dict[str, TextNode] = {}
    for key, value in node.items:
        name, expression = IDENTIFIER.read(key, faults), _expression(value, faults)
        if name is not None and expression is not None:
            found[name] = expression
    return found


# Read in a second pass, when the names in scope are known: the reader hands the node on.
EXPRESSION = Shape("an expression", _expression, {"type": ["string", "number", "boolean"]})
EXPRESSIONS = Shape(
    "a mapping from names to expressions", _expressions,
    {"type": "object", "additionalProperties": EXPRESSION.schema},
)  # fmt: skip
ANYTHING = Shape("anything", lambda node, faults: node, {})
