"""What the transition says: decisions, messages, attempts, tasks. Plain values, JSON by field name.

In: built by the transition. Out: written by hosts. Contract: design section 7,
docs/reference/decisions.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import msgspec

from belfry.engine.reasons import Outcome as Verdict

_NAMESPACE = b"belfry\x00"


class Decision(msgspec.Struct, rename={"message_class": "class"}, omit_defaults=False):
    """One candidate, sent or not. `values`: name → value read by the condition."""

    id: str
    at: dt.datetime
    customer_id: str
    rule: str
    key: str
    occurrence: str
    message_class: str | None
    outcome: Verdict
    reason: str
    channel: str | None
    send_at: dt.datetime | None
    values: dict[str, Any]
    rulebook: str
    message_id: str | None


class Attempt(msgspec.Struct, rename={"message_class": "class"}):
    """One call to one provider, to be made now. `values`: what the template may show."""

    attempt_id: str
    message_id: str
    customer_id: str
    rule: str
    key: str
    message_class: str
    channel: str
    provider: str
    address: str
    language: str
    template: str
    title: str
    values: dict[str, Any]
    at: dt.datetime
    expires_at: dt.datetime | None

    def __repr__(self) -> str:
        return f"Attempt({self.attempt_id!r}, {self.channel!r}, {self.provider!r}, …)"


class TaskOrder(msgspec.Struct):
    """Work for the staff queue."""

    task_id: str
    customer_id: str
    rule: str
    key: str
    role: str
    title: str
    priority: int
    at: dt.datetime
    due_at: dt.datetime | None
    values: dict[str, Any]


class Conversion(msgspec.Struct):
    """A goal was met. `told` False: by somebody in the holdout."""

    rule: str
    message_id: str
    customer_id: str
    at: dt.datetime
    told: bool


class Outcome(msgspec.Struct):
    """All that one transition gives back. `seen`: applied, repeated or late.

    `unsure`: (possibly_duplicated or possibly_lost, class) of messages without an answer.
    """

    seen: str = "applied"
    decisions: list[Decision] = []
    attempts: list[Attempt] = []
    tasks: list[TaskOrder] = []
    conversions: list[Conversion] = []
    unknown: list[str] = []
    errors: list[str] = []
    fired: int = 0
    unsure: list[tuple[str, str]] = []


def derived_id(*parts: str) -> str:
    """An id that is the same whenever it is derived again: UUIDv5 (RFC 9562) over the parts."""
    digest = hashlib.sha1(_NAMESPACE + "\x1f".join(parts).encode()).hexdigest()  # noqa: S324
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def percent_of(*parts: str) -> float:
    """A stable place between 0 (included) and 100 (excluded) for rollout and holdout."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 * 100
