"""Makes an archive of the classes that a broker loads, once: `python -m servers.kafka_archive`.

Java maps it into memory instead of reading and checking 55 jars, so that a broker starts in half of the time.
An archive of another Java or of other jars is not used.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from servers.kafka_broker import QUICK, KafkaBroker
from servers.kafka_jars import ARCHIVE, NoKafka, jars


def make() -> None:
    """Raises NoKafka."""
    jars()
    if _is_of_this_java():
        return
    ARCHIVE.unlink(missing_ok=True)  # A broker that uses one makes none.
    made = ARCHIVE.with_suffix(f".{os.getpid()}")
    # Javas before 13 know no such archives, and would refuse to start.
    options = ("-XX:+IgnoreUnrecognizedVMOptions", f"-XX:ArchiveClassesAtExit={made}")
    try:
        with KafkaBroker(jvm=(*QUICK, *options)) as broker:
            is_whole = broker.stop()
        if is_whole and made.exists():
            made.rename(ARCHIVE)
    finally:
        made.unlink(missing_ok=True)


def _is_of_this_java() -> bool:
    """Whether the archive is there and Java was not installed anew since."""
    java = Path(shutil.which("java") or "").resolve()
    return ARCHIVE.exists() and ARCHIVE.stat().st_mtime > java.stat().st_ctime


if __name__ == "__main__":
    try:
        make()
        print(f"classes of the broker: {ARCHIVE.name}" if ARCHIVE.exists() else "no archive of classes")
    except NoKafka as fault:
        sys.exit(f"no Kafka: {fault}")
