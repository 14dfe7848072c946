"""A bank whose providers say only what the test says: attempts are noted, answers come by hand.

In: a program. Out: the bank, and its attempts as `channel/provider` in the order of the calls.
"""

from __future__ import annotations

from typing import Any

from bank import Bank, facts, instant

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer, Receipt
from belfry.engine.program import Program

BOOK = """
bank: {time_zone: Asia/Shanghai, language: zh, currency: CNY, country: CN}
quiet_hours:
- {classes: [service], from: "21:00", to: "08:00", channels: [sms]}
channels:
  push: {contact: device, providers: [gamma]}
  sms: {contact: mobile, providers: [alpha, beta]}
  email: {contact: email, providers: [delta]}
"""
SPENT = {"type": "transaction", "account_id": "A1", "amount": 200, "direction": "debit"}


class Posts(Bank):
    """One transaction was told of; its first attempt is under way."""

    def __init__(self, program: Program, at: str = "2026-03-02T12:00:00") -> None:
        super().__init__(program)
        self.take(*facts())
        self.host.deliver = self._note
        self.take({**SPENT, "at": at}).until(at)

    def _note(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

    @property
    def calls(self) -> list[str]:
        return [f"{one.channel}/{one.provider}" for one in self.attempts]

    @property
    def unsure(self) -> list[tuple[str, str]]:
        return [one for outcome in self.outcomes for one in outcome.unsure]

    def answer(self, at: str, result: Any, retry: Any = "never", number: int = -1) -> Posts:
        """What the provider of that call says at once."""
        return self._hear(Answer, at, number, result=result, retry=retry)

    def receipt(self, at: str, result: Any, number: int = -1) -> Posts:
        """What it says later."""
        return self._hear(Receipt, at, number, result=result)

    def _hear(self, kind: Any, at: str, number: int, **said: Any) -> Posts:
        self.until(at)
        attempt = self.attempts[number].attempt_id
        self.host._step(self.record(), kind(id="x", time=instant(at), attempt_id=attempt, **said))
        return self

    @property
    def is_settled(self) -> bool:
        record = self.record()
        left = [name for name in record.timers if name.startswith(("ladder", "retry"))]
        return not record.outgoing and not left
