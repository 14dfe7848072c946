"""One attempt is carried out: each way it can end is an answer."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from belfry.engine.decisions import Attempt
from belfry.engine.event_types import STANDARD
from belfry.engine.rulebook.model import Bank, Policies, Rulebook, Template
from belfry.notifiers.dispatch import at_once, carry_out
from belfry.notifiers.provider import Accepted, Failure, Message, Rejected, Retry, Said, Unknown
from belfry.notifiers.render import Renderer, text_of

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


class Recorder:
    """A provider that says what it was told to say, and remembers what it was asked."""

    def __init__(self, said: Said | None = None) -> None:
        self.name = "recorder"
        self.said = said
        self.texts: list[str] = []
        self.are_html: list[bool] = []

    async def send(self, message: Message) -> Said:
        self.texts.append(message.text)
        self.are_html.append(message.is_html)
        if self.said is None:
            raise RuntimeError("a bug in a provider")
        return self.said

    async def close(self) -> None: ...


def book(*templates: tuple[str, str]) -> Rulebook:
    texts = {
        ("hello", language, "sms"): Template("hello", language, "sms", "txt", text)
        for language, text in templates
    }
    bank = Bank(language="zh", languages=("zh", "en"))
    policies = Policies(bank=bank, classes={}, quiet_hours=(), caps=(), channels={})
    return Rulebook(
        hash="",
        rules={},
        features={},
        segments={},
        lists={},
        macros={},
        policies=policies,
        templates=texts,
        event_types=STANDARD,
    )


def attempt(**changes: Any) -> Attempt:
    given = Attempt(
        attempt_id="a-1",
        message_id="m-1",
        customer_id="C1",
        rule="hello",
        key="C1",
        message_class="service",
        channel="sms",
        provider="recorder",
        address="+8613800138000",
        language="en",
        template="hello",
        title="Hello",
        values={"customer": {"name": "Wang Fang"}},
        at=NOW,
        expires_at=LATER,
    )
    return msgspec.structs.replace(given, **changes)


ENGLISH = ("en", "Dear {{ customer.name }}")


def test_an_accepted_attempt_comes_back_as_an_event_of_its_customer() -> None:
    provider = Recorder(Accepted("ref-9"))
    answer = at_once(carry_out(attempt(), book(ENGLISH), {"recorder": provider}, at=NOW))
    assert provider.texts == ["Dear Wang Fang"]
    assert (answer.result, answer.provider_ref, answer.customer_id) == ("accepted", "ref-9", "C1")
    assert (answer.attempt_id, answer.time) == ("a-1", NOW)


def test_the_same_attempt_gives_the_same_event_id_so_a_repeat_counts_once() -> None:
    first = at_once(carry_out(attempt(), book(ENGLISH), {"recorder": Recorder(Accepted())}, at=NOW))
    again = at_once(
        carry_out(attempt(), book(ENGLISH), {"recorder": Recorder(Accepted())}, at=LATER)
    )
    assert (first.source, first.id) == (again.source, again.id)


REFUSALS = [
    ("expired at this instant", {"expires_at": NOW}, "rejected", "never", "expired"),
    ("no such provider", {"provider": "x"}, "rejected", "other_provider", "not_configured: x"),
    ("no such text", {"template": "x"}, "rejected", "never", "no_template: x"),
    (
        "a value is missing",
        {"values": {}},
        "rejected",
        "never",
        "unrenderable: hello/en.sms.txt: 'customer' is undefined",
    ),
]


@pytest.mark.parametrize(
    ("changes", "result", "retry", "code"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_what_must_not_go_out_is_rejected_without_a_call(
    changes: dict[str, Any], result: str, retry: str, code: str
) -> None:
    provider = Recorder(Accepted())
    answer = at_once(carry_out(attempt(**changes), book(ENGLISH), {"recorder": provider}, at=NOW))
    assert (answer.result, answer.retry, answer.code) == (result, retry, code)
    assert provider.texts == []


SAID: list[tuple[Said | None, str, str, str]] = [
    (
        Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw="21211"),
        "rejected",
        "never",
        "invalid_address: 21211",
    ),
    (Unknown(Failure.TIMED_OUT), "unknown", "never", "timed_out"),
    (None, "unknown", "never", "crashed: RuntimeError"),
]


@pytest.mark.parametrize(("said", "result", "retry", "code"), SAID)
def test_every_answer_keeps_its_failure_and_the_providers_word(
    said: Said | None, result: str, retry: str, code: str
) -> None:
    answer = at_once(carry_out(attempt(), book(ENGLISH), {"recorder": Recorder(said)}, at=NOW))
    assert (answer.result, answer.retry, answer.code) == (result, retry, code)


def test_without_the_customers_language_the_banks_first_one_is_written() -> None:
    texts = book(("zh", "您好"), ENGLISH)
    assert text_of(attempt(language="cs"), texts) == "您好"
    assert text_of(attempt(language="en"), texts) == "Dear Wang Fang"


def test_a_line_of_a_file_says_why_there_is_no_text() -> None:
    texts = book(ENGLISH)
    lines = Renderer(texts)
    row = lines.message(attempt())
    assert (row["text"], row["fault"]) == ("Dear Wang Fang", None)
    row = lines.message(attempt(values={}))
    assert (row["text"], row["fault"]) == (None, "hello/en.sms.txt: 'customer' is undefined")
    row = lines.message(attempt(template="x"))
    assert row["fault"] == "x: no text for sms in any language"


def test_only_a_mail_whose_template_is_html_is_sent_as_html() -> None:
    texts = book(ENGLISH)
    mail = Template("hello", "en", "email", "html", "<p>Dear {{ customer.name }}</p>")
    texts.templates["hello", "en", "email"] = mail
    provider = Recorder(Accepted())
    for channel in ("email", "sms"):
        at_once(carry_out(attempt(channel=channel), texts, {"recorder": provider}, at=NOW))
    assert provider.texts == ["<p>Dear Wang Fang</p>", "Dear Wang Fang"]
    assert provider.are_html == [True, False]
