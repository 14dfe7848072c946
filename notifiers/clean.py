"""Text that somebody outside the bank chose: made harmless before it stands in a message.

In: names, payees, merchants, notes. Out: one line of printable text, bounded.
Invariant: no control, bidi or zero-width character, no line break, no link comes from data.
Source: measured on spoofed names; docs/decisions/0003-templates.md.
"""

from __future__ import annotations

import re
import unicodedata

DATA_MAX = 100  # characters of one value; a longer name is cut with …
MARKS_MAX = 2  # combining marks on one character; keeps Vietnamese, ends zalgo

# Cc control, Cs lone surrogate, Cf format (bidi, zero-width, tags), Co private, Cn unassigned.
DROPPED = frozenset(("Cc", "Cs", "Cf", "Co", "Cn"))
SPACES = frozenset(("Zs", "Zl", "Zp"))
BREAKS = frozenset("\t\n\v\f\r\x85")  # Cc too, but they keep words apart

LINK = re.compile(r"\S*(?:://|\bwww\.)\S*", re.IGNORECASE)
# What no person is called: a link, an address, a phone number. "J.Novak" falls here too: nothing
# tells it from "x.com", and a neutral word is true of everybody.
ADDRESS_LIKE = re.compile(
    r"://|@|\bwww\.|[^\W\d_][.。．｡][^\W\d_]{2,}|(?:\d[\s-]?){6}", re.IGNORECASE
)

NEUTRAL: dict[str, str] = {"cs": "klient", "en": "customer", "zh": "客户"}


def clean_text(text: str, *, length_max: int = DATA_MAX) -> str:
    """NFC, one line, printable; links become …; cut at `length_max` characters."""
    plain = LINK.sub("…", clean_characters(text))
    return plain if len(plain) <= length_max else plain[: length_max - 1].rstrip() + "…"


def clean_characters(text: str) -> str:
    """The characters alone: every kind of space is one space, what cannot be seen is gone."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category in SPACES or character in BREAKS:
            kept.append(" ")
            marks = 0
        elif category in DROPPED:
            continue
        elif category in ("Mn", "Me"):
            marks += 1
            if marks <= MARKS_MAX:
                kept.append(character)
        else:
            kept.append(character)
            marks = 0
    return " ".join("".join(kept).split())


def clean_name(name: str, *, language: str) -> str:
    """A person's name for a salutation; what looks like a link or number gives a neutral word."""
    plain = clean_characters(name)
    if not plain or ADDRESS_LIKE.search(plain):
        return NEUTRAL.get(language.partition("-")[0].lower(), NEUTRAL["en"])
    return clean_text(plain)
