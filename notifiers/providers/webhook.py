"""Posts a signed message to a system of the bank: a staff work queue, a mailbox in the app.

In: an attempt and its text. Out: accepted on 2xx. `webhook-id` is the message: a repeat shows.
Invariant: only hosts of the list are called, never an inner address unless its network is named.
Source: standardwebhooks.com; facts/delivery.md 6 (resolve, check, pin; no redirects; 5 s).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection

import httpx2
import orjson
import standardwebhooks

from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    Unknown,
)
from belfry.notifiers.render import message_row
from belfry.notifiers.wire import CONNECTIONS_MAX, Reply, post

TIMEOUT_S_MAX = 5.0
PORTS = {"https": 443, "http": 80}
# Global by the register, but a v4 address is inside and a gateway may deliver to it.
TUNNELS = tuple(ipaddress.ip_network(one) for one in ("64:ff9b::/96", "2002::/16", "2001::/32"))

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]

# Statuses below 500 that mean more than "refused, and asking again changes nothing".
STATUS = {
    408: (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    410: (Failure.INVALID_ADDRESS, Retry.NEVER),
    425: (Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    429: (Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
}


class Webhook:
    """`url` None: the contact of the attempt is the URL. `secret`: `whsec_…`, shared with it.

    `networks`: inner networks that may be called (`10.1.0.0/16`); a `http:` URL only in these.
    """

    def __init__(
        self,
        *,
        secret: str,
        allowed_hosts: Collection[str],
        url: str | None = None,
        networks: Collection[str] = (),
        timeout_s: float = TIMEOUT_S_MAX,
        tls_context: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
    ) -> None:
        self.name = "webhook"
        self._signer = standardwebhooks.Webhook(secret)
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._url = url
        self._networks = tuple(ipaddress.ip_network(one) for one in networks)
        self._timeout_s = min(timeout_s, TIMEOUT_S_MAX)
        self._tls_context = tls_context
        self._resolve = resolve or _resolve
        self._client: httpx2.AsyncClient | None = None

    async def send(self, message: Message) -> Said:
        try:
            body = orjson.dumps(message_row(message.attempt, message.text))
        except orjson.JSONEncodeError:
            return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw="a value has no JSON")
        try:
            url = httpx2.URL(self._url or message.attempt.address)
            port = url.port or PORTS[url.scheme]
        except (httpx2.InvalidURL, KeyError, TypeError):
            return Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw="not an https URL")
        if url.host.lower() not in self._hosts:
            return _refused("the host is not in allowed_hosts")
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._resolve(url.host, port)
        except (OSError, TimeoutError, UnicodeError) as problem:
            return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw=type(problem).__name__)
        addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
        if not addresses or not all(self._may_call(one, url.scheme) for one in addresses):
            return _refused("the host is an inner address, or http: outside of networks")
        return await self._post(url, str(addresses[0]), body, message)

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _post(self, url: httpx2.URL, address: str, body: bytes, message: Message) -> Said:
        at = message.at.astimezone(dt.UTC)
        headers = {
            # The address that was checked is the one that is called; the name goes along.
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "webhook-id": message.attempt.message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(message.attempt.message_id, at, body.decode()),
        }
        reply = await post(
            self._opened(),
            str(url.copy_with(host=address, username="", password="")),
            content=body,
            headers=headers,
            timeout_s=self._timeout_s,
            extensions={"sni_hostname": url.host},
        )
        return answer(reply) if isinstance(reply, Reply) else reply

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            # Nothing kept alive: a pool would find one host's connection by another's address.
            self._client = httpx2.AsyncClient(
                verify=self._tls_context or ssl.create_default_context(),
                trust_env=False,
                timeout=self._timeout_s,
                limits=httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=0),
            )
        return self._client

    def _may_call(self, address: IpAddress, scheme: str) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        if any(plain in network for network in self._networks):
            return True
        tunnelled = any(plain in network for network in TUNNELS)
        return scheme == "https" and plain.is_global and not plain.is_multicast and not tunnelled


def answer(reply: Reply) -> Said:
    """By the status alone: the body of a stranger's server may repeat the message."""
    raw = f"HTTP {reply.status}"
    if 200 <= reply.status < 300:
        return Accepted()
    if reply.status >= 500:
        return Unknown(Failure.UNAVAILABLE, raw=raw)
    failure, retry = STATUS.get(reply.status, (Failure.REFUSED, Retry.OTHER_PROVIDER))
    return Rejected(failure, retry, raw=raw)


def _refused(why: str) -> Rejected:
    return Rejected(Failure.REFUSED, Retry.OTHER_PROVIDER, raw=why)


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]
