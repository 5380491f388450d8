"""The Dockerfile as data: instruction -> its arguments, stage by stage."""

from __future__ import annotations

from tests.support.processes import ROOT


def stages() -> list[dict[str, list[str]]]:
    """One mapping a stage, in order."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    found: list[dict[str, list[str]]] = []
    for line in text.splitlines():
        name, _, arguments = line.partition(" ")
        if name == "FROM":
            found.append({})
        if name.isupper() and found:
            found[-1].setdefault(name, []).append(arguments.strip())
    return found


def copied_folders() -> list[str]:
    """What the last stage takes from the repository."""
    copies = [line.split() for line in stages()[-1]["COPY"] if not line.startswith("--from")]
    return [source for *sources, _ in copies for source in sources]
