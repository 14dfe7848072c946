"""One record's bytes: which event they are, or why they are none."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belfry.connectors.codec import RECORD_BYTES_MAX, Decoder
from belfry.connectors.reasons import MEANINGS, Reason, Rejected
from belfry.engine.event_types import STANDARD, Declared, event_types
from belfry.engine.events import ENGINE_EVENTS, Event, type_name
from belfry.engine.fields import Field, Kind

DECODER = Decoder(STANDARD)
PLAIN: dict[str, Any] = {
    "type": "transaction",
    "id": "T-1",
    "time": "2026-03-02T10:15:00+08:00",
    "account_id": "A1",
    "amount": "700.00",
    "direction": "credit",
}
FACT = b'{"type":"customer","id":"1","time":"2026-01-01T00:00:00Z","customer_id":"C",%s}'


def raw_with(field: str, text: str) -> bytes:
    """The plain transaction with one field written exactly so."""
    parts = {name: json.dumps(value) for name, value in PLAIN.items()} | {field: text}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in parts.items()) + "}").encode()


def without(*fields: str) -> bytes:
    return json.dumps({k: v for k, v in PLAIN.items() if k not in fields}).encode()


def decoded(raw: bytes) -> Any:
    found = DECODER.decode_event(raw, source="core")
    assert isinstance(found, Event), found
    return found


# One row per kind of malice or mishap: bytes, reason, what the detail says.
HOSTILE: list[tuple[str, bytes, Reason, str]] = [
    ("nothing", b"", Reason.BROKEN_JSON, "too early"),
    ("an open brace", b"{", Reason.BROKEN_JSON, "too early"),
    ("no JSON", b"hello", Reason.BROKEN_JSON, "byte 0"),
    ("two records", without() + b"{}", Reason.BROKEN_JSON, "byte"),
    ("a list", b"[]", Reason.WRONG_TYPE, "object"),
    ("a number", b"12", Reason.WRONG_TYPE, "object"),
    ("an empty object", b"{}", Reason.MISSING_FIELD, "type"),
    ("no type", without("type"), Reason.MISSING_FIELD, "type"),
    ("no id", without("id"), Reason.MISSING_FIELD, "id"),
    ("no time", without("time"), Reason.MISSING_FIELD, "time"),
    ("no amount", without("amount"), Reason.MISSING_FIELD, "amount"),
    ("an unknown type", raw_with("type", '"transactoin"'), Reason.UNKNOWN_TYPE, "'transaction'"),
    ("a type that is a number", raw_with("type", "5"), Reason.WRONG_TYPE, "type"),
    ("a text for an object", raw_with("merchant", '"shop"'), Reason.WRONG_TYPE, "merchant"),
    ("a number for a text", raw_with("currency", "5"), Reason.WRONG_TYPE, "currency"),
    ("a wrong nested type", raw_with("merchant", '{"name": 5}'), Reason.WRONG_TYPE,
     "merchant.name"),
    ("a word that is none", raw_with("direction", '"up"'), Reason.UNKNOWN_WORD, "direction"),
    ("an empty id", raw_with("id", '""'), Reason.BAD_TEXT, "id"),
    ("an endless id", raw_with("id", '"' + "x" * 300 + '"'), Reason.BAD_TEXT, "id"),
    ("NaN bare", raw_with("amount", "NaN"), Reason.BAD_NUMBER, "NaN"),
    ("minus infinity bare", raw_with("amount", "-Infinity"), Reason.BAD_NUMBER, "infinity"),
    ("NaN as text", raw_with("amount", '"NaN"'), Reason.BAD_NUMBER, "amount"),
    ("signalling NaN", raw_with("amount", '"sNaN"'), Reason.BAD_NUMBER, "amount"),
    ("infinity as text", raw_with("balance", '"Infinity"'), Reason.BAD_NUMBER, "balance"),
    ("1e999999", raw_with("amount", "1e999999"), Reason.BAD_NUMBER, "amount"),
    ("1e-999999", raw_with("amount", '"1e-999999"'), Reason.BAD_NUMBER, "amount"),
    ("0e999999", raw_with("balance", '"0e999999"'), Reason.BAD_NUMBER, "balance"),
    ("5,000 digits", raw_with("amount", "9" * 5000), Reason.BAD_NUMBER, "amount"),
    ("seven places", raw_with("amount", '"1.1234567"'), Reason.BAD_NUMBER, "amount"),
    ("no number", raw_with("amount", '"seven"'), Reason.BAD_NUMBER, "amount"),
    ("nothing paid", raw_with("amount", "0"), Reason.OUT_OF_RANGE, "amount"),
    ("less than nothing", raw_with("amount", '"-5.00"'), Reason.OUT_OF_RANGE, "amount"),
    ("February 30th", raw_with("time", '"2026-02-30T10:00:00Z"'), Reason.BAD_TIME, "time"),
    ("25 o'clock", raw_with("time", '"2026-02-20T25:00:00Z"'), Reason.BAD_TIME, "time"),
    ("no offset", raw_with("time", '"2026-02-20T10:00:00"'), Reason.BAD_TIME, "offset"),
    ("a time in words", raw_with("time", '"yesterday"'), Reason.BAD_TIME, "time"),
    ("year 1", raw_with("time", '"0001-01-01T00:00:00+08:00"'), Reason.OUT_OF_RANGE, "1900"),
    ("year 9999", raw_with("time", '"9999-12-31T23:59:59-08:00"'), Reason.OUT_OF_RANGE, "2199"),
    ("nobody", without("account_id"), Reason.NO_SUBJECT, "customer_id"),
    ("null for nobody", raw_with("account_id", "null"), Reason.NO_SUBJECT, "customer_id"),
    ("a byte that is no UTF-8", raw_with("currency", '"C?Y"').replace(b"?", b"\xff"),
     Reason.INVALID_UTF8, "byte"),
    ("UTF-16", json.dumps(PLAIN).encode("utf-16"), Reason.INVALID_UTF8, "byte 0"),
    ("half a character", raw_with("currency", '"\\ud800"'), Reason.BAD_TEXT, "surrogate"),
    ("the other half", raw_with("currency", '"\\udc00"'), Reason.BAD_TEXT, "surrogate"),
    ("NUL", raw_with("currency", '"C\\u0000Y"'), Reason.BAD_TEXT, "NUL"),
    ("NUL, nested", raw_with("merchant", '{"name": "\\u0000"}'), Reason.BAD_TEXT, "NUL"),
    ("a bare NUL", raw_with("currency", '"C\0Y"'), Reason.BROKEN_JSON, "byte"),
    ("a nesting bomb", raw_with("x", "[" * 100_000 + "]" * 100_000), Reason.TOO_DEEP, "deep"),
    ("a bomb of objects", raw_with("x", '{"a":' * 30_000 + "1" + "}" * 30_000), Reason.TOO_DEEP,
     "deep"),
    ("too large", raw_with("x", '"' + "x" * RECORD_BYTES_MAX + '"'), Reason.TOO_LARGE, "bytes"),
    ("an integer beyond all", FACT % b'"open_complaints":99999999999999999999', Reason.BAD_NUMBER,
     "open_complaints"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "reason", "said"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_what_is_no_event_is_rejected_with_its_reason(
    raw: bytes, reason: Reason, said: str
) -> None:
    found = DECODER.decode_event(raw)
    assert isinstance(found, Rejected)
    assert (found.reason, said in found.detail) == (reason, True), found


def test_no_value_of_a_customer_is_in_a_detail() -> None:
    secret = "Novakova-4711"
    for field in PLAIN:
        found = DECODER.decode_event(raw_with(field, json.dumps(["x", secret])))
        assert secret not in str(found)
    for field in ("amount", "time", "direction"):
        found = DECODER.decode_event(raw_with(field, json.dumps(secret)))
        assert isinstance(found, Rejected)
        assert secret not in found.detail


def test_a_plain_event_is_typed_and_in_utc() -> None:
    event = decoded(without())
    assert event.amount == Decimal("700.00")
    assert str(event.amount) == "700.00"
    assert event.time == dt.datetime(2026, 3, 2, 2, 15, tzinfo=dt.UTC)
    assert event.time.tzinfo is dt.UTC
    assert event.source == "core"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.10", "0.10"),
        ('"0.10"', "0.10"),
        ("123456789012.123456", "123456789012.123456"),
        ("999999999999999999", "999999999999999999"),
        ('"1E+6"', "1E+6"),
    ],
)
def test_money_keeps_its_digits_from_number_or_text(text: str, value: str) -> None:
    assert str(decoded(raw_with("amount", text)).amount) == value


def test_a_balance_may_be_below_zero() -> None:
    assert decoded(raw_with("balance", '"-1234567.89"')).balance == Decimal("-1234567.89")


def test_null_is_no_value_for_a_happening_and_removes_one_of_a_fact() -> None:
    assert decoded(raw_with("balance", "null")).balance is None
    assert decoded(FACT % b'"city":null').city is None


def test_unknown_fields_are_ignored() -> None:
    assert decoded(raw_with("colour", '"red"')) == decoded(without())


def test_an_event_may_name_its_own_source() -> None:
    assert decoded(raw_with("source", '"cards"')).source == "cards"


def test_text_that_only_looks_like_nul_is_kept() -> None:
    assert decoded(raw_with("currency", '"\\\\u0000"')).currency == "\\u0000"


@pytest.mark.parametrize("kind", [type_name(struct) for struct in ENGINE_EVENTS])
def test_no_source_may_speak_for_the_engine(kind: str) -> None:
    found = DECODER.decode_event(raw_with("type", f'"{kind}"'))
    assert isinstance(found, Rejected)
    assert found.reason is Reason.UNKNOWN_TYPE


def test_a_declared_type_is_decoded_with_bounded_numbers() -> None:
    fields = (
        Field("waited", Kind.NUMBER, nullable=False),
        Field("desk", Kind.TEXT, choices=("a", "b")),
    )
    decoder = Decoder(event_types((Declared("visit", "", fields),)))
    head = b'{"type":"visit","id":"1","time":"2026-01-01T00:00:00Z","customer_id":"C",'
    assert decoder.decode_event(head + b'"waited":5}').waited == 5  # type: ignore[union-attr]
    for body, reason in [
        (b'"waited":"NaN"}', Reason.BAD_NUMBER),
        (b'"desk":"a"}', Reason.MISSING_FIELD),
        (b'"waited":1,"desk":"c"}', Reason.UNKNOWN_WORD),
    ]:
        found = decoder.decode_event(head + body)
        assert isinstance(found, Rejected)
        assert found.reason is reason


# --- CloudEvents ----------------------------------------------------------------------------------
def envelope(**changes: Any) -> bytes:
    data = {k: v for k, v in PLAIN.items() if k not in ("type", "id", "time")}
    whole = {
        "specversion": "1.0",
        "type": "transaction",
        "id": "T-1",
        "source": "/core",
        "time": PLAIN["time"],
        "data": data,
    }
    return json.dumps({k: v for k, v in (whole | changes).items() if v is not ...}).encode()


def test_a_cloudevents_envelope_is_the_same_event() -> None:
    event, plain = decoded(envelope()), decoded(raw_with("source", '"/core"'))
    assert event == plain


def test_attributes_of_an_envelope_win_over_its_data() -> None:
    data = {**PLAIN, "id": "other", "type": "login"}
    assert decoded(envelope(data=data)).id == "T-1"


def test_an_envelope_of_a_type_without_required_fields_is_opened_too() -> None:
    assert decoded(envelope(type="customer", data={"customer_id": "C1"})).customer_id == "C1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specversion": "0.3"}, Reason.WRONG_TYPE),
        ({"data": ...}, Reason.MISSING_FIELD),
        ({"data": "text"}, Reason.WRONG_TYPE),
        ({"type": "com.bank.transaction"}, Reason.UNKNOWN_TYPE),
        ({"time": "2026-02-30T00:00:00Z"}, Reason.BAD_TIME),
    ],
)
def test_a_bad_envelope_is_rejected(changes: dict[str, Any], reason: Reason) -> None:
    found = DECODER.decode_event(envelope(**changes))
    assert isinstance(found, Rejected)
    assert found.reason is reason


def test_the_word_specversion_in_a_text_makes_no_envelope() -> None:
    assert decoded(raw_with("purpose", '"\\"specversion\\""')).purpose == '"specversion"'


# --- properties -----------------------------------------------------------------------------------
@given(st.binary(max_size=400))
def test_any_bytes_give_an_event_or_a_reason(raw: bytes) -> None:
    assert isinstance(DECODER.decode_event(raw), Event | Rejected)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=8), SCALARS)


@given(
    kind=st.sampled_from(STANDARD.incoming),
    changes=st.dictionaries(
        st.sampled_from([*PLAIN, "balance", "customer_id", "holders", "specversion", "data"]), JSON
    ),
)
def test_any_value_in_any_field_gives_an_event_or_a_reason(
    kind: str, changes: dict[str, Any]
) -> None:
    raw = json.dumps(PLAIN | {"type": kind} | changes).encode()
    assert isinstance(DECODER.decode_event(raw), Event | Rejected)


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_every_number_that_passes_is_finite_and_bounded(number: Decimal) -> None:
    found = DECODER.decode_event(raw_with("balance", json.dumps(str(number))))
    if isinstance(found, Event):
        balance: Decimal = found.balance  # type: ignore[attr-defined]
        assert balance.is_finite()
        assert abs(balance) < 10**18
        assert balance == round(balance, 6)
    else:
        assert found.reason is Reason.BAD_NUMBER


def test_every_reason_has_its_meaning() -> None:
    assert list(MEANINGS) == list(Reason)
