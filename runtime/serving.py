"""Serving: the asyncio shell around the embedded host. It waits, groups, calls providers, replies.

In: requests (raw records) from HTTP and folders. Out: `Reply`, after the commit that holds them.
Invariant: the host and its store are touched by one thread; what is queued is bounded (`Full`);
whoever was answered is on disk. While a commit runs, what comes in waits and shares the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from belfry.connectors.codec import Decoder
from belfry.connectors.quarantine import QuarantineRecord
from belfry.connectors.reasons import Rejected
from belfry.engine.decisions import Attempt
from belfry.engine.events import Event
from belfry.notifiers.provider import Failure, Unknown, answer_event
from belfry.runtime.embedded import Host
from belfry.runtime.faultpoints import FaultInjected, faultpoint
from belfry.runtime.metrics import Metrics
from belfry.runtime.pending import counts
from belfry.runtime.ports import Batch, Clock, Committed, Taken, Transport

log = logging.getLogger("belfry")

QUEUED_MAX = 20_000  # records that wait for the next commit
TOGETHER_MAX = 4_000  # records in one commit
IDLE_S = 5.0  # a stepped clock is noticed so late at most
STOP_S = 15.0  # how long a stop waits for answers of providers
RETRY_S = (0.2, 1.0, 5.0)  # after a failed commit


class Full(Exception):  # noqa: N818  (reads as what it is)
    """The queue is full: come back in a second."""


class StoreFailed(Exception):  # noqa: N818
    """The disk refused: nothing of it was taken, come back later."""


class Stopping(Exception):  # noqa: N818
    """Nothing new is taken."""


@dataclass(slots=True)
class Request:
    """Raw records of one sender. `future` gets the reply.

    `events`: what this process itself has read, such as a provider's receipt.
    """

    pieces: Sequence[bytes]
    source: str = ""
    key: str = ""
    digest: str = ""
    positions: Sequence[tuple[str, str, bytes]] = ()
    bad: Sequence[QuarantineRecord] = ()
    events: Sequence[Event] = ()
    future: asyncio.Future[Reply] = field(default_factory=asyncio.Future)


@dataclass(slots=True)
class Reply:
    """What became of a request; `body` as it is told to the sender."""

    body: dict[str, Any]
    is_conflict: bool = False


@dataclass(slots=True)
class Order:
    """Something to be done by the host between two commits."""

    work: Callable[[], Any]
    future: asyncio.Future[Any] = field(default_factory=asyncio.Future)


class Serving:
    """Made inside a running loop; `run` ends after `stop`."""

    def __init__(self, host: Host, clock: Clock, transport: Transport, metrics: Metrics) -> None:
        self.host, self.clock, self.transport, self.metrics = host, clock, transport, metrics
        self.decoder = Decoder(host.program.book.event_types)
        self.is_ready = False
        self.is_stopping = False
        self._queue: deque[Request | Order] = deque()
        self._queued = 0
        self._wake = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, "writer")
        self._calls: set[asyncio.Task[None]] = set()
        self._next_due: dt.datetime | None = None
        self._is_more_due = True  # the first turn looks at once

    # --- asked from outside ---
    async def submit(self, request: Request) -> Reply:
        """The reply, once it is on disk. Raises `Full`, `StoreFailed`, `Stopping`."""
        if self.is_stopping:
            raise Stopping
        if self.is_full:
            self.metrics.refused_full.inc()
            raise Full
        self._queued += len(request.pieces)
        self._queue.append(request)
        self._wake.set()
        return await request.future

    async def order(self, work: Callable[[], Any]) -> Any:
        """The result of `work`, done by the writer between two commits."""
        order = Order(work)
        self._queue.append(order)
        self._wake.set()
        return await order.future

    @property
    def is_full(self) -> bool:
        return self._queued >= QUEUED_MAX or self.host.is_full

    def stop(self) -> None:
        """Take nothing new; `run` ends when all that was taken is settled."""
        self.is_stopping = True
        self._wake.set()

    # --- the loop ---
    async def run(self) -> None:
        """Until `stop`; afterwards nothing is queued or under way."""
        try:
            while not self.is_stopping or self._queue:
                await self._turn()
            await self._settle()
        finally:
            self._writer.shutdown(wait=True)

    async def _turn(self) -> None:
        await self._wait()
        self._wake.clear()
        if self._queue and isinstance(self._queue[0], Order):
            await self._obey(self._queue.popleft())  # type: ignore[arg-type]
            return
        requests = self._together()
        for pause in (*RETRY_S, None):
            try:
                done = await self._in_writer(lambda: self._apply(requests))
            except (OSError, sqlite3.Error, FaultInjected) as problem:
                self.is_ready = False
                self.metrics.commit_failures.inc()
                log.error("commit failed: %s", type(problem).__name__)
                if requests or pause is None:
                    self._refuse(requests)
                    await asyncio.sleep(RETRY_S[0])
                    return
                await asyncio.sleep(pause)
            else:
                self._tell(requests, *done)
                return

    async def _wait(self) -> None:
        """Until something is to be done: a request, an answer, a timer."""
        if self._queue or self._is_more_due or self.host.has_answers or self.is_stopping:
            return
        pause = IDLE_S
        if self._next_due is not None:
            pause = min(pause, max(0.0, (self._next_due - self.clock.now()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), pause)

    def _together(self) -> list[Request]:
        found: list[Request] = []
        size = 0
        while self._queue and size < TOGETHER_MAX and isinstance(self._queue[0], Request):
            request = self._queue.popleft()
            assert isinstance(request, Request)
            found.append(request)
            size += len(request.pieces)
        self._queued -= size
        return found

    def _apply(self, requests: list[Request]) -> tuple[list[Batch], Committed, list[Attempt]]:
        """In the writer's thread. Decoded only now: a reload may have brought other types."""
        started = self.clock.monotonic()
        seen_at = None if self.host.by_events else self.clock.now()
        batches = [self._decoded(one, seen_at) for one in requests]
        committed = self.host.apply(batches)
        self._is_more_due = committed.is_more_due
        self.metrics.commit_seconds.observe(self.clock.monotonic() - started)
        return batches, committed, self._taken()

    def _taken(self) -> list[Attempt]:
        """What is to be called now. Taken last: nothing may fail between here and the calls."""
        try:
            due = self.host.next_due()
            self._next_due = None if self.host.by_events or due.year >= dt.MAXYEAR else due
            return self.host.take_attempts()
        except (OSError, sqlite3.Error, FaultInjected) as problem:
            # The batch is on disk, and its senders are told so; a later turn looks again.
            self.metrics.commit_failures.inc()
            log.error("looking for what is due failed: %s", type(problem).__name__)
            self._next_due = self.clock.now() + dt.timedelta(seconds=RETRY_S[1])
            return []

    def _decoded(self, request: Request, seen_at: dt.datetime | None) -> Batch:
        batch = Batch([], key=request.key, digest=request.digest, positions=request.positions)
        places: list[int] = []
        bad_places: list[int] = []
        for place, raw in enumerate(request.pieces):
            event = self.decoder.decode_event(raw, source=request.source)
            if isinstance(event, Rejected):
                batch.bad.append(QuarantineRecord.of(event, raw, request.source))
                bad_places.append(place)
            else:
                event.seen_at = seen_at
                batch.events.append(event)
                places.append(place)
        for place, event in enumerate(request.events, len(request.pieces)):
            batch.events.append(event)
            places.append(place)
        batch.bad += request.bad
        batch.places, batch.bad_places = places, bad_places
        return batch

    def _tell(
        self, requests: list[Request], batches: list[Batch], committed: Committed,
        attempts: list[Attempt],
    ) -> None:  # fmt: skip
        self.is_ready = True
        faultpoint("reply.before")
        for request, batch, taken in zip(requests, batches, committed.taken, strict=True):
            self.metrics.took(batch, taken)
            if not request.future.done():
                request.future.set_result(_reply(batch, taken))
        self.metrics.committed(committed)
        self.metrics.watch(self.host, self._queued)
        for attempt in attempts:
            task = asyncio.create_task(self._call(attempt))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _call(self, attempt: Attempt) -> None:
        begun = self.clock.monotonic()
        faultpoint("call.before")
        try:
            answer = await self.transport.carry(attempt)
        except Exception as crash:  # noqa: BLE001  (without an answer it would stay open for ever)
            log.error("a call broke: %s", type(crash).__name__)
            said = Unknown(Failure.CRASHED, raw=type(crash).__name__)
            answer = answer_event(attempt, said, at=self.clock.now())
        faultpoint("call.after")
        self.metrics.called(attempt, answer, self.clock.monotonic() - begun)
        self.host.answer(answer)
        self._wake.set()

    def _refuse(self, requests: list[Request]) -> None:
        for request in requests:
            if not request.future.done():
                request.future.set_exception(StoreFailed())

    async def _obey(self, order: Order) -> None:
        future = order.future
        try:
            done = await self._in_writer(order.work)
        except Exception as problem:  # noqa: BLE001  (whoever ordered it hears of it)
            if not future.done():
                future.set_exception(problem)
        else:
            if not future.done():  # whoever ordered it may have been stopped in the meantime
                future.set_result(done)

    async def _settle(self) -> None:
        """By events: what a replay does at its end. Else: wait for answers, and commit them."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=STOP_S)
        with contextlib.suppress(OSError, sqlite3.Error):
            self.metrics.committed(await self._in_writer(self._last))

    def _last(self) -> Committed:
        return self.host.finish() if self.host.by_events else self.host.tick()

    async def _in_writer(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)


def _reply(batch: Batch, taken: Taken) -> Reply:
    if taken.is_conflict:
        return Reply({}, is_conflict=True)
    return Reply(counts(batch, taken) if taken.answer is None else taken.answer)
