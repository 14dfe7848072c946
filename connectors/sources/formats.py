"""From a text of a bank's file to a value: dates, numbers, words, phones, names.

In: a text that is not empty. Out: a value that JSON can carry; `Unmappable` says what was expected.
Invariant: nothing is guessed: a text that is not exactly of the declared format is refused.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import phonenumbers

from belfry.connectors.reasons import Reason
from belfry.connectors.sources.model import As, Value

NUMBER_LENGTH_MAX = 40
MARKS_MAX = 2  # combining marks on one character

_DROPPED = frozenset(("Cc", "Cs", "Cf", "Co", "Cn"))
_SPACES = frozenset(("Zs", "Zl", "Zp"))
_DIRECTIVES: dict[str, str] = {
    "%Y": r"(?P<Y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%H": r"(?P<H>\d{1,2})",
    "%M": r"(?P<M>\d{2})",
    "%S": r"(?P<S>\d{2})",
    "%f": r"(?P<f>\d{1,6})",
    "%z": r"(?P<z>Z|[+-]\d{2}:?\d{2})",
}
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}


class Unmappable(Exception):  # noqa: N818  (becomes a `Rejected` in one place: map_row)
    """A text that is not what the mapping says. Carries no value."""

    def __init__(self, reason: Reason, expected: str) -> None:
        super().__init__(expected)
        self.reason = reason
        self.expected = expected


# --- dates --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DateFormat:
    """A format as a pattern. Two-digit years fall into the hundred years from `years_from`."""

    pattern: re.Pattern[str]
    says: str
    years_from: int
    month_plus: int

    def read(self, text: str) -> dt.datetime:
        """Naive, unless the format holds an offset. A date alone is its midnight."""
        found = self.pattern.fullmatch(text)
        if found is None:
            raise Unmappable(Reason.BAD_TIME, f"expected a date like {self.says}")
        parts = found.groupdict()
        month = int(parts["m"])
        if self.month_plus and month > self.month_plus:
            month -= self.month_plus
        try:
            moment = dt.datetime(  # noqa: DTZ001  (its zone comes from the mapping)
                self._year(parts),
                month,
                int(parts["d"]),
                int(parts.get("H") or 0),
                int(parts.get("M") or 0),
                int(parts.get("S") or 0),
                int((parts.get("f") or "0").ljust(6, "0")),
            )
        except ValueError:
            said = f"expected a date that exists, like {self.says}"
            raise Unmappable(Reason.BAD_TIME, said) from None
        return moment.replace(tzinfo=_offset(parts["z"])) if parts.get("z") else moment

    def _year(self, parts: dict[str, str]) -> int:
        if parts.get("Y"):
            return int(parts["Y"])
        return self.years_from + (int(parts["y"]) - self.years_from) % 100


def date_format(text: str, *, years_from: int | None = None, month_plus: int = 0) -> DateFormat:
    """`%Y-%m-%d`, `%d.%m.%Y %H:%M`, or `YYMMDD`, `DD/MM/YYYY`. ValueError if it is none."""
    directives = _directives(text)
    pieces = re.split(r"(%.)", directives)
    pattern = ""
    for index, piece in enumerate(pieces):
        if not piece.startswith("%"):
            pattern += re.escape(piece)
            continue
        if piece not in _DIRECTIVES:
            raise ValueError(f"'{piece}' is not one of {' '.join(_DIRECTIVES)}")
        one = _DIRECTIVES[piece]
        # Without a sign beside it a figure has its full width: 9311 is no date.
        if "" in (pieces[index - 1] if index > 1 else " ", _after(pieces, index)):
            one = one.replace(r"\d{1,2}", r"\d{2}")
        pattern += one
    seen = re.findall("%.", directives)
    if len(seen) != len(set(seen)) or not {"%m", "%d"} <= set(seen):
        raise ValueError("a date needs a year, %m and %d, each once")
    if ("%Y" in seen) == ("%y" in seen):
        raise ValueError("a date needs %Y or %y")
    if "%y" in seen and years_from is None:
        raise ValueError("two-digit years need `years_from`, such as 1950: they are then 1950-2049")
    return DateFormat(re.compile(pattern, re.ASCII), text, years_from or 0, month_plus)


def _after(pieces: list[str], index: int) -> str:
    """What follows a directive; the end of the format parts like a sign does."""
    is_last = index == len(pieces) - 2 and not pieces[-1]
    return " " if is_last else pieces[index + 1]


def _directives(text: str) -> str:
    if "%" in text:
        return text
    for letters, directive in (("YYYY", "%Y"), ("YY", "%y"), ("MM", "%m"), ("DD", "%d")):
        text = text.replace(letters, directive, 1)
    for letters, directive in (("HH", "%H"), ("mm", "%M"), ("SS", "%S")):
        text = text.replace(letters, directive, 1)
    return text


def _offset(text: str) -> dt.tzinfo:
    if text == "Z":
        return dt.UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return dt.timezone(dt.timedelta(minutes=-minutes if text[0] == "-" else minutes))


# --- the converters -------------------------------------------------------------------------------
def converter(value: Value) -> Callable[[str], object]:
    """The function that turns this value's texts into what the event carries."""
    match value.as_:
        case As.TEXT:
            return lambda text: text
        case As.NUMBER | As.INTEGER:
            return _number(value)
        case As.BOOLEAN:
            return _boolean
        case As.DATE:
            dates = _dates(value)
            return lambda text: dates(text).date().isoformat()
        case As.INSTANT:
            return _instant(value)
        case As.PHONE:
            return lambda text: phone(text, value.country)
        case As.NAME:
            return clean_name


def _number(value: Value) -> Callable[[str], object]:
    point, group = re.escape(value.decimal), re.escape(value.thousands)
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if group else r"\d+"
    pattern = re.compile(rf"[+-]?(?:{whole})(?:{point}\d+)?", re.ASCII)
    scale, is_whole = value.scale, value.as_ is As.INTEGER

    def read(text: str) -> object:
        if len(text) > NUMBER_LENGTH_MAX or not pattern.fullmatch(text):
            raise Unmappable(Reason.BAD_NUMBER, f"expected a number like 1{value.decimal}50")
        if value.thousands:
            text = text.replace(value.thousands, "")
        number = Decimal(text.replace(value.decimal, ".") if value.decimal != "." else text)
        if scale is not None:
            number *= scale
        if value.absolute:
            number = abs(number)
        if not is_whole:
            return number
        if number != number.to_integral_value():
            raise Unmappable(Reason.BAD_NUMBER, "expected a whole number")
        return int(number)

    return read


def _boolean(text: str) -> bool:
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise Unmappable(Reason.UNKNOWN_WORD, "expected true or false (or use codes)")
    return found


def _dates(value: Value) -> Callable[[str], dt.datetime]:
    if value.format == "epoch_s":
        return lambda text: _epoch(text, 1)
    if value.format == "epoch_ms":
        return lambda text: _epoch(text, 1000)
    if value.format == "iso":
        return _iso
    made = date_format(value.format, years_from=value.years_from, month_plus=value.month_plus)
    return made.read


def _epoch(text: str, per_second: int) -> dt.datetime:
    if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        raise Unmappable(Reason.BAD_TIME, "expected seconds or milliseconds since 1970")
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    try:
        return start + dt.timedelta(microseconds=int(text) * 1_000_000 // per_second)
    except OverflowError:
        raise Unmappable(Reason.BAD_TIME, "expected a time that exists") from None


def _iso(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise Unmappable(Reason.BAD_TIME, "expected an ISO 8601 date or time") from None


def _instant(value: Value) -> Callable[[str], object]:
    dates, zone = _dates(value), value.time_zone
    has_time = "%H" in _directives(value.format) or value.format.startswith(("iso", "epoch"))
    hour, minute = (int(part) for part in value.at.split(":"))

    def read(text: str) -> object:
        moment = dates(text)
        if not has_time or (value.format == "iso" and len(text) == len("2026-03-02")):
            moment = moment.replace(hour=hour, minute=minute)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        try:
            offset = moment.utcoffset()
            # RFC 3339 knows no seconds in an offset; zones before 1900 have them.
            if offset is not None and offset.seconds % 60:
                moment = moment.astimezone(dt.UTC)
            return moment.isoformat()
        except OverflowError:
            raise Unmappable(Reason.BAD_TIME, "expected a time that exists") from None

    return read


def phone(text: str, country: str) -> str:
    """E.164. `country` is that of numbers written without `+`."""
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise Unmappable(Reason.BAD_TEXT, "expected a phone number that can exist")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def clean_name(text: str) -> str:
    """NFC, one line, nothing invisible: no control, bidi or zero-width character, no zalgo."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category in _SPACES or character in "\t\r\n":
            kept.append(" ")
        elif category not in _DROPPED and marks <= MARKS_MAX:
            kept.append(character)
    plain = " ".join("".join(kept).split())
    if not plain:
        raise Unmappable(Reason.BAD_TEXT, "expected a name")
    return plain


CLEANINGS: dict[str, Callable[[str], str]] = {
    "digits": lambda text: re.sub(r"\D", "", text, flags=re.ASCII),
    "lower": str.lower,
    "no_leading_zeros": lambda text: text.lstrip("0") or "0",
    "one_line": lambda text: " ".join(text.split()),
    "title": str.title,
    "upper": str.upper,
}
