"""One HTTP call of a provider, and whether it can have arrived when it failed.

In: a client, a request, a bound in seconds. Out: the reply, or why there is none. Never raises.
Invariant: before the first byte of the request a failure is `Rejected`, after it `Unknown`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from belfry.notifiers.provider import Failure, Rejected, Retry, Unknown

REPLY_MAX = 16_384  # bytes of a reply that are read; an answer of a provider has a few hundred
CONNECTIONS_MAX = 100  # per provider
CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,63}")
logging.getLogger("httpx2").setLevel(
    logging.WARNING
)  # at INFO it logs the URL: phone, token, values


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `body` may be cut, or empty when it broke off after the status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def post(
    client: httpx2.AsyncClient,
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
    extensions: Mapping[str, Any] | None = None,
) -> Reply | Rejected | Unknown:
    """`timeout_s` bounds the whole call, the name look-up and the reply included."""
    has_begun = False

    async def trace(name: str, info: Mapping[str, Any]) -> None:
        nonlocal has_begun
        has_begun = has_begun or name.endswith("send_request_headers.started")

    try:
        async with (
            asyncio.timeout(timeout_s),
            client.stream(
                "POST",
                url,
                content=content,
                headers={"accept-encoding": "identity", **headers},
                extensions={**(extensions or {}), "trace": trace},
                follow_redirects=False,
            ) as response,
        ):
            return Reply(response.status_code, response.headers, await _start_of(response))
    except (TimeoutError, httpx2.TimeoutException):
        failure = Failure.TIMED_OUT if has_begun else Failure.UNAVAILABLE
        word = "no answer in time" if has_begun else "no connection in time"
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as broken:
        # The type alone: httpx puts the URL, which may hold the address, in its texts.
        failure, word = Failure.UNAVAILABLE, type(broken).__name__
    if has_begun:
        return Unknown(failure, raw=word)
    return Rejected(failure, Retry.SAME_PROVIDER, raw=word)


def word_of(told: object) -> str:
    """A provider's code as it may be kept: one word of its vocabulary, never a sentence."""
    return told if isinstance(told, str) and CODE.fullmatch(told) else ""


async def _start_of(response: httpx2.Response) -> bytes:
    kept = b""
    try:
        async for piece in response.aiter_raw():
            kept += piece
            if len(kept) >= REPLY_MAX:
                break
    except httpx2.HTTPError:
        # The status has been said; the rest are details.
        return kept
    return kept[:REPLY_MAX]
