"""What only a webhook does: who is called, how it is signed, what the answer means."""

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import serving
import standardwebhooks
from worlds import attempt

from belfry.notifiers.fakes.hooks import FakeHooks
from belfry.notifiers.fakes.play import Play
from belfry.notifiers.provider import Accepted, Failure, Message, Rejected, Retry, Said, Unknown
from belfry.notifiers.providers.webhook import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def resolver(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def message(**changes: object) -> Message:
    made = attempt(**{"channel": "work_queue", **changes})
    return Message(made, "call her back", made.at)


def to_hooks(
    hooks: FakeHooks, *, path: str = "/hook", sent: Message | None = None, **settings: Any
) -> Said:
    async def run() -> Said:
        server = await serving.serve(hooks.app())
        provider = Webhook(
            **{"secret": SECRET, "url": f"http://queue.example:{server.port}{path}",
               "allowed_hosts": ["queue.example"], "networks": ["127.0.0.0/8"],
               "resolve": serving.local, "timeout_s": 0.3, **settings}
        )  # fmt: skip
        try:
            return await provider.send(sent or message())
        finally:
            await provider.close()
            await server.stop()

    return asyncio.run(run())


def test_a_receiver_with_the_secret_verifies_it_and_one_without_refuses() -> None:
    hooks = FakeHooks(SECRET)
    now = dt.datetime.now(dt.timezone(dt.timedelta(hours=8)))
    made = attempt()
    fresh = Message(made, "call her back", now)
    assert isinstance(to_hooks(hooks, sent=fresh), Accepted)
    assert hooks.accepted[0]["text"] == "call her back"
    assert hooks.headers[0]["host"].startswith("queue.example:")
    stranger = "whsec_" + "A" * 32
    said = to_hooks(hooks, sent=fresh, secret=stranger)
    assert said == Rejected(Failure.REFUSED, Retry.OTHER_PROVIDER, raw="HTTP 401")
    assert len(hooks.accepted) == 1


def test_the_id_is_the_message_so_that_a_repeated_attempt_shows() -> None:
    hooks = FakeHooks(SECRET, check_time=False)
    to_hooks(hooks)
    to_hooks(hooks, sent=message(attempt_id="a-2"))
    assert [one["webhook-id"] for one in hooks.headers] == ["m-1", "m-1"]


def test_the_signature_is_the_one_of_the_standard() -> None:
    hooks = FakeHooks(SECRET, check_time=False)
    to_hooks(hooks)
    headers = hooks.headers[0]
    body = json.dumps(hooks.accepted[0], ensure_ascii=False, separators=(",", ":"))
    at = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
    assert headers["webhook-timestamp"] == str(int(at.timestamp()))
    assert headers["webhook-signature"] == standardwebhooks.Webhook(SECRET).sign("m-1", at, body)


INNER = [
    "127.0.0.1", "10.0.0.8", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "::1", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1",
    "64:ff9b::a00:1", "2002:a00:1::",
]  # fmt: skip


@pytest.mark.parametrize("inner", INNER)
def test_a_name_that_leads_inside_is_not_called(inner: str) -> None:
    for found in ([inner], ["93.184.216.34", inner]):
        said = asyncio.run(
            Webhook(
                secret=SECRET,
                url="https://queue.example/",
                allowed_hosts=["queue.example"],
                resolve=resolver(*found),
            ).send(message())
        )
        assert said == Rejected(
            Failure.REFUSED,
            Retry.OTHER_PROVIDER,
            raw="the host is an inner address, or http: outside of networks",
        )


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("https://other.example/", Failure.REFUSED),
        ("https://queue.example.other.example/", Failure.REFUSED),
        ("https://queue.example@other.example/", Failure.REFUSED),
        ("http://queue.example/", Failure.REFUSED),
        ("ftp://queue.example/", Failure.INVALID_ADDRESS),
        ("file:///etc/passwd", Failure.INVALID_ADDRESS),
        ("queue.example", Failure.INVALID_ADDRESS),
        ("https://[::1", Failure.INVALID_ADDRESS),
    ],
)
def test_only_a_listed_host_over_https_is_called(url: str, failure: Failure) -> None:
    provider = Webhook(
        secret=SECRET, allowed_hosts=["queue.example"], resolve=resolver("93.184.216.34")
    )
    said = asyncio.run(provider.send(message(address=url)))
    assert isinstance(said, Rejected)
    assert said.failure is failure


def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    """A name server that answers differently the second time gets no second question."""
    hooks = FakeHooks(SECRET, check_time=False)
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    assert isinstance(to_hooks(hooks, resolve=rebinding), Accepted)
    assert asked == ["queue.example"]


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    hooks = FakeHooks(SECRET, check_time=False)
    said = to_hooks(hooks, path="/moved")
    assert said == Rejected(Failure.REFUSED, Retry.OTHER_PROVIDER, raw="HTTP 307")
    assert hooks.accepted == []


@pytest.mark.parametrize(
    ("status", "failure", "retry"),
    [
        (400, Failure.REFUSED, Retry.OTHER_PROVIDER),
        (408, Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
        (410, Failure.INVALID_ADDRESS, Retry.NEVER),
        (429, Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
    ],
)
def test_a_refusal_says_what_may_be_tried(status: int, failure: Failure, retry: Retry) -> None:
    hooks = FakeHooks(SECRET, play=Play.REFUSE, status=status, check_time=False)
    assert to_hooks(hooks) == Rejected(failure, retry, raw=f"HTTP {status}")


@pytest.mark.parametrize("play", [Play.FAIL, Play.HANG])
def test_what_was_taken_and_not_confirmed_is_unknown(play: Play) -> None:
    hooks = FakeHooks(SECRET, play=play, check_time=False)
    assert isinstance(to_hooks(hooks), Unknown)
    assert len(hooks.accepted) == 1


def test_a_connection_that_breaks_after_the_request_is_unknown() -> None:
    async def run() -> tuple[Said, bytes]:
        deaf = serving.Deaf()
        port = await deaf.start()
        provider = Webhook(
            secret=SECRET,
            url=f"http://queue.example:{port}/",
            allowed_hosts=["queue.example"],
            networks=["127.0.0.0/8"],
            resolve=serving.local,
        )
        said = await provider.send(message())
        await provider.close()
        await deaf.stop()
        return said, deaf.heard

    said, heard = asyncio.run(run())
    assert isinstance(said, Unknown)
    assert b"call her back" in heard
