"""One broker for all tests here: Kafka's own, or the one that KAFKA_BOOTSTRAP_SERVERS names."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from broker import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if named:
        yield named
        return
    one = Broker(tmp_path_factory.mktemp("kafka"))
    yield one.address
    one.stop()
