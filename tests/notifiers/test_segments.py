"""Segments of an SMS: cases known by hand, and what must hold for every text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.notifiers.segments import BASIC, EXTENDED, Alphabet, count, plain

GSM, UCS = Alphabet.GSM7, Alphabet.UCS2
PAIR = "\U0001f600"

KNOWN = [
    ("", GSM, 0, 1),
    ("a" * 160, GSM, 160, 1),
    ("a" * 161, GSM, 161, 2),
    ("a" * 306, GSM, 306, 2),
    ("a" * 307, GSM, 307, 3),
    ("a" * 459, GSM, 459, 3),
    ("a" * 460, GSM, 460, 4),
    ("€" * 80, GSM, 160, 1),
    # 153 is odd: of each part one septet stays free, since an escape stays with its character.
    ("€" * 81, GSM, 162, 2),
    ("€" * 152, GSM, 304, 2),
    ("€" * 153, GSM, 306, 3),
    ("a" * 152 + "€" + "a" * 152, GSM, 306, 3),
    ("a" * 151 + "€" + "a" * 153, GSM, 306, 2),
    ("a" * 159 + "€", GSM, 161, 2),
    ("余" * 70, UCS, 70, 1),
    ("余" * 71, UCS, 71, 2),
    ("余" * 134, UCS, 134, 2),
    ("余" * 135, UCS, 135, 3),
    (PAIR * 35, UCS, 70, 1),
    (PAIR * 36, UCS, 72, 2),
    # 67 is odd: 33 pairs a part. A count by UTF-16 units alone says two segments.
    (PAIR * 66, UCS, 132, 2),
    (PAIR * 67, UCS, 134, 3),
    ("余" * 66 + PAIR + "余" * 66, UCS, 134, 3),
    # An extended character counts once where the alphabet is UCS-2.
    ("余" + "€" * 69, UCS, 70, 1),
    ("【银行】余额不足", UCS, 8, 1),
    ("ř" + "a" * 70, UCS, 71, 2),
    ("ç", UCS, 1, 1),
    ("Ç", GSM, 1, 1),
    ("`", UCS, 1, 1),
    ("\f", GSM, 2, 1),
]


@pytest.mark.parametrize(("text", "alphabet", "units", "segments"), KNOWN)
def test_a_text_counts_as_it_does_by_hand(
    text: str, alphabet: Alphabet, units: int, segments: int
) -> None:
    counted = count(text)
    assert (counted.alphabet, counted.units, counted.segments) == (alphabet, units, segments)


def test_the_alphabets_have_the_size_of_the_standard() -> None:
    assert len(BASIC) == 127  # 128 places, one is the escape
    assert len(EXTENDED) == 10
    assert BASIC.isdisjoint(EXTENDED)


def parts(text: str) -> int:
    """The same by cutting: takes as much as fits, again and again."""
    gsm = all(one in BASIC or one in EXTENDED for one in text)
    alone, joined = (160, 153) if gsm else (70, 67)

    def width(one: str) -> int:
        return 1 + (one in EXTENDED) if gsm else len(one.encode("utf-16-le")) // 2

    if sum(map(width, text)) <= alone:
        return 1
    number, rest = 0, list(text)
    while rest:
        number, left = number + 1, joined
        while rest and width(rest[0]) <= left:
            left -= width(rest.pop(0))
    return number


NEAR = st.text(st.sampled_from("aé€^|余ř\U0001f600"), min_size=60, max_size=330)


@given(NEAR)
def test_counting_is_cutting(text: str) -> None:
    assert count(text).segments == parts(text)


@given(st.text(), st.text())
def test_a_longer_text_never_has_fewer_segments(one: str, other: str) -> None:
    assert count(one + other).segments >= count(one).segments


@given(st.text())
def test_plain_text_is_never_dearer_and_plain_already(text: str) -> None:
    made = plain(text)
    assert count(made).segments <= count(text.replace("…", "...")).segments
    assert plain(made) == made


def test_an_invisible_space_does_not_halve_a_segment() -> None:
    text = "Balance 1\u00a0500\u202fCZK at 3:04\u202fPM, “now” – it’s low…"
    assert count(text).alphabet is UCS
    assert plain(text) == 'Balance 1 500 CZK at 3:04 PM, "now" - it\'s low...'
    assert count(plain(text)).alphabet is GSM


def test_a_text_that_needs_the_wide_alphabet_keeps_its_typography_and_its_joined_emoji() -> None:
    assert plain("余额“低”…\u00a01") == "余额“低”… 1"
    family = "👨\u200d👩\u200d👧"
    assert plain(family) == family
    assert plain("您好\u3000再见") == "您好\u3000再见"


def test_cost_is_segments_times_price() -> None:
    assert count("余" * 71).cost(Decimal("0.045")) == Decimal("0.090")
