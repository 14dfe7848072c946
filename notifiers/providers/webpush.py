"""Push to browsers: the text is encrypted for one browser and left at its maker's push service.

In: an attempt and its text; the contact is the subscription, as JSON. Out: accepted on 2xx.
Invariant: browsers name the host themselves, so only hosts of the list are called, over https.
Source: RFC 8030 (TTL, Topic), RFC 8291 (encryption), RFC 8292 (VAPID); pywebpush 2.5.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import py_vapid
import pywebpush

from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    Unknown,
)

# The push services of Chrome, Firefox, Edge and Safari; a leading dot takes every name below.
HOSTS = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".notify.windows.com",
    ".push.apple.com",
)
TTL_S_MAX = 2_419_200  # 28 days; push services cut what is longer
TOPIC_MAX = 32  # characters, RFC 8030
PAYLOAD_MAX = 3_993  # bytes that fit into 4096 when encrypted, RFC 8291
URGENCY = {"security": "high", "advice": "low", "marketing": "low"}

STATUS = {
    401: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    403: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    404: (Failure.INVALID_ADDRESS, Retry.NEVER),
    410: (Failure.INVALID_ADDRESS, Retry.NEVER),
    413: (Failure.UNRENDERABLE, Retry.NEVER),
    429: (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
}


class Redirected(Exception):  # noqa: N818  (not an error of ours)
    """The push service sent us elsewhere; there we do not go."""


class WebPush:
    """`key`: the VAPID private key, base64url or DER; `subject`: `mailto:` of who runs this.

    `allow_http` is for a fake on this machine.
    """

    def __init__(
        self,
        *,
        key: str,
        subject: str,
        allowed_hosts: Collection[str] = HOSTS,
        allow_http: bool = False,
        timeout_s: float = 10.0,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = "webpush"
        self._vapid = py_vapid.Vapid02.from_string(key)
        self._subject = subject
        self._hosts = tuple(allowed_hosts)
        self._schemes = ("https", "http") if allow_http else ("https",)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._tls_context = tls_context
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Message) -> Said:
        subscription = self._subscription(message.attempt.address)
        if isinstance(subscription, Rejected):
            return subscription
        data = payload(message)
        if len(data.encode()) > PAYLOAD_MAX:
            return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw="more than 4096 bytes")
        ttl_s = TTL_S_MAX if message.ttl_s is None else min(int(message.ttl_s), TTL_S_MAX)
        try:
            await pywebpush.webpush_async(
                subscription,
                data=data,
                vapid_private_key=self._vapid,
                vapid_claims={"sub": self._subject},
                # Without one pywebpush waits for ever; a bare number is deprecated in aiohttp.
                timeout=self._timeout,
                ttl=max(ttl_s, 0),
                headers={
                    "topic": topic(message.attempt.message_id),
                    "urgency": URGENCY.get(message.attempt.message_class, "normal"),
                },
                aiohttp_session=self._opened(),
            )
        except pywebpush.WebPushException as refused:
            return _refusal(getattr(refused.response, "status", None))
        except Redirected:
            return Rejected(Failure.REFUSED, Retry.OTHER_PROVIDER, raw="a redirect")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as unreached:
            raw = type(unreached).__name__
            return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw=raw)
        except TimeoutError:
            return Unknown(Failure.TIMED_OUT, raw="no answer in time")
        except (aiohttp.ClientError, OSError) as broken:
            return Unknown(Failure.UNAVAILABLE, raw=type(broken).__name__)
        except (ValueError, TypeError) as problem:
            # Keys that are none: the encryption fails before anything leaves.
            return Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw=type(problem).__name__)
        return Accepted()

    async def close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _subscription(self, address: str) -> dict[str, Any] | Rejected:
        try:
            told = orjson.loads(address)
            place = urlsplit(told["endpoint"])
            host, keys = place.hostname or "", told["keys"]
            found = {
                "endpoint": str(told["endpoint"]),
                "keys": {"p256dh": str(keys["p256dh"]), "auth": str(keys["auth"])},
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            return Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw="not a subscription")
        if place.scheme not in self._schemes or not self._is_allowed(host):
            return Rejected(Failure.REFUSED, Retry.NEVER, raw="the host is not in allowed_hosts")
        return found

    def _is_allowed(self, host: str) -> bool:
        return any(host.endswith(one) if one[0] == "." else host == one for one in self._hosts)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_redirect.append(_stop)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls_context or True),
                trace_configs=[trace],
            )
        return self._session


def payload(message: Message) -> str:
    """What the bank's service worker reads; `tag` lets a repeat replace what it repeats."""
    attempt = message.attempt
    shown = {"title": attempt.title, "body": message.text, "tag": attempt.message_id}
    return orjson.dumps(shown).decode()


def topic(message_id: str) -> str:
    digest = hashlib.sha256(message_id.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:TOPIC_MAX]


def _refusal(status: int | None) -> Said:
    if status is None:
        # pywebpush itself refused the subscription: nothing left.
        return Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw="not a subscription")
    raw = f"HTTP {status}"
    if status >= 500 or status < 400:
        return Unknown(Failure.UNAVAILABLE, raw=raw)
    failure, retry = STATUS.get(status, (Failure.REFUSED, Retry.OTHER_PROVIDER))
    return Rejected(failure, retry, raw=raw)


async def _stop(*_: object) -> None:
    raise Redirected
