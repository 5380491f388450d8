"""The files of `--report`: the form is chosen by the file's ending."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.errors import BadSettings, TailraceError
from app.masking import safe_word
from consumers.replay.reports import as_json, html, junit, markdown
from consumers.replay.reports.report import Report

FORMS: Mapping[str, Callable[[Report], str]] = {
    ".json": as_json.render,
    ".md": markdown.render,
    ".html": html.render,
    ".junit.xml": junit.render,
}
"""Ending -> the text of the file."""


def check_paths(paths: Sequence[Path]) -> None:
    """Raises BadSettings for files that could not be written when the replay is over."""
    faults = []
    for path in paths:
        named = f"--report {safe_word(path)}"
        if _form(path) is None:
            *others, last = FORMS
            faults.append(f"{named}: must end in {', '.join(others)} or {last}")
        elif path.is_dir() or not path.parent.is_dir():
            faults.append(f"{named}: {'is a folder' if path.is_dir() else 'its folder does not exist'}")
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            faults.append(f"{named}: cannot be written: permission denied")
    if faults:
        raise BadSettings(faults)


def write(paths: Sequence[Path], report: Report) -> None:
    """Writes each file, in place of an earlier one. Raises TailraceError if that fails for any of them, after
    the others are written."""
    faults = []
    for path in paths:
        form = _form(path)
        assert form is not None, "see check_paths"
        try:
            path.write_text(form(report), "utf-8")
        except OSError as fault:
            faults.append(f"--report {safe_word(path)}: {fault.strerror}")
    if faults:
        raise TailraceError("\n".join(faults))


def _form(path: Path) -> Callable[[Report], str] | None:
    """None for a file of another ending, or of no name before it."""
    return next(
        (form for ending, form in FORMS.items() if path.name.endswith(ending) and path.name != ending), None
    )
