"""Makes an archive of the classes that a broker loads, once: `python -m servers.kafka_archive`.

Java maps it into memory instead of reading and checking 55 jars, so that a broker starts in half of the time.
An archive of another Java or of other jars is not used.
"""

from __future__ import annotations

import sys

from servers.kafka_broker import QUICK, KafkaBroker
from servers.kafka_jars import ARCHIVE, NoKafka


def make() -> None:
    """Raises NoKafka."""
    if ARCHIVE.exists():
        return
    made = ARCHIVE.with_suffix(".new")
    made.unlink(missing_ok=True)
    with KafkaBroker(jvm=(*QUICK, f"-XX:ArchiveClassesAtExit={made}")) as broker:
        broker.stop()
    # Older Javas know no such archives.
    if made.exists():
        made.rename(ARCHIVE)


if __name__ == "__main__":
    try:
        make()
        print(f"classes of the broker: {ARCHIVE.name}" if ARCHIVE.exists() else "no archive of classes")
    except NoKafka as fault:
        sys.exit(f"no Kafka: {fault}")
