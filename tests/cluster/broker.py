"""A real Kafka broker on free ports, without containers: its jars by Maven, kept outside the repo.

In: a folder for its data. Out: `Broker`: where it answers; `stop`.
What is missing on the machine is installed by apt as root; otherwise it is said, with exit 2.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import uuid
from pathlib import Path

import pytest

VERSION = os.environ.get("BELFRY_KAFKA_VERSION", "3.9.1")
TRIES, PAUSE_S = 300, 0.2
NEEDS = {"java": "default-jre-headless", "mvn": "maven"}
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>belfry</groupId><artifactId>broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>{version}</version></dependency></dependencies></project>
"""
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{inner}
listeners=PLAINTEXT://127.0.0.1:{outer},CONTROLLER://127.0.0.1:{inner}
advertised.listeners=PLAINTEXT://127.0.0.1:{outer}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def provide_programs() -> None:
    """Java and Maven, or words and exit 2."""
    missing = [package for program, package in NEEDS.items() if shutil.which(program) is None]
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "--quiet"], check=False, capture_output=True)
        subprocess.run(command, check=False, capture_output=True)
    if any(shutil.which(program) is None for program in NEEDS):
        pytest.exit(f"the tests of the cluster need a broker: {' '.join(command)}", returncode=2)


def jars() -> Path:
    """The broker's jars; fetched once (46 MB) for each version."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "belfry" / f"kafka-{VERSION}"
    libs = folder / "libs"
    if not (libs / f"kafka_2.13-{VERSION}.jar").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(POM.format(version=VERSION))
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.exit(f"Maven cannot fetch Kafka {VERSION}:\n{done.stdout[-800:]}", returncode=2)
    return libs


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in listeners]
    for one in listeners:
        one.close()
    return ports


class Broker:
    """One broker that is its own controller."""

    def __init__(self, folder: Path) -> None:
        provide_programs()
        libs = jars()
        outer, inner = free_ports(2)
        self.address = f"127.0.0.1:{outer}"
        self.libs = libs
        settings = folder / "server.properties"
        settings.write_text(PROPERTIES.format(outer=outer, inner=inner, logs=folder / "logs"))
        name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # A name that begins with a dash would be read as an option.
        name = "b" + name[1:]
        java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", f"{libs}/*"]
        form = ["kafka.tools.StorageTool", "format", "-t", name, "-c", str(settings)]
        subprocess.run([*java, *form], check=True, capture_output=True)
        self.log = folder / "broker.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*java, "kafka.Kafka", str(settings)], stdout=output, stderr=output
            )
        self._wait_until_it_answers(outer)

    def _wait_until_it_answers(self, port: int) -> None:
        for _ in range(TRIES):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                try:
                    self.process.wait(timeout=PAUSE_S)
                except subprocess.TimeoutExpired:
                    continue
                break
            return
        raise AssertionError(f"the broker does not answer:\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
