"""`belfry topics apply` on a real broker: makes what is missing, refuses what differs."""

import asyncio
import subprocess
import sys

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from belfry.runtime.cluster.topics import EVENTS, STATE, TOPICS, TopicsRefused, check_topics

COMMAND = [sys.executable, "-c", "from belfry.cli import main; main()"]
PARTITIONS = 4


def apply(broker: str, partitions: int = PARTITIONS) -> subprocess.CompletedProcess[str]:
    words = ["topics", "apply", "--broker", broker, "--partitions", str(partitions)]
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)


async def remove_all(broker: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    ours = {one.name for one in TOPICS}
    there = ours & set(await admin.list_topics())
    if there:
        await admin.delete_topics(sorted(there))
    while ours & set(await admin.list_topics()):
        pass
    await admin.close()


async def make(broker: str, topic: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    await admin.create_topics([topic])
    await admin.close()


@pytest.fixture
def empty(broker):
    """A broker without our topics, before and after."""
    asyncio.run(remove_all(broker))
    yield broker
    asyncio.run(remove_all(broker))


def test_topics_are_made_once_and_then_left_alone(empty) -> None:
    first = apply(empty)
    assert first.returncode == 0, first.stderr
    assert first.stdout.split("\n")[:-1] == [f"made {one.name}" for one in TOPICS]
    assert asyncio.run(check_topics(empty)) == PARTITIONS
    again = apply(empty)
    assert (again.returncode, again.stdout.strip()) == (0, "all topics are as they should be")


def test_another_number_of_partitions_is_refused_and_nothing_is_made(empty) -> None:
    asyncio.run(make(empty, NewTopic(EVENTS, 3, 1, topic_configs={"cleanup.policy": "delete"})))
    said = apply(empty)
    assert said.returncode == 2
    assert f"{EVENTS} has 3 partitions, not 4" in said.stderr
    with pytest.raises(TopicsRefused, match="run `belfry topics apply`"):
        asyncio.run(check_topics(empty))


def test_a_state_topic_that_is_not_compacted_is_refused(empty) -> None:
    asyncio.run(make(empty, NewTopic(STATE, PARTITIONS, 1)))
    said = apply(empty)
    assert said.returncode == 2
    assert f"{STATE}: cleanup.policy is delete, not compact" in said.stderr


def test_a_broker_that_does_not_answer_is_named() -> None:
    said = apply("127.0.0.1:1")
    assert said.returncode == 2
    assert "no Kafka broker answers at 127.0.0.1:1" in said.stderr
