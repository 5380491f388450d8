"""The Dockerfile as data: instruction -> its arguments, stage by stage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from servers.processes import ROOT

Stage = dict[str, list[str]]


def stages() -> dict[str, Stage]:
    """Name -> its instructions, in order; the last is what is built where nothing else is asked for."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    found: dict[str, Stage] = {}
    stage: Stage = {}
    for line in text.splitlines():
        name, _, arguments = line.partition(" ")
        if name == "FROM":
            stage = found.setdefault(arguments.rpartition(" AS ")[2], {})
        if name.isupper():
            stage.setdefault(name, []).append(arguments.strip())
    return found


def base_images() -> set[str]:
    """What the stages are built on that is no stage itself."""
    found = stages()
    sources = {stage["FROM"][0].partition(" ")[0] for stage in found.values()}
    return sources - set(found)


def _lineage(target: str) -> Iterator[Stage]:
    """The stage and those that it is built on."""
    found = stages()
    while target in found:
        yield found[target]
        target = found[target]["FROM"][0].partition(" ")[0]


def instruction(target: str, name: str) -> list[str]:
    """Its arguments in a stage, or in the nearest that this one is built on."""
    return next((stage[name] for stage in _lineage(target) if name in stage), [])


def copied_folders(target: str) -> list[str]:
    """What a stage, and those it is built on, take from the repository."""
    copies = [
        line.split()
        for stage in _lineage(target)
        for line in stage.get("COPY", [])
        if not line.startswith("--from")
    ]
    return [source.removeprefix("/") for *sources, _ in copies for source in sources]


def copy_image(target: str, folder: Path) -> Path:
    """The folder, with what the image of a stage holds of the repository."""
    folder.mkdir()
    for name in copied_folders(target):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder
