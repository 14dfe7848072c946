"""Who must not be written to any more: the last look before a call, faster than any record.

In: a contact and a message class. Out: yes or no.
Invariant: contacts are kept as keyed hashes only. What is asked is the answer of this instant:
a STOP counts for the next call, however long that one has waited.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Collection
from typing import Any, Protocol

EVERY_CLASS = "*"
REDIS_S = 0.5  # a question that takes longer was not answered
PREFIX = "belfry:stop:"


class Suppression(Protocol):
    """`classes`: those that are stopped; `EVERY_CLASS` is all of them."""

    async def add(self, address: str, classes: Collection[str] = ("marketing",)) -> None: ...

    async def remove(self, address: str) -> None: ...

    async def has(self, address: str, message_class: str) -> bool: ...


class MemorySuppression:
    """For one process. The key is made anew at each start: hashes mean nothing outside."""

    def __init__(self, key: bytes = b"") -> None:
        self._key = key or secrets.token_bytes(32)
        self._stopped: dict[str, set[str]] = {}

    async def add(self, address: str, classes: Collection[str] = ("marketing",)) -> None:
        self._stopped.setdefault(hashed(self._key, address), set()).update(classes)

    async def remove(self, address: str) -> None:
        self._stopped.pop(hashed(self._key, address), None)

    async def has(self, address: str, message_class: str) -> bool:
        if not self._stopped:
            return False
        stopped = self._stopped.get(hashed(self._key, address), ())
        return message_class in stopped or EVERY_CLASS in stopped


class RedisSuppression:
    """For all processes; they share the key. `client`: of `redis.asyncio`.

    `has` raises the client's errors and `TimeoutError`.
    """

    def __init__(self, client: Any, key: bytes) -> None:
        self._client, self._key = client, key

    async def add(self, address: str, classes: Collection[str] = ("marketing",)) -> None:
        await self._client.sadd(self._name(address), *classes)

    async def remove(self, address: str) -> None:
        await self._client.delete(self._name(address))

    async def has(self, address: str, message_class: str) -> bool:
        async with asyncio.timeout(REDIS_S):
            names = [message_class, EVERY_CLASS]
            return any(await self._client.smismember(self._name(address), names))

    def _name(self, address: str) -> str:
        return PREFIX + hashed(self._key, address)


def hashed(key: bytes, address: str) -> str:
    """The same for the same contact under the same key; nothing else can be read from it."""
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()
