"""Texts of a bank's files: read exactly as declared, or refused; never guessed."""

import contextlib
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.connectors.reasons import Reason
from belfry.connectors.sources.formats import (
    CLEANINGS,
    Unmappable,
    clean_name,
    converter,
    date_format,
    phone,
)
from belfry.connectors.sources.model import As, Value

PRAGUE, BERLIN = ZoneInfo("Europe/Prague"), ZoneInfo("Europe/Berlin")

DATES = [
    ("YYYY-MM-DD", "2026-03-02", "2026-03-02"),
    ("%d.%m.%Y", "2.3.2026", "2026-03-02"),
    ("%d.%m.%Y", "02.03.2026", "2026-03-02"),
    ("DD/MM/YYYY", "02/03/2026", "2026-03-02"),
    ("%m/%d/%Y", "03/02/2026", "2026-03-02"),
    ("YYYYMMDD", "20240229", "2024-02-29"),
    ("YYMMDD", "930101", "1993-01-01"),
    ("YYMMDD", "490101", "2049-01-01"),
    ("YYMMDD", "500101", "1950-01-01"),
    ("iso", "2026-03-02", "2026-03-02"),
    ("epoch_s", "0", "1970-01-01"),
    ("epoch_ms", "1772416800000", "2026-03-02"),
]


@pytest.mark.parametrize(("form", "text", "expected"), DATES)
def test_a_date_is_read_in_its_format(form: str, text: str, expected: str) -> None:
    read = converter(Value("birth_date", as_=As.DATE, format=form, years_from=1950))
    assert read(text) == expected


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("YYMMDD", "93111"),  # not 1993-11-1
        ("YYMMDD", "930230"),
        ("YYMMDD", "9301011"),
        ("YYMMDD", "٩٣٠١٠١"),
        ("%d.%m.%Y", "31.4.2026"),
        ("%d.%m.%Y", "2026-03-02"),
        ("YYYY-MM-DD", "2026-02-30"),
        ("YYYY-MM-DD", "2026-03-02 "),
        ("YYYYMMDD", "20230229"),
        ("iso", "yesterday"),
        ("epoch_s", "9" * 15),
        ("epoch_s", "soon"),
    ],
)
def test_a_date_that_is_not_exactly_so_is_refused(form: str, text: str) -> None:
    read = converter(Value("birth_date", as_=As.DATE, format=form, years_from=1950))
    with pytest.raises(Unmappable) as refused:
        read(text)
    assert refused.value.reason is Reason.BAD_TIME
    assert text not in refused.value.expected


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("YYMMDD", "years_from"),
        ("%d.%m", "%Y or %y"),
        ("%Y-%m", "%d"),
        ("%Y-%m-%d %Y", "once"),
        ("%Y-%m-%d %Q", "'%Q'"),
        ("date", "year"),
    ],
)
def test_a_format_that_is_no_date_is_refused(form: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        date_format(form)


def test_the_month_of_a_birth_number_of_a_woman_is_50_higher() -> None:
    value = Value("birth_date", as_=As.DATE, format="YYMMDD", years_from=1900, month_plus=50)
    read = converter(value)
    assert [read("706213"), read("450204")] == ["1970-12-13", "1945-02-04"]
    with pytest.raises(Unmappable):
        read("703313")


INSTANTS = [
    ("YYMMDD", "930101", "00:00", "1993-01-01T00:00:00+01:00"),
    ("YYMMDD", "930701", "12:30", "1993-07-01T12:30:00+02:00"),
    ("%d.%m.%Y %H:%M", "1.7.1993 9:05", "12:30", "1993-07-01T09:05:00+02:00"),
    ("YYYY-MM-DD HH:mm:SS", "1993-07-01 09:05:06", "00:00", "1993-07-01T09:05:06+02:00"),
    ("%Y-%m-%dT%H:%M:%S.%f%z", "1993-07-01T09:05:06.5Z", "00:00",
     "1993-07-01T09:05:06.500000+00:00"),
    ("iso", "1993-07-01T09:05:06-0330", "00:00", "1993-07-01T09:05:06-03:30"),
    ("iso", "1993-07-01", "08:00", "1993-07-01T08:00:00+02:00"),
    ("epoch_s", "741510306", "00:00", "1993-07-01T07:05:06+00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text", "at", "expected"), INSTANTS)
def test_an_instant_has_its_offset(form: str, text: str, at: str, expected: str) -> None:
    value = Value("time", as_=As.INSTANT, format=form, years_from=1950, at=at, time_zone=PRAGUE)
    assert converter(value)(text) == expected


def test_an_offset_with_seconds_of_long_ago_becomes_utc() -> None:
    value = Value("time", as_=As.INSTANT, format="YYYY-MM-DD", time_zone=BERLIN)
    assert converter(value)("1890-01-01") == "1889-12-31T23:06:32+00:00"


NUMBERS = [
    ({}, "1234.50", "1234.50"),
    ({}, "-0.5", "-0.5"),
    ({}, "+7", "7"),
    ({"decimal": ",", "thousands": "."}, "1.234.567,80", "1234567.80"),
    ({"decimal": ",", "thousands": " "}, "12 345", "12345"),
    ({"decimal": ",", "thousands": "."}, "1234,5", "1234.5"),
    ({"scale": Decimal("0.01")}, "70000", "700.00"),
    ({"absolute": True}, "-12.5", "12.5"),
]


@pytest.mark.parametrize(("given_", "text", "expected"), NUMBERS)
def test_a_number_is_read_in_its_notation(
    given_: dict[str, object], text: str, expected: str
) -> None:
    value = Value("amount", as_=As.NUMBER, **given_)  # type: ignore[arg-type]
    assert str(converter(value)(text)) == expected


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ({}, "1,5"),
        ({}, "NaN"),
        ({}, "1e5"),
        ({}, "0x10"),
        ({}, "1_000"),
        ({}, "--5"),
        ({}, "٣"),
        ({}, "9" * 41),
        ({"decimal": ",", "thousands": "."}, "1.23,5"),
        ({"decimal": ",", "thousands": "."}, "1234.567,0"),
    ],
)
def test_a_number_in_another_notation_is_refused(given_: dict[str, object], text: str) -> None:
    value = Value("amount", as_=As.NUMBER, **given_)  # type: ignore[arg-type]
    with pytest.raises(Unmappable) as refused:
        converter(value)(text)
    assert refused.value.reason is Reason.BAD_NUMBER


def test_a_whole_number_has_no_places() -> None:
    read = converter(Value("duration_months", as_=As.INTEGER))
    assert read("12") == 12
    with pytest.raises(Unmappable):
        read("12.5")


def test_words_for_true_and_false() -> None:
    read = converter(Value("verified", as_=As.BOOLEAN))
    assert [read("Y"), read("0"), read("TRUE")] == [True, False, True]
    with pytest.raises(Unmappable):
        read("ja")


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+86 138-0013-8000", "CZ", "+8613800138000"),
        ("602 123 456", "CZ", "+420602123456"),
        ("00420 602 123 456", "CZ", "+420602123456"),
    ],
)
def test_a_phone_number_becomes_e164(text: str, country: str, expected: str) -> None:
    assert phone(text, country) == expected


@pytest.mark.parametrize("text", ["12", "602 123 456", "n/a", "+999 123 456 789"])
def test_a_phone_number_that_cannot_exist_is_refused(text: str) -> None:
    with pytest.raises(Unmappable):
        phone(text, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Jana \t Nováková ", "Jana Nováková"),
        ("Jana Nova\u0301kova\u0301", "Jana Nováková"),
        ("\u202eanaJ\u202c", "anaJ"),
        ("Ja\u200bna\r\nNova", "Jana Nova"),
        ("王小明", "王小明"),
    ],
)
def test_a_name_keeps_what_can_be_seen(text: str, expected: str) -> None:
    assert clean_name(text) == expected


def test_a_name_of_nothing_visible_is_refused() -> None:
    with pytest.raises(Unmappable):
        clean_name("\u200b\u202e")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("digits", "CZ 12-3", "123"),
        ("no_leading_zeros", "00120", "120"),
        ("no_leading_zeros", "000", "0"),
        ("one_line", " a \n b ", "a b"),
        ("upper", "czk", "CZK"),
    ],
)
def test_cleaning_does_what_it_is_called(name: str, text: str, expected: str) -> None:
    assert CLEANINGS[name](text) == expected


@given(text=st.text(max_size=30), kind=st.sampled_from(list(As)))
def test_any_text_is_converted_or_refused(text: str, kind: As) -> None:
    value = Value("x", as_=kind, format="YYYY-MM-DD", time_zone=PRAGUE, country="CZ")
    with contextlib.suppress(Unmappable):
        found = converter(value)(text)
        assert found is not None
        assert text.strip() or kind is As.TEXT
