"""The service: one rulebook folder, one data file, and what an operator may ask of both.

In: settings. Out: a running host; a reload that takes a good rulebook whole or leaves the old one.
Invariant: what decides was loaded without a fault. Faults of a refused rulebook go to the log and
to whoever asked; they name files and lines, never a customer.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from belfry.connectors.codec import Decoder
from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.faults import RulebookRefused, Severity
from belfry.engine.program import Program, build_program
from belfry.notifiers.dispatch import carry_out, said_of
from belfry.notifiers.executor import Executor
from belfry.notifiers.provider import Provider, Said, answer_event
from belfry.runtime.ports import Clock
from belfry.runtime.rulebook_files import read_rulebook
from belfry.runtime.serving import Serving
from belfry.runtime.tokens import Tokens

log = logging.getLogger("belfry")


class WallClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class Carrier:
    """The transport that calls real providers with the texts of the rulebook that decides.

    An attempt waits for its turn at the executor of its provider. With an instant given (by events)
    there is no time to wait in: it is called at once.
    """

    def __init__(
        self,
        program: Program,
        providers: Mapping[str, Provider],
        clock: Clock,
        executors: Mapping[str, Executor] | None = None,
        *,
        public_url: str = "",
    ) -> None:
        self.program = program
        self.providers = providers
        self.executors = executors or {}
        self.clock = clock
        self.public_url = public_url

    async def carry(self, attempt: Attempt, at: dt.datetime | None = None) -> Answer:
        executor = self.executors.get(attempt.provider)
        if at is not None or executor is None:
            at = at or self.clock.now()
            return await carry_out(
                attempt, self.program.book, self.providers, at=at, public_url=self.public_url
            )
        said = await executor.carry(attempt, partial(self._call, attempt))
        return answer_event(attempt, said, at=self.clock.now())

    async def _call(self, attempt: Attempt, at: dt.datetime) -> Said:
        return await said_of(
            attempt, self.program.book, self.providers, at=at, public_url=self.public_url
        )

    def stop(self) -> None:
        """Who waits for a turn is asked again after the next start."""
        for executor in self.executors.values():
            executor.stop()


class Service:
    """What the HTTP routes and the signals act on."""

    def __init__(
        self, serving: Serving, carrier: Carrier, *, rules: Path, data: Path, tokens: Tokens,
        stop_scope: Sequence[str] = ("marketing",),
    ) -> None:  # fmt: skip
        self.serving, self.carrier = serving, carrier
        self.rules, self.data, self.tokens = rules, data, tokens
        self.stop_scope = stop_scope
        self._reloading = asyncio.Lock()

    async def reload(self) -> str:
        """The hash of the rulebook that decides now. `RulebookRefused`: it is still the old one."""
        async with self._reloading:
            metrics = self.serving.metrics
            try:
                program = await asyncio.to_thread(load_checked, self.rules)
            except (RulebookRefused, OSError) as problem:
                metrics.decides(self.serving.host.program, is_taken=False)
                log.error("rulebook not taken, the old one decides: %s", problem)
                raise
            await self.serving.order(lambda: self._take(program))
            metrics.decides(program)
            log.info("rulebook taken: %s", program.book.hash)
            return program.book.hash

    def _take(self, program: Program) -> None:
        self.serving.host.reload(program)
        self.serving.decoder = Decoder(program.book.event_types)
        self.carrier.program = program


def load_checked(folder: Path) -> Program:
    """The program of a rulebook without errors. `RulebookRefused` holds all of them."""
    book, faults = read_rulebook(folder)
    if book is None:
        raise RulebookRefused([one for one in faults if one.severity is Severity.ERROR])
    return build_program(book)
