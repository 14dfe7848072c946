"""What is taken away by each ablation: names of production code and what stands in for them.

In: nothing. Out: `REMOVALS`: name → the safeguard in words, target → replacement made of the real
thing.
Invariant: each removes one promise and nothing else; all copies of it (a gate stands in several
lists) go together, or another copy would hide the loss.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from belfry.engine import gates, settle
from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.instants import NEVER
from belfry.engine.record import ContactPoint
from belfry.runtime.faultpoints import faultpoint
from belfry.runtime.outbox import Outbox, refusal
from belfry.runtime.ports import Changes
from belfry.runtime.store_sqlite import WRITES

ENGINE, RUNTIME = "belfry.engine", "belfry.runtime"
Replacement = Callable[[Any], Any]


class Removal(NamedTuple):
    """`replaced`: `module:name` → what makes the stand-in out of the real one."""

    safeguard: str
    replaced: dict[str, Replacement]


def _gates(*gone: gates.Gate) -> dict[str, Replacement]:
    def fewer(real: Any) -> Any:
        return tuple(one for one in real if one not in gone)

    return {f"{ENGINE}.decide:GATES": fewer, f"{ENGINE}.retry:RETRY_GATES": fewer}


def _always(value: Any) -> Replacement:
    return lambda real: lambda *args, **named: value


def _released(real: Any) -> Any:
    """What was held goes out as it was approved."""
    decide: Any = importlib.import_module(f"{ENGINE}.decide")

    def for_customer(*args: Any, is_release: bool = False, **named: Any) -> Any:
        before = decide.GATES
        if is_release:
            decide.GATES = (gates.reachable,)
        try:
            return real(*args, is_release=is_release, **named)
        finally:
            decide.GATES = before

    return for_customer


def _same_again(real: Any) -> Any:
    """The next attempt goes where the last one went."""
    return lambda turn, code, out, channel: ContactPoint("mobile", out.contact)


def _take_all(real: Any) -> Any:
    def take(program: Any, records: Any, outbox: Outbox, answers: deque[Answer], now: Any) -> Any:
        return outbox.take()

    return take


def _unread(real: Any) -> Any:
    """The call's own look at the clock sees no expiry."""

    def carry_out(attempt: Attempt, *args: Any, **named: Any) -> Any:
        return real(msgspec.structs.replace(attempt, expires_at=None), *args, **named)

    return carry_out


def _unwritten(real: Any) -> Any:
    """Attempts are in memory only."""

    def changes(self: Outbox, changes: Changes) -> None:
        real(self, Changes())

    return changes


def _surely_not_sent(real: Any) -> Any:
    return lambda rows, now: (refusal(row, now) for row in rows)


def _like_a_rejection(real: Any) -> Any:
    return lambda turn, out: settle._rejected(turn, out, "same_provider")  # noqa: SLF001


def _two_transactions(real: Any) -> Any:
    def commit(self: Any, changes: Changes) -> None:
        for names in (["seen", "decisions", "attempts", "states"], None):
            some = Changes()
            for name, _ in [*WRITES, ("seen", "")]:
                if (name in names) if names else name not in {"seen", "decisions", "attempts",
                                                              "states"}:  # fmt: skip
                    setattr(some, name, getattr(changes, name))
            real(self, some)
            faultpoint("commit.middle")

    return commit


def _in_any_order(real: Any) -> Any:
    """What is far too late is taken as if it had just happened."""
    from belfry.engine import transition  # noqa: PLC0415

    def late(program: Any, record: Any, event: Any, plan: Any, name: str) -> Any:
        record.seen[name] = event.time
        return transition._general(  # noqa: SLF001
            program, record, event, plan, record.latest, is_late=False
        )

    return late


def _asleep(real: Any) -> Any:
    """After a start nobody looks up who had a timer."""

    def load(self: Any, touched: Any) -> None:
        real(self, touched)
        self._heap = [one for one in self._heap if one[1] in touched]

    return load


def _short(real: Any) -> Any:
    return lambda self, digest: False


def _forgetful(real: Any) -> Any:
    return lambda seen, edge: seen.clear()


REMOVALS: dict[str, Removal] = {
    "dedupe": Removal("known ids: the host's and the record's", {
        f"{RUNTIME}.seen_ids:SeenIds.__contains__": _short,
        f"{ENGINE}.transition:SEEN_CHECKED": lambda real: 0,
        f"{ENGINE}.transition:_forget_old": _forgetful,
    }),
    "consent": Removal("consent is asked", _gates(gates.consented)),
    "caps": Removal("caps are asked", _gates(gates.within_caps)),
    "reservation": Removal("a place under a cap is reserved before sending",
                           {f"{ENGINE}.caps:reserve": _always(None)}),
    "quiet": Removal("quiet hours are asked", _gates(gates.outside_quiet_hours)),
    "release": Removal("what was held is asked again on release, attempts get a last look", {
        f"{ENGINE}.decide:for_customer": _released,
        f"{RUNTIME}.embedded:take_wanted": _take_all,
    }),
    "expiry": Removal("expiry is asked, and looked at before the call", {
        **_gates(gates.not_expired),
        f"{ENGINE}.gates:expires_at": _always(NEVER),
        f"{RUNTIME}.simulation.process:carry_out": _unread,
    }),
    "retry": Removal("retries are asked again, attempts get a last look", {
        f"{ENGINE}.retry:ask_again": _same_again,
        f"{RUNTIME}.embedded:take_wanted": _take_all,
    }),
    "last_look": Removal("attempts get a last look before they are given out",
                         {f"{RUNTIME}.embedded:take_wanted": _take_all}),
    "journal": Removal("an attempt is on disk as started before its call",
                       {f"{RUNTIME}.outbox:Outbox.changes": _unwritten}),
    "unknown_after_crash": Removal("an attempt without an answer may have been sent",
                                   {f"{RUNTIME}.outbox:_left_behind": _surely_not_sent}),
    "unknown": Removal("an unknown answer is no rejection",
                       {f"{ENGINE}.settle:_unknown": _like_a_rejection}),
    "one_transaction": Removal("records, decisions and attempts are one transaction",
                               {f"{RUNTIME}.store_sqlite:SqliteStore.commit": _two_transactions}),
    "forget": Removal("after a failed commit memory is read from the disk",
                      {f"{RUNTIME}.memory:Memory.forget": _always(None)}),
    "lateness": Removal("what is older than the lateness changes nothing",
                        {f"{ENGINE}.transition:_late": _in_any_order}),
    "timers": Removal("timers are read from the disk after a start",
                      {f"{RUNTIME}.agenda:Agenda._load": _asleep}),
}  # fmt: skip
