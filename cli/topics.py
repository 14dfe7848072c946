"""`belfry topics`: what the cluster needs of Kafka."""

from __future__ import annotations

import asyncio

import click

from belfry.cli.examples import by_example


@click.group(
    epilog=by_example(("belfry topics apply --broker 127.0.0.1:9092 --partitions 64", "makes them"))
)
def topics() -> None:
    """The topics of the cluster."""


@topics.command()
@click.option(
    "--broker", envvar="KAFKA_BOOTSTRAP_SERVERS", required=True, help="HOST:PORT, several by comma."
)
@click.option("--partitions", type=click.IntRange(1, 4096), default=8, show_default=True)
@click.option("--replication", type=click.IntRange(1, 9), default=1, show_default=True)
def apply(broker: str, partitions: int, replication: int) -> None:
    """Make the topics that are missing; refuse, and change nothing, where one differs."""
    from belfry.runtime.cluster.topics import TopicsRefused, apply_topics  # noqa: PLC0415  slow

    try:
        made = asyncio.run(apply_topics(broker, partitions=partitions, replication=replication))
    except TopicsRefused as refused:
        raise click.UsageError(str(refused)) from refused
    for name in made:
        click.echo(f"made {name}")
    if not made:
        click.echo("all topics are as they should be")
