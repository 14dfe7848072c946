"""The topics of the cluster: which there are, and how they are made or compared.

In: a broker, partitions, replication. Out: topics that are as declared, or `TopicsRefused`.
Invariant: nothing that exists is changed; a difference is refused with its remedy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

APP = "belfry-worker"
TABLE = "state"
EVENTS = "belfry.events"
DECISIONS = "belfry.decisions"
ATTEMPTS = "belfry.attempts"
QUARANTINE = "belfry.quarantine"
STATE = f"{APP}-{TABLE}-changelog"  # Faust's name for the changelog of a table


class TopicsRefused(RuntimeError):  # noqa: N818  (reads as what happened)
    """What is not as it must be, and what to do."""


class Topic(NamedTuple):
    """`config`: what must hold; a topic that differs is refused."""

    name: str
    config: dict[str, str]


_KEEP = {"cleanup.policy": "delete"}
TOPICS: tuple[Topic, ...] = (
    Topic(EVENTS, _KEEP),
    Topic(DECISIONS, _KEEP),
    Topic(ATTEMPTS, _KEEP),
    Topic(QUARANTINE, _KEEP),
    Topic(STATE, {"cleanup.policy": "compact"}),
)


async def apply_topics(bootstrap: str, *, partitions: int, replication: int) -> list[str]:
    """Make what is missing; the names of what was made."""
    admin = await _connect(bootstrap)
    try:
        known = await _known(admin)
        problems = await _differences(admin, known, partitions)
        if problems:
            raise TopicsRefused("\n".join(problems))
        missing = [one for one in TOPICS if one.name not in known]
        made = [NewTopic(one.name, partitions, replication, topic_configs=one.config)
                for one in missing]  # fmt: skip
        if made:
            reply = await admin.create_topics(made)
            faults = [f"{row[0]}: {row[2]}" for row in reply.topic_errors if row[1]]
            if faults:
                raise TopicsRefused("\n".join(faults))
        return [one.name for one in missing]
    finally:
        await admin.close()


async def check_topics(bootstrap: str) -> int:
    """What a worker needs before it starts; how many partitions there are."""
    admin = await _connect(bootstrap)
    try:
        known = await _known(admin)
        missing = [one.name for one in TOPICS if one.name not in known]
        if missing:
            raise TopicsRefused(
                f"no topic {', '.join(missing)} on {bootstrap}: run `belfry topics apply`"
            )
        partitions = known[EVENTS]
        problems = await _differences(admin, known, partitions)
        if problems:
            raise TopicsRefused("\n".join(problems))
        return partitions
    finally:
        await admin.close()


async def _connect(bootstrap: str) -> Any:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
    except (KafkaError, OSError, ValueError) as problem:
        await admin.close()
        raise TopicsRefused(f"no Kafka broker answers at {bootstrap}: {problem}") from problem
    return admin


async def _known(admin: Any) -> dict[str, int]:
    """Topic → number of partitions."""
    there = set(await admin.list_topics())
    names = [one.name for one in TOPICS if one.name in there]
    if not names:
        return {}
    return {row["topic"]: len(row["partitions"]) for row in await admin.describe_topics(names)}


async def _differences(admin: Any, known: dict[str, int], partitions: int) -> list[str]:
    found = [
        f"{name} has {count} partitions, not {partitions}: a customer's events, state and answers "
        f"must have the same partition; give all topics of Belfry one number"
        for name, count in known.items()
        if count != partitions
    ]
    for one in TOPICS:
        if one.name not in known:
            continue
        asked = ConfigResource(ConfigResourceType.TOPIC, one.name)
        (reply,) = await admin.describe_configs([asked])
        rows = {row[0]: row[1] for row in reply.resources[0][4]}
        found += [
            f"{one.name}: {key} is {rows.get(key)}, not {value}: set it with kafka-configs"
            for key, value in one.config.items()
            if rows.get(key) != value
        ]
    return found
