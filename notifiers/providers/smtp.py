"""Hands a mail to the bank's relay: one connection, one recipient, one message.

In: an attempt and its text. Out: accepted once the relay answered 250 to the content.
Invariant: after the content was sent, no reply is `Unknown`; whatever failed before is not sent.
Source: RFC 5321 (replies), RFC 3463 (x.y.z codes), RFC 8058 (one-click unsubscribe).
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import hashlib
import re
import ssl
from collections.abc import Collection
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from html.parser import HTMLParser
from typing import Literal

import aiosmtplib

from belfry.notifiers.clean import clean_characters
from belfry.notifiers.provider import (
    RAW_MAX,
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    Unknown,
)

SUBJECT_MAX = 200  # characters
QUIT_S = 1.0  # the mail is handed over by then; a relay that does not say goodbye is left
ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


class Step(enum.StrEnum):
    """How far a conversation came."""

    CONNECTION = "connection"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


# What a reply 5yz means, by the step it answers. A reply 4yz is "later", at every step.
REFUSALS = {
    Step.CONNECTION: (Failure.UNAVAILABLE, Retry.OTHER_PROVIDER),
    Step.LOGIN: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    Step.SENDER: (Failure.REFUSED, Retry.OTHER_PROVIDER),
    Step.RECIPIENT: (Failure.INVALID_ADDRESS, Retry.NEVER),
    Step.CONTENT: (Failure.REFUSED, Retry.NEVER),
}


class Smtp:
    """`security`: `starttls` insists on it, `tls` is port 465, `none` is for a relay next door.

    `unsubscribe_url`: `{message_id}` in it is filled in; only mails of `unsubscribe_classes` get
    it. `bounces_to`: where relays report later failures; default: the sender.
    """

    def __init__(
        self,
        *,
        host: str,
        sender: str,
        port: int | None = None,
        security: Literal["starttls", "tls", "none"] = "starttls",
        username: str | None = None,
        password: str | None = None,
        bounces_to: str | None = None,
        unsubscribe_url: str | None = None,
        unsubscribe_classes: Collection[str] = ("marketing",),
        timeout_s: float = 10.0,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = "smtp"
        self._host, self._port, self._security = host, port, security
        self._sender, self._envelope = sender, bounces_to or sender
        self._username, self._password = username, password
        self._unsubscribe_url = unsubscribe_url
        self._unsubscribe_classes = frozenset(unsubscribe_classes)
        self._timeout_s = timeout_s
        self._tls_context = tls_context

    async def send(self, message: Message) -> Said:
        try:
            mail = self._mail(message)
        except (ValueError, IndexError, MessageError):
            return Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw="not a mail address")
        conversation = Conversation(self._client())
        try:
            async with asyncio.timeout(self._timeout_s):
                await conversation.hand_over(mail, sender=self._envelope, login=self._login())
        except aiosmtplib.SMTPResponseException as reply:
            return _refusal(conversation.step, reply.code, words(reply.message, message))
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as broken:
            return _broken(conversation, broken)
        finally:
            await conversation.end()
        return Accepted(provider_ref=str(mail["Message-ID"]))

    async def close(self) -> None:
        """Each mail has its own connection; none is left."""

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=self._sender.rpartition("@")[2],
            timeout=self._timeout_s,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=self._tls_context,
        )

    def _login(self) -> tuple[str, str] | None:
        if self._username is None or self._password is None:
            return None
        return self._username, self._password

    def _mail(self, message: Message) -> EmailMessage:
        attempt = message.attempt
        recipient = _plain_domain(attempt.address)
        # 7-bit on the wire: needs no promise of the relay, except for a name like müller@.
        policy = SMTP.clone(cte_type="7bit") if recipient.isascii() else SMTPUTF8
        mail = EmailMessage(policy=policy)
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=recipient) if recipient.isascii() else recipient
        mail["Subject"] = clean_characters(attempt.title)[:SUBJECT_MAX]
        mail["Date"] = format_datetime(message.at)
        # The same for the same attempt: what a relay reports later finds its attempt.
        mail["Message-ID"] = message_id(attempt.attempt_id, self._sender)
        mail["Auto-Submitted"] = "auto-generated"
        url = self._unsubscribe_url
        if url is not None and attempt.message_class in self._unsubscribe_classes:
            mail["List-Unsubscribe"] = f"<{url.replace('{message_id}', attempt.message_id)}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if message.is_html:
            mail.set_content(text_of_html(message.text))
            mail.add_alternative(message.text, subtype="html")
        else:
            mail.set_content(message.text)
        return mail


class Conversation:
    """One connection. `is_ambiguous`: the content is under way and was not answered."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client
        self.step = Step.CONNECTION
        self.is_ambiguous = False

    async def hand_over(
        self, mail: EmailMessage, *, sender: str, login: tuple[str, str] | None
    ) -> None:
        recipient = str(mail["To"])
        content = mail.as_bytes()
        await self._client.connect()
        if self._client.is_ehlo_or_helo_needed:
            await self._client.ehlo()
        if login is not None:
            self.step = Step.LOGIN
            await self._client.login(*login)
        self.step = Step.SENDER
        is_plain = recipient.isascii()
        if not is_plain and not self._client.supports_extension("smtputf8"):
            raise aiosmtplib.SMTPNotSupported("SMTPUTF8")
        await self._client.mail(sender, options=() if is_plain else ("SMTPUTF8", "BODY=8BITMIME"))
        self.step = Step.RECIPIENT
        await self._client.rcpt(recipient, encoding="ascii" if is_plain else "utf-8")
        self.step = Step.CONTENT
        self.is_ambiguous = True
        await self._client.data(content)
        self.is_ambiguous = False

    async def end(self) -> None:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            if self._client.is_connected and not self.is_ambiguous:
                await self._client.quit(timeout=QUIT_S)
        self._client.close()


def message_id(attempt_id: str, sender: str) -> str:
    digest = hashlib.sha256(attempt_id.encode()).hexdigest()[:32]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def text_of_html(html: str) -> str:
    """The words of a mail for who cannot show HTML: one line per block, without styles."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return "\n".join(line for line in lines if line) + "\n"


def words(reply: str, message: Message) -> str:
    """A relay's words without what it repeats of ours: its codes, and words we did not say."""
    ours = {
        word.casefold()
        for source in (message.text, message.attempt.title, message.attempt.address)
        for word in re.findall(r"\w+", source)
    }
    kept = [
        word
        for word in clean_characters(reply).split()
        if ENHANCED.fullmatch(word)
        or not (
            "@" in word
            or any(one.isdigit() for one in word)
            or ours.intersection(re.findall(r"\w+", word.casefold()))
        )
    ]
    return " ".join(kept)[:RAW_MAX]


def _refusal(step: Step, code: int, said: str) -> Said:
    raw = f"{code} {said}".strip()
    if 400 <= code < 500:
        return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw=raw)
    if 500 <= code < 600:
        enhanced = ENHANCED.search(said)
        if step is Step.RECIPIENT and enhanced is not None and enhanced[0].startswith("5.7."):
            # "Relaying denied" is about us: it must not mark the customer's address as invalid.
            step = Step.SENDER
        failure, retry = REFUSALS[step]
        return Rejected(failure, retry, raw=raw)
    if step is Step.CONTENT:
        return Unknown(Failure.UNAVAILABLE, raw=raw)
    return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw=raw)


def _broken(conversation: Conversation, broken: Exception) -> Said:
    raw = f"{conversation.step}: {type(broken).__name__}"
    failure = Failure.TIMED_OUT if isinstance(broken, TimeoutError) else Failure.UNAVAILABLE
    if conversation.is_ambiguous:
        return Unknown(failure, raw=raw)
    if isinstance(broken, aiosmtplib.SMTPNotSupported | ValueError):
        return Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw=raw)
    return Rejected(failure, Retry.SAME_PROVIDER, raw=raw)


def _plain_domain(address: str) -> str:
    """`novák@bank.cz` stays, `jan@dopis.čz` gets its ASCII domain."""
    if any(one.isspace() or not one.isprintable() or one in "<>,;" for one in address):
        raise ValueError("not one address")
    name, at, domain = address.rpartition("@")
    if not (name and at and domain):
        raise ValueError("not an address")
    return f"{name}@{domain if domain.isascii() else domain.encode('idna').decode()}"


class _Words(HTMLParser):
    BLOCKS = frozenset(("br", "div", "h1", "h2", "h3", "li", "p", "table", "tr", "title"))
    SILENT = frozenset(("head", "script", "style", "title"))

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in self.SILENT
        if tag in self.BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self.SILENT))
        if tag in self.BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data.replace("\n", " "))
