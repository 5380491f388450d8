"""What a demo has running, wherever its processes went."""

from __future__ import annotations

import os
from pathlib import Path


def of_folder(temporary: Path) -> list[int]:
    """The processes that have this folder for temporary files, or work in it."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and _is_of(entry, temporary)
    ]


def _is_of(process: Path, temporary: Path) -> bool:
    try:
        environ = (process / "environ").read_text("utf-8", "replace")
        folder = os.readlink(process / "cwd")
    except OSError:  # It has ended, or is somebody else's.
        return False
    # redis-server writes its title over its environment, so it is known by its folder.
    return f"TMPDIR={temporary}\0" in environ or folder.startswith(f"{temporary}/")
