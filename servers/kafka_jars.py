"""Fetches Apache Kafka's jars from Maven Central, once: `python -m servers.kafka_jars`.

Versions are pinned by kafka/pom.xml and every jar is checked against kafka/SHA256SUMS.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "kafka"
CACHE = Path(__file__).parents[1] / ".cache"
JARS = CACHE / "kafka-3.9.1"
ARCHIVE = CACHE / f"{JARS.name}.jsa"
"""Made by servers/kafka_archive.py; a broker does without it."""
FETCH_TIMEOUT_S = 600


class NoKafka(RuntimeError):
    """No broker can be had on this machine; says what is missing."""


def jars() -> Path:
    """The folder of jars, fetched if it is not there. Raises NoKafka."""
    if shutil.which("java") is None:
        raise NoKafka("Java is missing (Debian: apt-get install default-jre-headless)")
    if not JARS.exists():
        _fetch()
    return JARS


def _fetch() -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NoKafka("Maven is missing (Debian: apt-get install maven); it fetches the broker once")
    CACHE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="kafka-", dir=CACHE))
    try:
        done = subprocess.run(
            [
                *(maven, "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"),
                *("-DincludeScope=runtime", f"-DoutputDirectory={folder}"),
            ],
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise NoKafka(f"Maven did not fetch the broker: {done.stdout[-300:].strip()}")
        _check(folder)
        folder.rename(JARS)
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def _check(folder: Path) -> None:
    sums = (line.split() for line in (HERE / "SHA256SUMS").read_text().splitlines())
    wanted = {name: digest for digest, name in sums}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    if found != wanted:
        different = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        raise NoKafka(f"these jars are not the ones of SHA256SUMS: {', '.join(different)}")


if __name__ == "__main__":
    try:
        print(f"the broker's jars are in {jars().relative_to(CACHE.parent)}")
    except NoKafka as fault:
        sys.exit(f"no Kafka: {fault}")
