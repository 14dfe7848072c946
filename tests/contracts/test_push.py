"""What push providers put on the wire, and what each answer means."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
import serving
from joserfc import jwk, jwt
from worlds import attempt
from worlds_push import DEVICE, MAKES, address_of, pem, served, url_of

from belfry.notifiers.fakes.play import Play
from belfry.notifiers.fakes.push import APNS_MAGIC, FCM_MAGIC, FakePush
from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Provider,
    Rejected,
    Retry,
    Said,
    Unknown,
)
from belfry.notifiers.providers.apns import apns_id, collapse_id
from belfry.notifiers.providers.webpush import topic

KINDS = sorted(MAKES)
AT = attempt().at


def message(address: str, text: str = "below 150", **changes: Any) -> Message:
    ttl_s = changes.pop("ttl_s", 600)
    at = changes.pop("at", AT)
    return Message(attempt(channel="push", address=address, **changes), text, at, ttl_s=ttl_s)


def told(
    kind: str,
    fake: FakePush,
    *makes: Callable[[str], Message],
    moment: Callable[[int], None] = lambda number: None,
    **settings: Any,
) -> list[Said]:
    """Sends what `makes` give for the usual address, one after the other."""

    async def run() -> list[Said]:
        server = await served(kind, fake)
        url = url_of(kind, server)
        provider: Provider = MAKES[kind](url, **settings)
        usual = address_of(kind, fake, url)
        said = []
        for number, make in enumerate(makes):
            moment(number)
            said.append(await provider.send(make(usual)))
        await provider.close()
        await server.stop()
        return said

    return asyncio.run(run())


def test_fcm_gets_what_is_left_of_the_ttl_and_a_tag_that_a_repeat_replaces() -> None:
    fake = FakePush()
    said = told("fcm", fake, message, lambda one: message(one, attempt_id="a-2", ttl_s=None))
    first, second = fake.accepted
    assert said == [Accepted("projects/bank/messages/0"), Accepted("projects/bank/messages/1")]
    assert first["android"]["ttl"] == "600s"
    assert second["android"]["ttl"] == "2419200s"
    for row in fake.accepted:
        assert row["android"]["notification"]["tag"] == row["android"]["collapse_key"] == "m-1"
    assert first["data"] == {"message_id": "m-1", "attempt_id": "a-1"}


def test_fcm_asks_for_one_token_and_for_another_when_it_is_refused() -> None:
    fake = FakePush()

    def moment(number: int) -> None:
        if number == 2:
            fake.tokens[:] = ["revoked"]

    said = told("fcm", fake, message, message, message, message, moment=moment)
    assert [type(one) for one in said] == [Accepted, Accepted, Rejected, Accepted]
    assert said[2] == Rejected(
        Failure.NOT_CONFIGURED, Retry.SAME_PROVIDER, raw="401 UNAUTHENTICATED"
    )
    assert fake.tokens == ["revoked", "token-1"]


@pytest.mark.parametrize(
    ("status", "failure", "retry"),
    [
        (400, Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
        (503, Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    ],
)
def test_without_a_token_fcm_is_surely_not_asked(
    status: int, failure: Failure, retry: Retry
) -> None:
    (said,) = told("fcm", FakePush(token_status=status), message)
    assert said == Rejected(failure, retry, raw=f"token: {status} invalid_grant")


FCM_SAID = {
    "unregistered": (Failure.INVALID_ADDRESS, Retry.NEVER),
    "malformed": (Failure.INVALID_ADDRESS, Retry.NEVER),
    # Without FcmError it is our request, not the customer's device.
    "malformed-request": (Failure.REFUSED, Retry.NEVER),
    "foreign": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "quota": (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    "busy": (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    "internal": (Failure.UNAVAILABLE, None),
    "apple-certificate": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "teapot": (Failure.REFUSED, Retry.OTHER_PROVIDER),
}
APNS_SAID = {
    "dead0001": (Failure.INVALID_ADDRESS, Retry.NEVER),
    "dead0002": (Failure.INVALID_ADDRESS, Retry.NEVER),
    "dead0003": (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    "dead0004": (Failure.NOT_CONFIGURED, Retry.SAME_PROVIDER),
    "dead0005": (Failure.UNRENDERABLE, Retry.NEVER),
    "dead0006": (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    "dead0007": (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    "dead0008": (Failure.UNAVAILABLE, None),
    "dead0009": (Failure.REFUSED, Retry.OTHER_PROVIDER),
}


@pytest.mark.parametrize(("kind", "meant"), [("fcm", FCM_SAID), ("apns", APNS_SAID)])
def test_each_word_has_one_meaning_and_is_kept(
    kind: str, meant: dict[str, tuple[Failure, Retry | None]]
) -> None:
    assert meant.keys() == {"fcm": FCM_MAGIC, "apns": APNS_MAGIC}[kind].keys()
    fake = FakePush()
    said = told(kind, fake, *(lambda _, one=one: message(one) for one in meant))
    for one, (failure, retry) in zip(said, meant.values(), strict=True):
        assert isinstance(one, Unknown if retry is None else Rejected)
        assert one.failure is failure
        assert getattr(one, "retry", None) is retry
        assert one.raw[:3].isdigit()
    assert fake.accepted == []


def test_the_moment_from_which_a_token_is_dead_is_kept() -> None:
    (said,) = told("apns", FakePush(), lambda _: message("dead0001"))
    assert said.raw == "410 Unregistered 1700000000000"


def test_apns_speaks_http2_with_our_id_a_collapse_id_and_an_end() -> None:
    fake = FakePush()
    (said,) = told("apns", fake, message)
    (row,) = fake.accepted
    headers = row["headers"]
    assert row["http"] == "2"
    assert row["device"] == DEVICE
    assert said == Accepted(apns_id("a-1"))
    assert headers["apns-collapse-id"] == "m-1"
    assert headers["apns-expiration"] == str(int(AT.timestamp()) + 600)
    assert (headers["apns-topic"], headers["apns-priority"]) == ("example.bank", "10")
    token = headers["authorization"].removeprefix("bearer ")
    read = jwt.decode(token, jwk.ECKey.import_key(pem("ec")))
    assert read.header == {"alg": "ES256", "kid": "K1", "typ": "JWT"}
    assert read.claims == {"iss": "T1", "iat": int(AT.timestamp())}


def test_apns_signs_once_for_many_and_anew_when_the_token_is_called_expired() -> None:
    fake = FakePush()
    later = AT + dt.timedelta(minutes=1)
    told(
        "apns",
        fake,
        message,
        lambda one: message(one, at=later),
        lambda _: message("dead0004"),
        lambda one: message(one, at=later),
    )
    first, second, third = (row["headers"]["authorization"] for row in fake.accepted)
    assert first == second
    assert third != second


def test_a_long_message_id_still_fits_as_collapse_id_and_as_topic() -> None:
    assert collapse_id("m" * 64) == "m" * 64
    assert len(collapse_id("m" * 65)) == 64
    assert len(topic("m" * 100)) == 32
    assert topic("m-1") != topic("m-2")


def test_only_hexadecimal_becomes_a_part_of_apples_path() -> None:
    fake = FakePush()
    said = told("apns", fake, *(lambda _, one=one: message(one) for one in ("../x", "ab?c", "")))
    assert {(one.failure, one.retry) for one in said} == {(Failure.INVALID_ADDRESS, Retry.NEVER)}
    assert fake.accepted == []


def test_a_browser_decrypts_what_was_sent_and_gets_ttl_topic_and_urgency() -> None:
    fake = FakePush()
    said = told("webpush", fake, lambda one: message(one, "余额 ¥150", message_class="security"))
    (row,) = fake.accepted
    assert said == [Accepted()]
    assert (row["title"], row["body"], row["tag"]) == ("Balance fell", "余额 ¥150", "m-1")
    assert row["headers"]["ttl"] == "600"
    assert row["headers"]["topic"] == topic("m-1")
    assert row["headers"]["urgency"] == "high"
    assert row["headers"]["authorization"].startswith("vapid t=")


@pytest.mark.parametrize(
    ("status", "failure", "retry"),
    [
        (400, Failure.REFUSED, Retry.OTHER_PROVIDER),
        (403, Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
        (404, Failure.INVALID_ADDRESS, Retry.NEVER),
        (410, Failure.INVALID_ADDRESS, Retry.NEVER),
        (413, Failure.UNRENDERABLE, Retry.NEVER),
        (429, Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    ],
)
def test_a_push_service_that_refuses_says_what_may_be_tried(
    status: int, failure: Failure, retry: Retry
) -> None:
    (said,) = told("webpush", FakePush(play=Play.REFUSE, status=status), message)
    assert said == Rejected(failure, retry, raw=f"HTTP {status}")


def test_a_browser_cannot_send_us_to_another_host() -> None:
    fake = FakePush()

    def changed(address: str, endpoint: str) -> Message:
        return message(json.dumps({**json.loads(address), "endpoint": endpoint}))

    def moved(address: str) -> Message:
        return changed(address, json.loads(address)["endpoint"].replace("/b1", "/moved"))

    said = told(
        "webpush",
        fake,
        lambda one: changed(one, "https://169.254.169.254/latest"),
        lambda one: changed(one, "https://evil127.0.0.1/"),
        lambda one: changed(one, "ftp://127.0.0.1/"),
        moved,
        lambda _: message("{}"),
        lambda _: message("[]"),
        lambda one: message(json.dumps({**json.loads(one), "keys": {"p256dh": "x", "auth": "y"}})),
    )
    assert [one.failure for one in said] == [Failure.REFUSED] * 4 + [Failure.INVALID_ADDRESS] * 3
    assert fake.accepted == []


def test_plain_http_is_refused_unless_it_was_asked_for() -> None:
    (said,) = told("webpush", FakePush(), message, allow_http=False)
    assert said.failure is Failure.REFUSED


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_into_a_push_is_refused_before_the_call(kind: str) -> None:
    fake = FakePush()
    (said,) = told(kind, fake, lambda one: message(one, "余" * 1_400))
    assert said == Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw="more than 4096 bytes")
    assert fake.accepted == []


@pytest.mark.parametrize("play", [Play.FAIL, Play.HANG])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_taken_and_not_confirmed_is_unknown(kind: str, play: Play) -> None:
    fake = FakePush(play=play)
    (said,) = told(kind, fake, message, timeout_s=0.5)
    assert isinstance(said, Unknown)
    assert len(fake.accepted) == 1


@pytest.mark.parametrize("kind", ["fcm", "webpush"])
def test_a_connection_that_breaks_after_the_request_is_unknown(kind: str) -> None:
    async def run() -> tuple[Said, bytes]:
        fake, deaf = FakePush(), serving.Deaf()
        server = await served(kind, fake)
        port = await deaf.start()
        url = f"http://127.0.0.1:{port}"
        provider = MAKES[kind](url_of(kind, server))
        if kind == "fcm":
            provider._url = url
        said = await provider.send(message(address_of(kind, fake, url)))
        await provider.close()
        await server.stop()
        await deaf.stop()
        return said, deaf.heard

    said, heard = asyncio.run(run())
    assert isinstance(said, Unknown)
    assert heard.startswith(b"POST ")
