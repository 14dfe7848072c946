"""What a provider can bear: its rate, its slots, its patience. Taken out of its settings.

In: `[providers.NAME]`. Out: `Limits`, and the settings that are the provider's own.
Invariant: a wrong one is named (`LimitRefused`), never its neighbours' values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

WAITING_MAX = 10_000  # attempts that wait for one provider; beyond it they are asked again later


class LimitRefused(ValueError):  # noqa: N818  (reads as what happened)
    """Which setting is wrong, and what it may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`rate`: messages (or SMS segments) a second, None: as they come. `burst`: at once."""

    rate: float | None = None
    burst: int | None = None
    concurrency: int = 32
    timeout_s: float = 20.0
    waiting_max: int = WAITING_MAX


def take_limits(name: str, given: Mapping[str, Any]) -> tuple[Limits, dict[str, Any]]:
    """The limits, and the rest. Values from the environment are text."""
    found: dict[str, Any] = {}
    for key, (read, words) in _READ.items():
        if key not in given:
            continue
        value = read(given[key])
        if value is None:
            raise LimitRefused(f"providers.{name}.{key} is {words}")
        found[key] = value
    if "burst" in found and "rate" not in found:
        raise LimitRefused(f"providers.{name}.burst needs providers.{name}.rate")
    rest = {key: value for key, value in given.items() if key not in _READ}
    return Limits(**found), rest


def _above_zero(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0.001 <= number <= 1e6 and math.isfinite(number) else None


def _whole(value: Any) -> int | None:
    number = _above_zero(value)
    return int(number) if number is not None and number.is_integer() else None


_READ: dict[str, tuple[Callable[[Any], float | int | None], str]] = {
    "rate": (_above_zero, "a number above 0: messages a second"),
    "burst": (_whole, "a whole number from 1: messages at once"),
    "concurrency": (_whole, "a whole number from 1: calls at the same time"),
    "timeout_s": (_above_zero, "a number above 0: seconds until a call is given up"),
}
