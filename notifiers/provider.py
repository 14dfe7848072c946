"""What a provider is, the three answers it can give, and the table of those we ship.

In: an attempt and its text. Out: `Accepted`, `Rejected` or `Unknown`, never an exception.
Invariant: a provider calls out once; whether to call again is decided in the engine.
"""

from __future__ import annotations

import datetime as dt
import enum
import importlib
from dataclasses import dataclass
from typing import Any, Protocol, assert_never

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer

RAW_MAX = 500  # characters of a provider's own words that are kept


class Retry(enum.StrEnum):
    """What a rejection allows. The words of `Answer.retry`."""

    SAME_PROVIDER = "same_provider"
    OTHER_PROVIDER = "other_provider"
    NEVER = "never"


class Failure(enum.StrEnum):
    """Why an attempt was not accepted, whoever said so. Closed: a metric label."""

    CRASHED = "crashed"
    EXPIRED = "expired"
    INVALID_ADDRESS = "invalid_address"
    NOT_CONFIGURED = "not_configured"
    NO_TEMPLATE = "no_template"
    OPTED_OUT = "opted_out"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "unavailable"
    UNRENDERABLE = "unrenderable"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it over. `provider_ref` is its own id of the message."""

    provider_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Surely not sent."""

    failure: Failure
    retry: Retry
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """May have been sent: a timeout, a broken connection, a crash in between."""

    failure: Failure
    raw: str = ""


Said = Accepted | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Message:
    """What one attempt hands to a provider. `text`: rendered in the customer's language.

    `at`: the instant of the call. `ttl_s`: seconds that are left until it must not be shown any
    more; None: no end. `callback_url`: where receipts of this attempt go; None: nowhere.
    `is_html`: the template was an `.html`; only mail can show it.
    """

    attempt: Attempt
    text: str
    at: dt.datetime
    ttl_s: float | None = None
    callback_url: str | None = None
    is_html: bool = False

    def __repr__(self) -> str:
        return f"Message({self.attempt!r}, …)"


class SettingMissing(ValueError):  # noqa: N818  (reads as what happened)
    """Which setting; never its value: `belfry doctor` shows it."""


class Provider(Protocol):
    """One way out. Constructed with keyword settings, outside of a loop and without I/O.

    `send` and `close` run in one event loop; `close` is called once, also if nothing was sent.
    """

    name: str

    async def send(self, message: Message) -> Said:
        """One call, with a timeout. A failure is a value; the provider's own words are `raw`."""

    async def close(self) -> None: ...


PROVIDERS: dict[str, str] = {
    "aliyun_sms": "belfry.notifiers.providers.aliyun_sms:AliyunSms",
    "apns": "belfry.notifiers.providers.apns:Apns",
    "console": "belfry.notifiers.providers.console:Console",
    "fcm": "belfry.notifiers.providers.fcm:Fcm",
    "file": "belfry.notifiers.providers.file:File",
    "smtp": "belfry.notifiers.providers.smtp:Smtp",
    "twilio_sms": "belfry.notifiers.providers.twilio_sms:TwilioSms",
    "twilio_voice": "belfry.notifiers.providers.twilio_voice:TwilioVoice",
    "webhook": "belfry.notifiers.providers.webhook:Webhook",
    "webpush": "belfry.notifiers.providers.webpush:WebPush",
}


def open_provider(name: str, **settings: Any) -> Provider:
    """A provider of the table, with its settings. `KeyError` for a name that is not in it."""
    module, _, attribute = PROVIDERS[name].partition(":")
    provider: Provider = getattr(importlib.import_module(module), attribute)(**settings)
    return provider


def answer_event(attempt: Attempt, said: Said, *, at: dt.datetime) -> Answer:
    """What the provider said, as an event. Its id is derived: told twice, it counts once."""
    answer = Answer(
        id=f"answer:{attempt.attempt_id}",
        source=f"provider:{attempt.provider}",
        time=at,
        customer_id=attempt.customer_id,
        attempt_id=attempt.attempt_id,
        result="unknown",
        provider=attempt.provider,
    )
    match said:
        case Accepted(provider_ref=reference):
            answer.result, answer.provider_ref = "accepted", reference
        case Rejected(failure=failure, retry=retry, raw=raw):
            answer.result, answer.retry = "rejected", retry.value
            answer.code = _code(failure, raw)
        case Unknown(failure=failure, raw=raw):
            answer.code = _code(failure, raw)
        case _:
            assert_never(said)
    return answer


def _code(failure: Failure, raw: str) -> str:
    return f"{failure}: {raw[:RAW_MAX]}" if raw else str(failure)


def masked_address(address: str) -> str:
    """A contact as it may be shown: `****5678`, `n****@bank.cz`."""
    name, at, host = address.rpartition("@")
    if at:
        return f"{name[:1]}****@{host}"
    return "****" + (address[-4:] if len(address) > len("12345678") else "")
