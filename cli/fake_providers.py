"""`belfry fake-providers`: the providers' servers, played on this machine."""

from __future__ import annotations

import asyncio
import contextlib

import click

from belfry.cli.examples import by_example
from belfry.notifiers.fakes import FAKES, make_fake

DEFAULT_LISTEN = "127.0.0.1:8760"


@click.command(
    epilog=by_example(
        ("belfry fake-providers", "one port for each, from 8760 on"),
        ("belfry fake-providers --only twilio --listen 127.0.0.1:0", "on a free port"),
        ('curl -d \'{"play": "drop_after"}\' 127.0.0.1:8760/_fake/play', "accept, say nothing"),
        ("curl 127.0.0.1:8760/_fake/accepted", "what was accepted"),
    )
)
@click.option("--listen", default=DEFAULT_LISTEN, show_default=True, help="HOST:PORT of the first.")
@click.option("--only", multiple=True, type=click.Choice(sorted(FAKES)), help="Just these.")
def fake_providers(listen: str, only: tuple[str, ...]) -> None:
    """Play the servers of providers, to try rules and failures without sending anything.

    Give the printed URL to a provider as its setting base_url. Stops by Ctrl-C.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise click.UsageError(f"--listen is HOST:PORT, such as {DEFAULT_LISTEN}")
    asyncio.run(_serve(host, int(port), only or tuple(FAKES)))


async def _serve(host: str, port: int, names: tuple[str, ...]) -> None:
    async with contextlib.AsyncExitStack() as running:
        for place, name in enumerate(names):
            fake = make_fake(name)
            url = await fake.start(host, port + place if port else 0)
            running.push_async_callback(fake.stop)
            click.echo(f"{name} {url}")
        await asyncio.Event().wait()
