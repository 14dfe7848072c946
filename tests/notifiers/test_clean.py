"""What strangers write becomes harmless before it stands in a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.notifiers.clean import DATA_MAX, DROPPED, clean_characters, clean_name, clean_text

HOSTILE = [
    ("reversed by an override", "invoice\u202efdp.exe", "invoicefdp.exe"),
    ("zero-width space", "A\u200bB", "AB"),
    ("tag characters", "A\U000e0041B", "AB"),
    ("line breaks", "line\r\nBcc: x\u2028y", "line Bcc: x y"),
    ("NUL", "a\x00b", "ab"),
    ("lone surrogate", "a\ud800b", "ab"),
    ("zalgo", "o" + "\u0335" * 50, "o" + "\u0335" * 2),
    ("decomposed", "Nova\u0301k", "Novák"),
    ("ideographic space", "王\u3000芳", "王 芳"),
    ("rare character of a name", "𠮷野", "𠮷野"),
    ("Arabic", "محمد", "محمد"),
]


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in HOSTILE], ids=[r[0] for r in HOSTILE]
)
def test_what_cannot_be_seen_is_dropped_and_names_are_kept(text: str, expected: str) -> None:
    assert clean_characters(text) == expected


@given(st.text(st.characters()))
def test_cleaned_text_is_one_bounded_printable_line(text: str) -> None:
    import unicodedata

    cleaned = clean_text(text)
    assert len(cleaned) <= DATA_MAX
    assert "\n" not in cleaned
    assert not any(unicodedata.category(one) in DROPPED for one in cleaned)


@given(st.text(st.characters()))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean_characters(text)
    assert clean_characters(once) == once


def test_links_in_data_never_reach_a_customer() -> None:
    assert clean_text("pay at https://evil.cn/x now") == "pay at … now"
    assert clean_text("see www.evil.cn") == "see …"


NAMES = [
    ("王 http://evil.cn", "zh", "客户"),
    ("Call 0912345", "en", "customer"),
    ("mail me@evil.cn", "cs", "klient"),
    ("Evil.Cn", "en", "customer"),
    ("evil。cn", "zh-Hans", "客户"),
    ("", "fr", "customer"),
    ("Jan Novák", "cs", "Jan Novák"),
    ("J. Novák", "cs", "J. Novák"),
    ("O'Brien-Smith", "en", "O'Brien-Smith"),
    ("司马 相如", "zh", "司马 相如"),
]


@pytest.mark.parametrize(("name", "language", "expected"), NAMES)
def test_a_name_that_looks_like_an_address_gives_a_neutral_word(
    name: str, language: str, expected: str
) -> None:
    assert clean_name(name, language=language) == expected
