"""How many SMS a text is: what the network bills, and what a rate limit counts.

In: a text. Out: its alphabet, its units, its segments, and the text as it is best sent.
Invariant: no escaped GSM character and no surrogate pair is ever split over two segments.
Source: 3GPP TS 23.038 (GSM 7-bit), TS 23.040 (140 octets, a 6-octet header in each part);
compared with Twilio's own calculator in bench/segments_vs_twilio.py.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

# 140 octets are 160 septets or 70 UTF-16 units; a header of 6 octets leaves 153 or 67.
GSM = (160, 153)
UCS = (70, 67)

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape and a character: two septets

# One of these turns 160 characters a segment into 70, and nobody sees it. Babel writes U+00A0 into
# Czech money and U+202F into English times.
PLAIN = str.maketrans(
    {
        **dict.fromkeys(
            "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
            "\u205f\u3000",
            " ",
        ),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        "\u2026": "...",
        "\t": " ",
    }
)


class Alphabet(enum.StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Count:
    """`units`: septets or UTF-16 units, without headers and without what a boundary leaves free."""

    alphabet: Alphabet
    units: int
    segments: int

    def cost(self, price: Decimal) -> Decimal:
        return self.segments * price


def count(text: str) -> Count:
    """As it would be sent, exactly: nothing is replaced. The empty text is one segment."""
    if BASIC.issuperset(text):
        return _counted(Alphabet.GSM7, GSM, len(text), (1 for _ in text))
    if all(one in BASIC or one in EXTENDED for one in text):
        widths = [2 if one in EXTENDED else 1 for one in text]
        return _counted(Alphabet.GSM7, GSM, sum(widths), widths)
    widths = [2 if ord(one) > 0xFFFF else 1 for one in text]
    return _counted(Alphabet.UCS2, UCS, sum(widths), widths)


def plain(text: str) -> str:
    """With spaces, quotes and dashes that every phone has, where that saves the alphabet.

    A text that needs UCS-2 anyway keeps its typography, but not its odd spaces; joiners stay where
    they hold an emoji or a script together.
    """
    simple = text.translate(PLAIN)
    if count(simple).alphabet is Alphabet.GSM7:
        return simple
    return text.translate(SPACES)


SPACES = {code: " " for code, replaced in PLAIN.items() if replaced == " " and code != 0x3000}


def _counted(
    alphabet: Alphabet, capacity: tuple[int, int], units: int, widths: Iterable[int]
) -> Count:
    alone, joined = capacity
    if units <= alone:
        return Count(alphabet, units, 1)
    segments, free = 1, joined
    for width in widths:
        if width > free:
            segments, free = segments + 1, joined
        free -= width
    return Count(alphabet, units, segments)
