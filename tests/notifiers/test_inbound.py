"""Signatures, words of receipts, words of customers."""

import msgspec
import pytest
from twilio.request_validator import RequestValidator

from belfry.notifiers.callbacks import PATH, attempt_of, callback_url
from belfry.notifiers.inbound import consent_word, is_signed, news_of
from tests.notifiers.sample import ATTEMPT

# Twilio's own example: https://www.twilio.com/docs/usage/security
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
SIGNATURE = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}


def test_twilios_own_example_is_signed() -> None:
    assert is_signed(URL, FORM, SIGNATURE, auth_token="12345")


@pytest.mark.parametrize(
    ("url", "form", "headers", "token"),
    [
        (URL, FORM, {}, "12345"),
        (URL, FORM, SIGNATURE, ""),
        (URL, FORM, SIGNATURE, "54321"),
        (URL, {**FORM, "Digits": "1235"}, SIGNATURE, "12345"),
        (URL.replace("foo=1", "foo=2"), FORM, SIGNATURE, "12345"),
        (URL, FORM, {"x-twilio-signature": "é"}, "12345"),
    ],
)
def test_what_is_changed_or_not_signed_is_refused(url, form, headers, token) -> None:
    assert not is_signed(url, form, headers, auth_token=token)


def test_the_newer_header_is_checked_with_the_shared_key_alone() -> None:
    settings = {"x-twilio-webhooks-signature-settings": "key=k,algorithm=HMAC_SHA256"}
    signed = RequestValidator("shared").compute_signature(URL, FORM, "HMAC_SHA256")
    headers = {**settings, "x-twilio-signature": signed}
    assert is_signed(URL, FORM, headers, auth_token="12345", webhook_secret="shared")
    assert not is_signed(URL, FORM, headers, auth_token="shared")
    assert not is_signed(
        URL, FORM, {**SIGNATURE, **settings}, auth_token="12345", webhook_secret="shared"
    )


@pytest.mark.parametrize(
    ("form", "result", "code", "is_known"),
    [
        ({"MessageStatus": "queued"}, None, "queued", True),
        ({"MessageStatus": "sent"}, None, "sent", True),
        ({"MessageStatus": "delivered"}, "delivered", "delivered", True),
        ({"MessageStatus": "read"}, "read", "read", True),
        (
            {"MessageStatus": "undelivered", "ErrorCode": "30006"},
            "failed",
            "undelivered 30006",
            True,
        ),
        ({"MessageStatus": "beamed"}, None, "beamed", False),
        ({"MessageStatus": "+8613800138000"}, None, "?", False),
        (
            {"CallStatus": "completed", "AnsweredBy": "machine_start"},
            "failed",
            "completed machine_start",
            True,
        ),
        ({"CallStatus": "in-progress"}, None, "in-progress", True),
        ({"CallStatus": "in-progress", "Digits": "1"}, "read", "digit", True),
        ({}, None, "?", False),
    ],
)
def test_twilios_words_are_ours_or_no_news(form, result, code, is_known) -> None:
    news = news_of(form)
    assert (news.result, news.code, news.is_known) == (result, code, is_known)


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ("STOP", False), (" stop! ", False), ("Opt-Out", False), ("退订", False), ("ＴＤ", False),
        ("Odhlásit.", False), ("ZRUŠIT", False), ("start", True), ("恢复", True),
        ("Přihlásit", True), ("please stop that", None), ("stopover", None), ("", None),
        ("我想退订吗", None),
    ],
)  # fmt: skip
def test_a_word_alone_withdraws_or_gives_consent(body, given) -> None:
    assert consent_word({"Body": body}) is given


def test_twilios_own_reading_of_a_word_counts() -> None:
    assert consent_word({"Body": "basta", "OptOutType": "STOP"}) is False


@pytest.mark.parametrize("customer_id", ["C1", "a/b", "Nováková č. 7", "100%"])
def test_the_callback_leads_back_to_customer_and_attempt(customer_id) -> None:
    attempt = msgspec.structs.replace(ATTEMPT, customer_id=customer_id)
    url = callback_url("https://bank.example/belfry/", attempt)
    assert url is not None
    assert url.startswith(f"https://bank.example/belfry{PATH}/")
    assert attempt_of(url) == (customer_id, "a-1")


def test_without_a_public_url_or_for_another_provider_there_is_no_callback() -> None:
    assert callback_url("", ATTEMPT) is None
    other = msgspec.structs.replace(ATTEMPT, provider="console")
    assert callback_url("https://bank.example", other) is None


@pytest.mark.parametrize("path", ["/v1/callbacks/twilio/C1", "/v1/callbacks/twilio/a/b/c", "/x"])
def test_another_path_is_no_attempt(path) -> None:
    assert attempt_of(path) is None
