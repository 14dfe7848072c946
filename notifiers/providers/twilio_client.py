"""Twilio's REST API, for SMS and voice: one call out, and what its answer means.

In: a call to make. Out: `Said`, never an exception.
Invariant: at most one request per call. Twilio has no idempotency key (its error 20500 says so), so
what may have been sent is `Unknown`, and nothing here tries again. `raw` holds the HTTP status and
Twilio's code, never its message: that quotes phones.
Source: twilio-python 9.13 as read, and https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from belfry.notifiers.inbound import is_signed
from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Rejected,
    Retry,
    Said,
    SettingMissing,
    Unknown,
)

TIMEOUT_S = 10.0
TTL_S_MAX = 36_000  # Twilio's own queue: ten hours
KEPT_ALIVE_S = 15.0  # a connection unused for longer may be closed under the next request

# Twilio's code → why, and what it allows. A code that is not here is judged by the HTTP status.
ACTIONS: dict[int, tuple[Failure, Retry]] = {
    20003: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),  # wrong credentials
    20404: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),  # no such account
    20429: (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),  # refused before it was taken
    20503: (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),  # "retry with backoff"
    21210: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),  # caller id not verified
    21211: (Failure.INVALID_ADDRESS, Retry.NEVER),  # not a phone number
    21212: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),  # sender is not a phone number
    21215: (Failure.REFUSED, Retry.OTHER_PROVIDER),  # calls to this country are off
    21217: (Failure.INVALID_ADDRESS, Retry.NEVER),  # phone number does not appear to be valid
    21408: (Failure.REFUSED, Retry.OTHER_PROVIDER),  # SMS to this country are off
    21602: (Failure.UNRENDERABLE, Retry.NEVER),  # no body
    21603: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),  # no sender
    21606: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),  # sender cannot send
    21610: (Failure.OPTED_OUT, Retry.NEVER),  # said STOP to this sender
    21611: (Failure.RATE_LIMITED, Retry.OTHER_PROVIDER),  # the sender's queue is over ten hours
    21612: (Failure.REFUSED, Retry.OTHER_PROVIDER),  # no route from this sender
    21614: (Failure.INVALID_ADDRESS, Retry.NEVER),  # not a mobile number
    21617: (Failure.UNRENDERABLE, Retry.NEVER),  # over 1,600 characters
    30001: (Failure.RATE_LIMITED, Retry.OTHER_PROVIDER),  # the service's queue overflows
    30003: (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),  # handset off or out of reach
    30004: (Failure.REFUSED, Retry.NEVER),  # blocked
    30005: (Failure.INVALID_ADDRESS, Retry.NEVER),  # unknown handset
    30006: (Failure.INVALID_ADDRESS, Retry.NEVER),  # landline
    30007: (Failure.REFUSED, Retry.NEVER),  # filtered: the same text will be filtered again
    30008: (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),  # "unknown error" of the carrier
    30036: (Failure.EXPIRED, Retry.NEVER),  # the validity period went by
}
BY_STATUS: dict[int, tuple[Failure, Retry]] = {
    401: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    403: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    404: (Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
    429: (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
}
DEAD = ("failed", "undelivered", "canceled")  # words of a resource that will not go out any more


class HttpWithTimeout(AsyncHttpClient):  # type: ignore[misc]
    """Twilio's own asynchronous client ignores its timeout (twilio-python #925), repeats a POST
    when told to retry, logs phones in URLs and keeps the last body. This one does none of it.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__(logging.getLogger("belfry.twilio"), True, timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._limits = aiohttp.ClientTimeout(total=timeout_s)

    async def request(  # noqa: PLR0917  (as Twilio calls it)
        self, method: str, uri: str, params: Any = None, data: Any = None,
        headers: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None,
        timeout: float | None = None, allow_redirects: bool = False,  # noqa: ASYNC109, FBT001, FBT002
    ) -> Response:  # fmt: skip
        if self._session is None:
            connector = aiohttp.TCPConnector(keepalive_timeout=KEPT_ALIVE_S)
            self._session = aiohttp.ClientSession(connector=connector)
        told = dict(headers or {})
        if auth:
            told["Authorization"] = aiohttp.encode_basic_auth(*auth)
        async with self._session.request(
            method, uri, params=params, data=data, headers=told, allow_redirects=False,
            timeout=self._limits,
        ) as response:  # fmt: skip
            return Response(response.status, await response.text(), response.headers)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class TwilioApi:
    """An account. Opens a connection at the first call."""

    def __init__(
        self, *, account_sid: str, auth_token: str = "", api_key: str = "", api_secret: str = "",
        webhook_secret: str = "", base_url: str = "", timeout_s: float | str = TIMEOUT_S,
    ) -> None:  # fmt: skip
        if not account_sid:
            raise SettingMissing("account_sid is required")
        if not auth_token and not (api_key and api_secret):
            raise SettingMissing("auth_token, or api_key with api_secret, is required")
        self._http = HttpWithTimeout(float(timeout_s))
        self._auth_token, self._webhook_secret = auth_token, webhook_secret
        self.client = Client(
            api_key if api_secret else account_sid, api_secret or auth_token, account_sid,
            http_client=self._http, environment={"TWILIO_REGION": ""},
        )  # fmt: skip
        if base_url:
            self.client.api.base_url = base_url.rstrip("/")

    async def said(self, create: Callable[[Client], Awaitable[Any]]) -> Said:
        """One call of `create`, and what came of it."""
        try:
            resource = await create(self.client)
        except (TwilioRestException, TwilioServiceException) as refused:
            return said_of(int(refused.status), refused.code)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            # No connection came about, so no request went out.
            return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw=type(problem).__name__)
        except TimeoutError as problem:
            return Unknown(Failure.TIMED_OUT, raw=type(problem).__name__)
        except (aiohttp.ClientError, OSError) as problem:
            return Unknown(Failure.UNAVAILABLE, raw=type(problem).__name__)
        except (TwilioException, ValueError, KeyError, TypeError) as problem:
            # A 2xx that is not the JSON we know: it was taken, or not.
            return Unknown(Failure.CRASHED, raw=type(problem).__name__)
        status, code = resource.status, getattr(resource, "error_code", None)
        if str(status) in DEAD:
            failure, retry = ACTIONS.get(int(code or 0), (Failure.REFUSED, Retry.NEVER))
            return Rejected(failure, retry, raw=f"{status} {code or ''}".rstrip())
        return Accepted(provider_ref=resource.sid)

    def has_signed(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Did this account send that request to us?"""
        return is_signed(
            url, form, headers, auth_token=self._auth_token, webhook_secret=self._webhook_secret
        )

    async def close(self) -> None:
        await self._http.close()


def said_of(status: int, code: Any) -> Said:
    """An answer that is not 2xx. Twilio's code decides for what it surely did not take."""
    number = int(code) if str(code).isdecimal() else 0
    raw = f"{status} {number}" if number and number != status else str(status)
    if (status == 503 and number == 20503) or (400 <= status < 500 and status != 408):
        by_status = BY_STATUS.get(status, (Failure.REFUSED, Retry.NEVER))
        return Rejected(*ACTIONS.get(number, by_status), raw=raw)
    if status < 400:
        # A redirect is somebody between us and Twilio.
        return Rejected(Failure.UNAVAILABLE, Retry.OTHER_PROVIDER, raw=raw)
    return Unknown(Failure.TIMED_OUT if status in {408, 504} else Failure.UNAVAILABLE, raw=raw)


def by_class(value: Mapping[str, str] | str) -> dict[str, str]:
    """`{"marketing": "MG…"}`, or `marketing=MG…;service=MG…` of an environment variable."""
    if not isinstance(value, str):
        return dict(value)
    rows = [row.partition("=") for row in value.split(";") if row.strip()]
    return {name.strip(): found.strip() for name, _, found in rows}
