"""Cuts an expression into tokens with places, before anything is evaluated.

In: text. Out: tokens, or the first `Trouble`. Durations (`30d`) and literals become values here.
Invariant: bounded in length and count; nothing of the text is run.
"""

from __future__ import annotations

import ast
import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

LENGTH_MAX = 4000
TOKENS_MAX = 1000
DIGITS_MAX = 18  # as for money in events
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\#.*)
  |(?P<duration>[0-9]+[wdhms](?:[0-9]+[wdhms])*(?![A-Za-z0-9_.]))
  |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z_]))
  |(?P<text>[rsdtb]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
  |(?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)
  |(?P<operator>\?\?|=~~|!~~|=~|!~|==|!=|<=|>=|<<|>>|\*\*|//|&\.|&\[|&&|\|\||[-+*/%<>?:().,\[\]{}&|^=!])
  |(?P<wrong>.)""",
    re.VERBOSE,
)
_ISO = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE
)


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


@dataclass(frozen=True, slots=True)
class Token:
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
        kind, word, start = str(match.lastgroup), match.group(), match.start()
        if kind == "space":
            continue
        if kind == "wrong":
            raise Trouble("B310", start, f"this character means nothing here: {word!r}")
        found.append(_READERS[kind](word, start))
        if len(found) > TOKENS_MAX:
            raise Trouble("B320", start, f"an expression of more than {TOKENS_MAX} words")
    found.append(Token("end", "", len(text)))
    return found


def _number(word: str, start: int) -> Token:
    try:
        value = Decimal(word)
    except InvalidOperation:
        raise Trouble("B310", start, f"not a number: {word}", width=len(word)) from None
    exponent = value.as_tuple().exponent
    if len(value.as_tuple().digits) > DIGITS_MAX or not isinstance(exponent, int) or (
        abs(exponent) > DIGITS_MAX
    ):
        raise Trouble("B314", start, f"a number of more than {DIGITS_MAX} digits", width=len(word))
    return Token("number", word, start, value)


def _duration(word: str, start: int) -> Token:
    seconds = sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"([0-9]+)([wdhms])", word))
    return Token("duration", word, start, _delta(seconds, word, start))


def _delta(seconds: int, word: str, start: int) -> dt.timedelta:
    if seconds > 36525 * 86400:
        raise Trouble("B314", start, "a duration of more than 100 years", width=len(word))
    return dt.timedelta(seconds=seconds)


def _text(word: str, start: int) -> Token:
    prefix = word[0] if word[0] in "rsdtb" else ""
    if prefix == "b":
        raise Trouble("B314", start, "bytes are not used in rules", width=len(word))
    body = word[len(prefix) :]
    try:
        value = ast.literal_eval(("r" if prefix == "r" else "") + body)
    except (SyntaxError, ValueError):
        raise Trouble("B310", start, "a text with a broken escape", width=len(word)) from None
    if prefix == "d":
        return Token("instant", word, start, _instant(value, word, start))
    if prefix == "t":
        match = _ISO.fullmatch(value)
        if match is None or value.upper() in ("P", "PT"):
            hint = 'write it as 30d or t"P30D"'
            raise Trouble("B310", start, f"not a duration: {value!r}", width=len(word), hint=hint)
        parts = [int(part or 0) for part in match.groups()]
        seconds = sum(n * s for n, s in zip(parts, (604800, 86400, 3600, 60, 1), strict=True))
        return Token("duration", word, start, _delta(seconds, word, start))
    return Token("text", word, start, value)


def _instant(value: str, word: str, start: int) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        hint = 'write it as d"2026-01-31"'
        raise Trouble("B310", start, f"no such date: {value!r}", width=len(word), hint=hint) from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


_READERS = {
    "number": _number,
    "duration": _duration,
    "text": _text,
    "name": lambda word, start: Token("name", word, start),
    "operator": lambda word, start: Token("operator", word, start),
}
