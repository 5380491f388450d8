"""What a demo has running, wherever its processes went."""

from __future__ import annotations

from pathlib import Path


def of_folder(temporary: Path) -> list[int]:
    """The processes that have this folder for temporary files."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_one = entry.name.isdecimal() and f"TMPDIR={temporary}\0" in (entry / "environ").read_text()
        except (OSError, UnicodeDecodeError):  # It has ended, or is somebody else's.
            continue
        if is_one:
            found.append(int(entry.name))
    return found
