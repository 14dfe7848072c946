"""Made-up contacts and consents, for a bank's data that has none; the same for the same seed.

In: customers' ids, the time of the facts. Out: `contact` and `consent` events as plain dicts.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

Fields = dict[str, Any]


def contacts_for(customers: Iterable[str], at: str, seed: int = 7) -> Iterator[Fields]:
    """Made-up contacts and consents for customers of data that has none."""
    random_ = random.Random(seed)  # noqa: S311
    for number, customer in enumerate(customers):
        base = {"time": at, "customer_id": customer}
        mark = {"verified": True, "primary": True}
        if random_.random() < 0.9:
            address = f"+86138{number:08d}"
            yield {**base, **mark, "id": f"{customer}-mobile", "type": "contact",
                   "kind": "mobile", "address": address}  # fmt: skip
        if random_.random() < 0.7:
            yield {**base, **mark, "id": f"{customer}-device", "type": "contact",
                   "kind": "device", "address": f"device-{number}"}  # fmt: skip
        yield {**base, **mark, "id": f"{customer}-email", "type": "contact",
               "kind": "email", "address": f"c{number}@bank.example"}  # fmt: skip
        for purpose in ("service", "advice", "marketing"):
            if random_.random() < 0.8:
                given = random_.random() < 0.85
                yield {**base, "id": f"{customer}-{purpose}", "type": "consent",
                       "purpose": purpose, "given": given}  # fmt: skip
