"""What only mail does. The judge of the content is aiosmtpd, a server that is not ours."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
import trustme
from aiosmtpd import smtp as aiosmtpd
from worlds import attempt

from belfry.engine.decisions import Attempt
from belfry.notifiers.fakes.mail import FakeRelay
from belfry.notifiers.fakes.play import Play
from belfry.notifiers.provider import Accepted, Failure, Message, Rejected, Retry, Said, Unknown
from belfry.notifiers.providers.smtp import Smtp, message_id, text_of_html, words

ADDRESS = "jan.novak@dopisy.example"


def mail_attempt(**changes: object) -> Attempt:
    return attempt(**{"channel": "email", "address": ADDRESS, **changes})


def to_relay(relay: FakeRelay, made: Attempt, text: str = "余额不足", **settings: Any) -> Said:
    async def run() -> Said:
        port = await relay.start()
        provider = Smtp(
            **{"host": "127.0.0.1", "port": port, "security": "none",
               "sender": "alerts@bank.example", "timeout_s": 0.3, **settings}
        )  # fmt: skip
        try:
            return await provider.send(Message(made, text, made.at))
        finally:
            await relay.stop()

    return asyncio.run(run())


@dataclass
class Kept:
    contents: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.contents.append(envelope.content)
        return "250 2.0.0 kept"


def through_aiosmtpd(made: Message, tls: Callable[[], Any] | None = None, **settings: Any) -> Any:
    """The mail as the standard library reads it, and the answer."""
    kept = Kept()

    async def run() -> Said:
        loop = asyncio.get_running_loop()
        context, client = tls() if tls else (None, None)
        factory = lambda: aiosmtpd.SMTP(kept, loop=loop, tls_context=context)  # noqa: E731
        server = await loop.create_server(factory, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        provider = Smtp(
            host="127.0.0.1",
            port=port,
            sender="alerts@bank.example",
            security="starttls" if tls else "none",
            tls_context=client,
            **settings,
        )
        try:
            return await provider.send(made)
        finally:
            server.close()
            await server.wait_closed()

    said = asyncio.run(run())
    return [message_from_bytes(one, policy=default) for one in kept.contents], said


def certified() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def foreign() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certified()[0], certified()[1]


def test_a_mail_arrives_whole_with_a_message_id_that_the_attempt_fixes() -> None:
    made = mail_attempt(title="Zůstatek klesl 余额")
    mails, said = through_aiosmtpd(Message(made, ".dot\n余额 ¥150", made.at))
    (mail,) = mails
    assert said == Accepted(mail["Message-ID"])
    assert mail["Message-ID"] == message_id("a-1", "alerts@bank.example")
    assert (mail["To"], mail["Subject"]) == (ADDRESS, "Zůstatek klesl 余额")
    assert mail.get_content().splitlines() == [".dot", "余额 ¥150"]
    assert mail["List-Unsubscribe"] is None


def test_starttls_is_insisted_on_and_a_foreign_certificate_gets_nothing() -> None:
    made = mail_attempt()
    message = Message(made, "secret", made.at)
    mails, said = through_aiosmtpd(message, tls=certified)
    assert len(mails) == 1
    assert isinstance(said, Accepted)
    mails, said = through_aiosmtpd(message, tls=foreign)
    assert mails == []
    assert isinstance(said, Rejected)
    relay = FakeRelay()
    refused = to_relay(relay, made, security="starttls")
    assert isinstance(refused, Rejected)
    assert relay.accepted == []


def test_a_html_mail_carries_its_words_as_text_too() -> None:
    made = mail_attempt()
    html = "<html><head><style>p{}</style></head><body><p>Fell &lt; 150</p><p>two</p></body></html>"
    (mail,), _ = through_aiosmtpd(Message(made, html, made.at, is_html=True))
    assert mail.get_content_type() == "multipart/alternative"
    assert mail.get_body(("plain",)).get_content().splitlines() == ["Fell < 150", "two"]
    assert "<p>two</p>" in mail.get_body(("html",)).get_content()
    assert text_of_html("a<script>x()</script><br>b") == "a\nb\n"


def test_marketing_can_be_left_with_one_click_and_a_security_mail_cannot() -> None:
    link = {"unsubscribe_url": "https://bank.example/u/{message_id}"}
    made = mail_attempt(message_class="marketing")
    (mail,), _ = through_aiosmtpd(Message(made, "x", made.at), **link)
    assert mail["List-Unsubscribe"] == "<https://bank.example/u/m-1>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    made = mail_attempt(message_class="security")
    (mail,), _ = through_aiosmtpd(Message(made, "x", made.at), **link)
    assert mail["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: c@d.example",
        "ä@b.example,c@d.example",
        "a@b.example,c@d.example",
        "a@b.example>",
        "nobody",
        "@x",
    ],
)
def test_an_address_cannot_smuggle_a_header_or_a_second_recipient(address: str) -> None:
    relay = FakeRelay()
    said = to_relay(relay, mail_attempt(address=address))
    assert said == Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw="not a mail address")
    assert relay.accepted == []


def test_a_title_with_line_breaks_is_one_header() -> None:
    relay = FakeRelay()
    to_relay(relay, mail_attempt(title="Sale\r\nBcc: all@bank.example"))
    (mail,) = relay.accepted
    assert mail.content["Bcc"] is None
    assert mail.content["Subject"] == "Sale Bcc: all@bank.example"


SAID = [
    ("unknown@x.example", {}, Failure.INVALID_ADDRESS, Retry.NEVER),
    ("full@x.example", {}, Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    ("slow@x.example", {}, Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    # Our relay's fault: the customer's address is not touched.
    ("relay@x.example", {}, Failure.REFUSED, Retry.OTHER_PROVIDER),
    ("a@x.example", {"GREETING": "554 5.3.2 no"}, Failure.UNAVAILABLE, Retry.OTHER_PROVIDER),
    ("a@x.example", {"GREETING": "421 4.3.2 busy"}, Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    ("a@x.example", {"MAIL": "550 5.1.8 bad sender"}, Failure.REFUSED, Retry.OTHER_PROVIDER),
    ("a@x.example", {"DATA": "451 4.3.0 later"}, Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    ("a@x.example", {".": "554 5.6.0 spam"}, Failure.REFUSED, Retry.NEVER),
    ("a@x.example", {".": "452 4.3.1 disk"}, Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    ("müller@x.example", {"EHLO": "250 HELP"}, Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
]  # fmt: skip


@pytest.mark.parametrize(("address", "replies", "failure", "retry"), SAID)
def test_each_reply_has_one_meaning_and_nothing_was_sent(
    address: str, replies: dict[str, str], failure: Failure, retry: Retry
) -> None:
    relay = FakeRelay(replies=replies)
    said = to_relay(relay, mail_attempt(address=address))
    assert isinstance(said, Rejected)
    assert (said.failure, said.retry) == (failure, retry)
    assert said.raw
    assert relay.accepted == []


@pytest.mark.parametrize("play", [Play.DROP, Play.HANG])
def test_silence_after_the_content_is_unknown_for_the_relay_may_have_it(play: Play) -> None:
    relay = FakeRelay(play=play)
    said = to_relay(relay, mail_attempt())
    assert isinstance(said, Unknown)
    assert len(relay.accepted) == 1


def test_a_relay_that_never_greets_ends_in_time_and_is_a_sure_no() -> None:
    async def run() -> Said:
        stay = asyncio.Event()

        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await stay.wait()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        provider = Smtp(
            host="127.0.0.1", port=port, sender="a@b.example", security="none", timeout_s=0.05
        )
        made = mail_attempt()
        said = await provider.send(Message(made, "x", made.at))
        stay.set()
        server.close()
        await server.wait_closed()
        return said

    said = asyncio.run(run())
    assert isinstance(said, Rejected)
    assert (said.failure, said.retry) == (Failure.TIMED_OUT, Retry.SAME_PROVIDER)


def test_an_international_name_and_an_international_domain_get_through() -> None:
    relay = FakeRelay()
    assert isinstance(to_relay(relay, mail_attempt(address="müller@x.example")), Accepted)
    assert isinstance(to_relay(relay, mail_attempt(address="jan@bücher.example")), Accepted)
    assert [mail.recipient for mail in relay.accepted] == [
        "müller@x.example",
        "jan@xn--bcher-kva.example",
    ]


def test_a_relay_that_repeats_address_and_text_is_not_quoted() -> None:
    made = mail_attempt(title="Balance fell")
    message = Message(made, "Your balance is 150.20 CZK", made.at)
    said = words(
        "5.1.1 <jan.novak@dopisy.example>: novak rejected, content 'balance is 150.20'", message
    )
    assert said == "5.1.1 rejected, content"
