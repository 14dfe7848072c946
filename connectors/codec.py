"""From the bytes of one record to one typed event, or to the reason why not.

In: JSON, Belfry's flat object or a CloudEvents 1.0 envelope. Out: an `Event` in UTC, or `Rejected`.
Invariant: never raises, whatever the bytes; no value of a customer is in `Rejected.detail`.
Bounds: measured in docs/decisions (Decimal accepts NaN and 1e999999, so every number is looked at).
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import re
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET

from belfry.connectors.reasons import Reason, Rejected
from belfry.engine.event_types import EventTypes
from belfry.engine.events import Event
from belfry.engine.fields import Kind
from belfry.engine.rulebook.suggest import did_you_mean

__all__ = ["Decoder", "Reason", "Rejected"]

RECORD_BYTES_MAX = 256 * 1024
DIGITS_MAX = 18
EXPONENT_MAX = 6
_WHOLE_MAX = int("1" + "0" * DIGITS_MAX)
# Wide enough for any bank's history, narrow enough that adding a delay never leaves the calendar.
TIME_MIN = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
TIME_MAX = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)

_UTC = dt.UTC
_OUTSIDE = Rejected(Reason.OUT_OF_RANGE, "time is outside of the years 1900 to 2199")
_BOUNDS = f"at most {DIGITS_MAX} digits, {EXPONENT_MAX} of them after the point"
_ENVELOPE = b'"specversion"'
_NUL = b"\\u0000"
_ATTRIBUTES = ("type", "id", "source", "time")
_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_BYTE = re.compile(r"\(byte (\d+)\)")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_NOT_JSON_NUMBER = re.compile(rb"[+-]?(NaN|nan|Inf|inf)")

# What msgspec says → our reason and words of our own; the first that is found counts.
_SAID: tuple[tuple[str, Reason, str], ...] = (
    ("missing required field", Reason.MISSING_FIELD, "is required"),
    ("matching regex", Reason.UNKNOWN_WORD, "is not one of its words"),
    ("Invalid enum value", Reason.UNKNOWN_WORD, "is not one of its words"),
    ("of length", Reason.BAD_TEXT, "is empty or too long"),
    ("Invalid decimal", Reason.BAD_NUMBER, "is not a number"),
    ("out of range", Reason.BAD_NUMBER, "is not a number of the size expected"),
    ("Integer value", Reason.BAD_NUMBER, "is not a number of the size expected"),
    ("Invalid RFC3339 encoded datetime", Reason.BAD_TIME, "is not an RFC 3339 time that exists"),
    ("Invalid RFC3339 encoded date", Reason.BAD_TIME, "is not a date that exists (YYYY-MM-DD)"),
    ("timezone component", Reason.BAD_TIME, "needs an offset, such as +08:00"),
)


class Decoder:
    """Decodes what a source may deliver: every type of the rulebook but the engine's own."""

    def __init__(self, types: EventTypes) -> None:
        self.types = types
        structs = [types.structs[name] for name in types.incoming]
        union: Any = functools.reduce(operator.or_, structs[1:], structs[0])
        self._decode = msgspec.json.Decoder(union).decode
        self._numbers: dict[type[Event], tuple[str, ...]] = {
            types.structs[name]: tuple(
                field.name for field in types.fields[name].values() if field.kind is Kind.NUMBER
            )
            for name in types.incoming
        }
        self._transaction = types.structs["transaction"]

    def decode_event(self, raw: bytes, *, source: str = "") -> Event | Rejected:
        """`source` stands in where the event names none."""
        if len(raw) > RECORD_BYTES_MAX:
            return Rejected(Reason.TOO_LARGE, f"more than {RECORD_BYTES_MAX:,} bytes")
        found = self._decode_flat(raw)
        # An envelope is never a good flat event: its attributes cannot name a customer (CloudEvents
        # allows no `_` in names). Looking for it only now keeps the common path fast.
        if isinstance(found, Rejected) and raw.find(_ENVELOPE) >= 0:
            try:
                found = self._decode_flat(_unwrapped(raw))
            except (msgspec.ValidationError, RecursionError, ValueError) as problem:
                return self._why(problem, raw)
        if isinstance(found, Rejected):
            return found
        if not found.source:
            found.source = source
        return found

    def _decode_flat(self, raw: bytes) -> Event | Rejected:
        try:
            event: Event = self._decode(raw)
        except (msgspec.ValidationError, RecursionError, ValueError) as problem:
            return self._why(problem, raw)
        time = event.time
        if time.tzinfo is not _UTC:
            try:
                event.time = time = time.astimezone(_UTC)
            except OverflowError:
                return _OUTSIDE
        if not TIME_MIN <= time < TIME_MAX:
            return _OUTSIDE
        for name in self._numbers[type(event)]:
            value = getattr(event, name)
            if value is not None and value is not UNSET and not _is_bounded(value):
                return Rejected(Reason.BAD_NUMBER, f"{name} is not a finite number of {_BOUNDS}")
        if type(event) is self._transaction and event.amount <= 0:  # type: ignore[attr-defined]
            return Rejected(Reason.OUT_OF_RANGE, "amount is more than 0; the direction is apart")
        if (
            event.account_id is None
            and event.customer_id is None
            and event.card_id is None
            and event.loan_id is None
        ):
            said = "one of customer_id, account_id, card_id, loan_id is required"
            return Rejected(Reason.NO_SUBJECT, said)
        # `92 in raw`, the backslash as a number, is six times as fast as looking for its bytes.
        if 92 in raw and _NUL in raw and _has_nul(msgspec.to_builtins(event)):
            return Rejected(Reason.BAD_TEXT, "a text holds the character NUL")
        return event

    def _why(self, problem: Exception, raw: bytes) -> Rejected:
        if isinstance(problem, RecursionError):
            return Rejected(Reason.TOO_DEEP, "nested too deeply")
        if isinstance(problem, msgspec.ValidationError):
            return self._invalid(str(problem), raw)
        try:
            raw.decode()
        except UnicodeDecodeError as where:
            return Rejected(Reason.INVALID_UTF8, f"not UTF-8 at byte {where.start}")
        said = str(problem)
        if _LONE_SURROGATE.search(raw):
            return Rejected(Reason.BAD_TEXT, "a text holds half a character (lone surrogate)")
        at = _BYTE.search(said)
        if at is None:
            return Rejected(Reason.BROKEN_JSON, "not JSON: it ends too early")
        byte = int(at[1])
        if _NOT_JSON_NUMBER.match(raw, max(byte - 1, 0)) or _NOT_JSON_NUMBER.match(raw, byte):
            return Rejected(Reason.BAD_NUMBER, f"NaN and infinity are no numbers (byte {byte})")
        return Rejected(Reason.BROKEN_JSON, f"not JSON at byte {byte}")

    def _invalid(self, said: str, raw: bytes) -> Rejected:
        at = _AT.search(said)
        path = at[1] if at else ""
        if path == "type" and "Invalid value" in said:
            return Rejected(Reason.UNKNOWN_TYPE, self._unknown_type(raw))
        for words, reason, ours in _SAID:
            if words in said:
                missing = _MISSING.search(said)
                field = ".".join(part for part in (path, missing[1] if missing else "") if part)
                return Rejected(reason, f"{field or 'the record'} {ours}")
        wanted = said.partition(" - at ")[0].replace("`", "").lower()
        return Rejected(Reason.WRONG_TYPE, f"{path or 'the record'}: {wanted}")

    def _unknown_type(self, raw: bytes) -> str:
        """`type` names a kind of event, no customer; shown only if it looks like a name."""
        try:
            word = msgspec.json.decode(raw, type=_Typed).type
        except (msgspec.MsgspecError, RecursionError, ValueError):
            word = ""
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,60}", word):
            return "type is not a type of event that a source may deliver"
        hint = did_you_mean(word, self.types.incoming)
        return f"unknown type '{word}'" + (f"; {hint}" if hint else "")


class _Typed(msgspec.Struct):
    type: str


def _is_bounded(value: Decimal | int) -> bool:
    if type(value) is int:
        return -_WHOLE_MAX < value < _WHOLE_MAX
    assert isinstance(value, Decimal)
    # The plain notation of ordinary money: a third of the cost of `as_tuple`.
    text = str(value)
    if len(text) <= DIGITS_MAX and text.replace(".", "", 1).isdecimal():
        return text.find(".", 0, -EXPONENT_MAX - 1) < 0
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # NaN and infinity have letters there
        return False
    places = len(digits) + max(exponent, 0)
    return -EXPONENT_MAX <= exponent <= EXPONENT_MAX and places <= DIGITS_MAX


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_nul(one) for one in value)
    return isinstance(value, str) and "\0" in value


def _unwrapped(raw: bytes) -> bytes:
    """A CloudEvents envelope as our flat object; anything else as it is.

    Attributes win over fields of the same name in `data`. May raise what msgspec raises.
    """
    outer = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    if "specversion" not in outer:
        return raw
    if msgspec.json.decode(outer["specversion"]) != "1.0":
        raise msgspec.ValidationError("Expected CloudEvents 1.0 - at `$.specversion`")
    if "data" not in outer:
        raise msgspec.ValidationError("Object missing required field `data`")
    flat = msgspec.json.decode(outer["data"], type=dict[str, msgspec.Raw])
    flat |= {name: outer[name] for name in _ATTRIBUTES if name in outer}
    return msgspec.json.encode(flat)
