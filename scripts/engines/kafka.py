"""A real Kafka broker (KRaft, one node) on loopback, from the jars of Maven Central: for tests, benches and trials.

    python -m scripts.engines.kafka fetch    # once; needs Java 17 and Maven
    python -m scripts.engines.kafka run      # prints its address, runs until Ctrl-C

The jars lie in `.tools/kafka/`; once there, neither network nor Maven is needed. Each is checked against
`kafka.sha256`, so that what runs is what was reviewed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from types import TracebackType

from backend.engines.child import Child
from backend.errors import UserError

ROOT = Path(__file__).parents[2]
POM = Path(__file__).with_name("kafka.xml")
LOCK = Path(__file__).with_name("kafka.sha256")
START_TIMEOUT_S = 60.0
JAVA_MIN = 17
HEAP = ("-Xms256m", "-Xmx512m")

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={logs}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.retention.minutes=525600
num.network.threads=2
num.io.threads=4
"""


def missing() -> str:
    """Why no broker can be started here, in one sentence; empty when one can."""
    if shutil.which("java") is None:
        return "no Java on PATH"
    if _java_version() < JAVA_MIN:
        return f"Java {_java_version()} is on PATH, Kafka needs {JAVA_MIN}"
    if not _jars().is_dir():
        return "Kafka's jars are not there: run make test-bus, which fetches them"
    return ""


def fetch() -> Path:
    """Fetch the jars unless they are there, check each, and return their folder. Raises UserError."""
    jars = _jars()
    if jars.is_dir():
        return jars
    if shutil.which("mvn") is None:
        raise UserError(
            "engine_missing", "fetching Kafka needs Maven: install mvn, or copy .tools/kafka from elsewhere"
        )
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent) as folder:
        new = Path(folder) / "jars"
        _copy_jars(new)
        wrong = _differences(new)
        if wrong:
            raise UserError("engine_changed", f"what was fetched is not what is locked in {LOCK.name}: {wrong}")
        new.rename(jars)
    return jars


def lock() -> None:
    """Write the hashes of what Maven resolves now."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "jars"
        _copy_jars(new)
        LOCK.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(_hashes(new).items())))


class Kafka:
    """One broker with its data in ``data_dir``. The address stays the same after a restart of the same object."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.port, self._controller = _free_ports(2)
        self._child = Child("Kafka", self.data_dir, patience_s=20.0)

    @property
    def url(self) -> str:
        """Address for the bus."""
        return f"kafka://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._child.pid

    def start(self) -> str:
        """Start the broker (the first time: format its storage) and return `url`. Raises UserError."""
        reason = missing()
        if reason:
            raise UserError("engine_missing", f"no Kafka here: {reason}")
        logs, properties = self.data_dir / "logs", self.data_dir / "server.properties"
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        properties.write_text(PROPERTIES.format(port=self.port, controller=self._controller, logs=logs))
        java = [str(shutil.which("java")), *HEAP, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        java += ["-cp", f"{_jars()}/*"]
        environment = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "HOME": str(self.data_dir)}
        if not (logs / "meta.properties").exists():
            name = (
                urlsafe_b64encode(uuid.UUID(bytes=secrets.token_bytes(16)).bytes).decode().rstrip("=").replace("-", "A")
            )
            done = subprocess.run(
                [
                    *java,
                    "-XX:TieredStopAtLevel=1",
                    "kafka.tools.StorageTool",
                    "format",
                    "-t",
                    name,
                    "-c",
                    str(properties),
                ],
                capture_output=True,
                text=True,
                check=False,
                env=environment,
            )
            if done.returncode:
                words = (done.stderr or done.stdout).strip().splitlines()
                raise UserError(
                    "engine_failed", f"Kafka's storage cannot be made: {words[-1] if words else 'no output'}", 1
                )
        self._child.start([*java, "kafka.Kafka", str(properties)], self._answers, START_TIMEOUT_S, environment)
        return self.url

    def stop(self) -> None:
        """Shut the broker down and wait for it; does nothing when it is not running."""
        self._child.stop()

    def __enter__(self) -> Kafka:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _answers(self) -> bool:
        """Whether it answers the request by which every client begins (ApiVersions, version 0)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
                client.settimeout(2)
                client.sendall(struct.pack(">ihhih", 10, 18, 0, 7, -1))
                answer = client.recv(10)
        except OSError:
            time.sleep(0.05)
            return False
        return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (7, 0)


def _jars() -> Path:
    # The lock names the version, so a new one is fetched beside the old.
    return ROOT / ".tools" / "kafka" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]


def _copy_jars(folder: Path) -> None:
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(POM), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = [line for line in done.stdout.splitlines() if "ERROR" in line]
        raise UserError("engine_missing", f"Maven could not fetch Kafka: {words[0] if words else 'no reason given'}", 1)


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}


def _differences(folder: Path) -> str:
    wanted = {name: digest for digest, name in (line.split() for line in LOCK.read_text().splitlines())}
    found = _hashes(folder)
    return ", ".join(sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)))


def _java_version() -> int:
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr + done.stdout)
    return int(found[1]) if found else 0


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def main(arguments: list[str]) -> int:
    """`fetch`, `run [FOLDER]` or `lock`."""
    verb = arguments[0] if arguments else ""
    try:
        if verb == "fetch":
            print(f"Kafka's jars are in {fetch().relative_to(ROOT)}")
        elif verb == "lock":
            lock()
        elif verb == "run":
            fetch()
            with Kafka(Path(arguments[1]) if len(arguments) > 1 else ROOT / ".futstar" / "kafka") as broker:
                print(broker.url, flush=True)
                try:
                    while True:
                        time.sleep(3600)
                except KeyboardInterrupt:
                    return 0
        else:
            print("kafka: say 'fetch', 'run [FOLDER]' or 'lock'", file=sys.stderr)
            return 2
    except UserError as error:
        print(f"kafka: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
