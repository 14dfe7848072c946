"""Which events were taken already: the last `KEPT_MAX` ids, across all customers.

In: names of events. Out: whether one came before; bytes to be stored with the batch.
Invariant: after a restart the same ids are known. Older repeats are stopped by the record's own
ring and by the bank's lateness; 16 bytes of BLAKE2b stand for an id.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b

from belfry.runtime.ports import Store

KEPT_MAX = 500_000
BYTES = 16


class SeenIds:
    """`add` what was taken; `settle` or `forget` after the commit."""

    def __init__(self, store: Store, *, kept_max: int = KEPT_MAX) -> None:
        self._store = store
        self._kept_max = kept_max
        self._fresh: list[bytes] = []
        self.forget()

    @staticmethod
    def digest(name: str) -> bytes:
        return blake2b(name.encode(), digest_size=BYTES).digest()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._known

    def add(self, digest: bytes) -> None:
        """It was taken with the batch under way."""
        self._known.add(digest)
        self._fresh.append(digest)

    def changes(self) -> bytes:
        return b"".join(self._fresh)

    def settle(self) -> None:
        """It is on disk."""
        order, known = self._order, self._known
        order.extend(self._fresh)
        self._fresh.clear()
        while len(order) > self._kept_max:
            known.discard(order.popleft())

    def forget(self) -> None:
        """Memory is no longer what is on disk: read it again."""
        self._fresh.clear()
        found: list[bytes] = []
        for ids in self._store.seen(self._kept_max * BYTES):
            found += [ids[at : at + BYTES] for at in range(len(ids) - BYTES, -1, -BYTES)]
        found = found[: self._kept_max]
        self._order = deque(reversed(found))
        self._known = set(found)
