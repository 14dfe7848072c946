"""Cuts an expression into tokens with places, before anything is evaluated.

In: text. Out: tokens, or the first `Trouble`. Durations (`30d`) and literals become values here.
Invariant: bounded in length and count; nothing of the text is run.
Source of the forms: rule_engine 5.1 parser/__init__.py; durations like `30d` are ours.
"""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

LENGTH_MAX = 4000
TOKENS_MAX = 1000
DIGITS_MAX = 18  # as for money in events
CENTURY_S = 36525 * 86400
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
   (?P<name>(?![rsdtb]["'])\$?[A-Za-z_][A-Za-z0-9_]*)
  |(?P<duration>[0-9]+[wdhms](?:[0-9]+[wdhms])*(?![A-Za-z0-9_.]))
  |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_]))
  |(?P<figure>[0-9][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
  |(?P<text>[rsdtb]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
  |(?P<operator>\?\?|=~~|!~~|=~|!~|==|!=|<=|>=|<<|>>|\*\*|//|&\.|&\[|&&|\|\||
      [-+*/%<>?:().,\[\]{}&|^=!])
  |(?P<space>\#.*|$)
  |(?P<wrong>.))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"""\\([\\'"ntr]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)""")
_ESCAPES = frozenset("\\'\"ntrxu")
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


class Trouble(Exception):  # noqa: N818  (not an error of the program)
    """What is wrong at an offset of the text, and what to do."""

    def __init__(
        self,
        code: str,
        start: int,
        message: str,
        *,
        width: int = 1,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.start, self.message = code, start, message
        self.width, self.expected, self.hint = max(width, 1), expected, hint


class Token(NamedTuple):
    """`kind`: number, text, duration, instant, name, operator or end."""

    kind: str
    text: str
    start: int
    value: Any = None

    @property
    def end(self) -> int:
        """The offset right after it."""
        return self.start + len(self.text)


def tokenize(text: str) -> list[Token]:
    """All tokens and an `end`. Raises `Trouble` at the first that is none."""
    if len(text) > LENGTH_MAX:
        raise Trouble("B320", 0, f"an expression of more than {LENGTH_MAX} characters")
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        word, start = match[kind], match.start(kind)
        if kind == "space":
            continue
        reader = _READERS.get(kind)
        found.append(Token(kind, word, start) if reader is None else reader(word, start))
        if len(found) > TOKENS_MAX:
            raise Trouble("B320", start, f"an expression of more than {TOKENS_MAX} words")
    found.append(Token("end", "", len(text)))
    return found


def _number(word: str, start: int) -> Token:
    value = Decimal(word)
    exponent = value.as_tuple().exponent
    is_long = len(value.as_tuple().digits) > DIGITS_MAX
    if is_long or not isinstance(exponent, int) or abs(exponent) > DIGITS_MAX:
        raise Trouble("B314", start, f"a number of more than {DIGITS_MAX} digits", width=len(word))
    return Token("number", word, start, value)


def _figure(word: str, start: int) -> Token:
    hint = "write numbers as 1000 or 0.5 and durations as 2w, 30d, 12h, 10m, 45s"
    raise Trouble(
        "B310", start, f"neither a number nor a duration: {word}", width=len(word), hint=hint
    )


def _duration(word: str, start: int) -> Token:
    # An author may write any number of digits; int() of thousands of them is refused by Python.
    parts = re.findall(r"([0-9]+)([wdhms])", word)
    if any(len(number) > DIGITS_MAX for number, _ in parts):
        raise Trouble("B314", start, "a duration of more than 100 years", width=len(word))
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in parts)
    return Token("duration", word, start, _delta(seconds, word, start))


def _delta(seconds: int, word: str, start: int) -> dt.timedelta:
    if seconds > CENTURY_S:
        raise Trouble("B314", start, "a duration of more than 100 years", width=len(word))
    return dt.timedelta(seconds=seconds)


def _text(word: str, start: int) -> Token:
    prefix = word[0] if word[0] in "rsdtb" else ""
    if prefix == "b":
        raise Trouble("B314", start, "bytes are not used in rules", width=len(word))
    value = _unescaped(word, prefix, start)
    if prefix == "d":
        return Token("instant", word, start, _instant(value, word, start))
    if prefix == "t":
        return Token("duration", word, start, _iso_duration(value, word, start))
    return Token("text", word, start, value)


def _unescaped(word: str, prefix: str, start: int) -> str:
    body = word[len(prefix) :]
    if prefix == "r":
        return body[1:-1]
    for escape in _ESCAPE.finditer(body):
        if escape[1][0] not in _ESCAPES or escape[1] in ("x", "u"):
            place = start + len(prefix) + escape.start()
            hint = f"write r{body} to keep backslashes as they are"
            raise Trouble("B310", place, f"a broken escape: {escape[0]}", width=2, hint=hint)
    value: str = ast.literal_eval(body)
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Trouble("B310", start, "half a surrogate pair is no letter", width=len(word))
    return value


def _iso_duration(value: str, word: str, start: int) -> dt.timedelta:
    match = _ISO.fullmatch(value)
    if (
        match is None
        or value in ("P", "PT")
        or any(len(n or "") > DIGITS_MAX for n in match.groups())
    ):
        hint = 'write it as 30d or t"P30D"'
        raise Trouble("B310", start, f"not a duration: {value!r}", width=len(word), hint=hint)
    numbers = [int(number or 0) for number in match.groups()]
    seconds = sum(n * unit for n, unit in zip(numbers, _SECONDS.values(), strict=True))
    return _delta(seconds, word, start)


def _instant(value: str, word: str, start: int) -> dt.datetime:
    hint = 'write it as d"2026-01-31" or d"2026-01-31T09:00:00+08:00"'
    try:
        found = dt.datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except ValueError:
        message = f"no such date: {value!r}"
        raise Trouble("B310", start, message, width=len(word), hint=hint) from None


def _wrong(word: str, start: int) -> Token:
    is_quote = word in "\"'"
    what = "this text has no end" if is_quote else f"this character means nothing here: {word!r}"
    raise Trouble("B310", start, what)


_READERS: dict[str, Callable[[str, int], Token]] = {
    "number": _number,
    "figure": _figure,
    "duration": _duration,
    "text": _text,
    "wrong": _wrong,
}
