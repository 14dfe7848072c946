"""Fault points: named places in production code where a test may let the process fail.

In: a name of `FAULTPOINTS`. Out: nothing, unless armed: `BELFRY_FAULT=name:count:action`, `arm`.
Invariant: disarmed, a fault point is one comparison. Actions: kill9, raise, hang, slow:MS.
The action happens at the `count`th passing of that name, once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

VARIABLE = "BELFRY_FAULT"
FAULTPOINTS: dict[str, str] = {
    "apply.begin": "a batch was taken, nothing of it has been applied",
    "apply.end": "a batch was applied in memory, nothing of it is on disk",
    "commit.begin": "a transaction was opened",
    "commit.middle": "half of the tables were written",
    "commit.end": "all tables were written, the transaction is still open",
    "commit.done": "the transaction is on disk, nobody was told",
    "call.before": "an attempt is on disk as started, its provider was not called",
    "call.after": "the provider was called, its answer is nowhere",
    "answer.before": "an answer is about to be applied",
    "reply.before": "a batch is on disk, its sender was not answered",
    "folder.before": "events of a file are about to be committed with their position",
    "reload.before": "a new rulebook was checked, the old one still decides",
    "reload.after": "the new rulebook decides, nothing was decided with it",
    "finish.before": "windows are about to be closed",
}


class FaultInjected(Exception):  # noqa: N818  (reads as what happened)
    """What the action `raise` raises."""


_plan: dict[str, tuple[int, Callable[[], None]]] | None = None


def faultpoint(name: str) -> None:
    """A place where it may fail. Nothing happens unless somebody armed it."""
    if _plan is not None:
        _pass(_plan, name)


def arm(name: str, count: int, action: Callable[[], None]) -> None:
    """At the `count`th passing from now `action` is called, once. Names add up."""
    global _plan  # noqa: PLW0603  one process has one plan, as it has one environment
    assert name in FAULTPOINTS, name
    assert count > 0, count
    _plan = {**(_plan or {}), name: (count, action)}


def disarm() -> None:
    """No fault point does anything any more."""
    global _plan  # noqa: PLW0603
    _plan = None


def arm_from_environment() -> None:
    """`BELFRY_FAULT`, several parted by commas. `ValueError` names what is wrong with it."""
    for one in filter(None, os.environ.get(VARIABLE, "").split(",")):
        name, _, rest = one.partition(":")
        count, _, action = rest.partition(":")
        if name not in FAULTPOINTS or not count.isdecimal() or not int(count):
            raise ValueError(f"{VARIABLE}: {one!r} is not name:count:action with a known name")
        arm(name, int(count), action_of(action))


def action_of(word: str) -> Callable[[], None]:
    """`kill9`, `raise`, `hang` or `slow:250`."""
    kind, _, detail = word.partition(":")
    match kind:
        case "kill9":
            return _kill
        case "raise":
            return _raise
        case "hang":
            return threading.Event().wait  # type: ignore[return-value]
        case "slow" if detail.isdecimal():
            return lambda: time.sleep(int(detail) / 1000)
        case _:
            raise ValueError(
                f"{VARIABLE}: no action {word!r}; there are kill9, raise, hang, slow:MS"
            )


def _pass(plan: dict[str, tuple[int, Callable[[], None]]], name: str) -> None:
    left, action = plan.get(name, (0, _raise))
    if not left:
        return
    plan[name] = (left - 1, action)
    if left == 1:
        action()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise FaultInjected("a fault point was armed to raise")
