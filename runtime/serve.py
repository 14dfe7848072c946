"""`belfry serve` without its words: everything made, wired, run, and put down in order.

In: settings, a program, tokens. Out: it returns when it was told to stop and all is on disk.
Invariant: the lock of the data file is taken first and given back last. SIGTERM and SIGINT stop,
SIGHUP reloads.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import importlib.metadata
import json
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import uvicorn

from belfry.engine.faults import RulebookRefused
from belfry.engine.program import Program
from belfry.notifiers.provider import Provider, open_provider
from belfry.runtime.embedded import Host
from belfry.runtime.executors import open_executors
from belfry.runtime.faultpoints import arm_from_environment, faultpoint
from belfry.runtime.folders import Chunk, Folder
from belfry.runtime.http import application
from belfry.runtime.metrics import Metrics
from belfry.runtime.ports import micros
from belfry.runtime.service import Carrier, Service, WallClock
from belfry.runtime.serving import Full, Request, Serving, StoreFailed
from belfry.runtime.settings import Settings
from belfry.runtime.store_sqlite import SqliteStore
from belfry.runtime.tokens import Tokens

log = logging.getLogger("belfry")

LOOK_S = 1.0  # between two looks into watched folders
PRUNE_S = 600.0
PRUNED_MAX = 5_000  # rows a table in one go
HTTP_STOP_S = 10
GC_THRESHOLDS = (50_000, 20, 100)  # objects, then collections of the younger generation


def serve(
    settings: Settings, program: Program, tokens: Tokens, told: Callable[[str], None]
) -> None:
    """`told` hears the address once requests are taken."""
    arm_from_environment()
    store = SqliteStore(settings.data)
    try:
        with socket.create_server((settings.host, settings.port), backlog=1024) as listener:
            asyncio.run(_run(settings, program, store, tokens, listener, told))
    finally:
        store.close()


async def _run(  # noqa: PLR0917  each of another type
    settings: Settings, program: Program, store: SqliteStore, tokens: Tokens,
    listener: socket.socket, told: Callable[[str], None],
) -> None:  # fmt: skip
    clock = WallClock()
    metrics = Metrics(importlib.metadata.version("belfry-alerts"))
    async with (
        _providers(program, settings) as providers,
        open_executors(providers, settings, clock, metrics) as executors,
    ):
        carrier = Carrier(program, providers, clock, executors, public_url=settings.public_url)
        host = Host(program, store, clock, carrier, by_events=settings.clock == "events")
        # Rulebook and program stay: looking through them for garbage would be felt in latency.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        await _wired(settings, host, carrier, metrics, tokens, listener, told)


async def _wired(  # noqa: PLR0917  each of another type
    settings: Settings, host: Host, carrier: Carrier, metrics: Metrics, tokens: Tokens,
    listener: socket.socket, told: Callable[[str], None],
) -> None:  # fmt: skip
    clock = carrier.clock
    metrics.decides(host.program)
    serving = Serving(host, clock, carrier, metrics)
    service = Service(
        serving, carrier, rules=settings.rules, data=settings.data, tokens=tokens,
        stop_scope=settings.stop_scope,
    )  # fmt: skip
    server = _Server(_config(service))
    stop = asyncio.Event()
    _listen_to_signals(service, stop)
    writer = asyncio.create_task(serving.run())
    http = asyncio.create_task(server.serve(sockets=[listener]))
    beside = [asyncio.create_task(_watch(serving, Folder(*one))) for one in settings.watch]
    if settings.keep_days:
        beside.append(asyncio.create_task(_prune(serving, dt.timedelta(days=settings.keep_days))))
    name, port = listener.getsockname()[:2]
    told(f"http://{f'[{name}]' if ':' in name else name}:{port}")
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, writer, http, *beside}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    for task in beside:
        task.cancel()
    server.should_exit = True
    await http
    carrier.stop()
    serving.stop()
    await writer
    for task in beside:
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _config(service: Service) -> uvicorn.Config:
    return uvicorn.Config(
        application(service),
        http="httptools",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=HTTP_STOP_S,
    )


class _Server(uvicorn.Server):
    """Signals are ours: uvicorn would stop HTTP before what was taken is on disk."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen_to_signals(service: Service, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    tasks: set[asyncio.Task[Any]] = set()

    async def reload() -> None:
        with contextlib.suppress(RulebookRefused, OSError):  # it is in the log
            await service.reload()

    def begin() -> None:
        task = asyncio.create_task(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, begin)


async def _watch(serving: Serving, folder: Folder) -> None:
    store = serving.host.store
    while True:
        looked = folder.look(serving.decoder, store.position)
        try:
            while (chunk := await serving.order(partial(next, looked, None))) is not None:
                await _take(serving, chunk)
            if folder.source_name:
                serving.host.watermarks.caught_up(folder.source_name, serving.clock.now())
        except (OSError, RulebookRefused) as problem:
            log.error("watched folder %s: %s", folder.folder.name, problem)
        await asyncio.sleep(LOOK_S)


async def _take(serving: Serving, chunk: Chunk) -> None:
    """A chunk, until it is on disk."""
    while True:
        faultpoint("folder.before")
        request = Request(chunk.events, positions=chunk.positions, bad=chunk.bad)
        try:
            await serving.submit(request)
        except (Full, StoreFailed):
            await asyncio.sleep(LOOK_S)
        else:
            return


async def _prune(serving: Serving, keep: dt.timedelta) -> None:
    while True:
        before = micros(serving.host.now() - keep)
        prune = partial(serving.host.store.prune, before, PRUNED_MAX)
        gone = await serving.order(prune)
        await asyncio.sleep(0.05 if gone else PRUNE_S)  # what comes in goes first


@contextlib.asynccontextmanager
async def _providers(program: Program, settings: Settings) -> AsyncIterator[dict[str, Provider]]:
    """Those that the rulebook names or the settings configure."""
    channels = program.book.policies.channels.values()
    named = {name for channel in channels for name in channel.providers} | set(settings.providers)
    opened: dict[str, Provider] = {}
    try:
        for name in sorted(named):
            given = dict(settings.providers.get(name, {}))
            if name == "file":
                given.setdefault("path", f"{settings.data}.messages.ndjson")
            opened[name] = open_provider(name, **given)
        yield opened
    finally:
        for provider in opened.values():
            await provider.close()


class JsonLines(logging.Formatter):
    """One JSON object a line: nothing in a message can forge a second one."""

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {"at": at, "level": record.levelname.lower()}
        said |= {"logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            # The type only: what an exception says may quote a record.
            said["exception"] = record.exc_info[0].__name__
        return json.dumps(said, ensure_ascii=False)


def log_to_stderr() -> None:
    """Our own from info up, others' from warning up."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)
