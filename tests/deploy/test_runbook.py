"""The runbook has a place for each warning of the page and each of a process."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from servers.processes import ROOT


def section(title: str) -> str:
    """The text below a heading, up to the next of its rank."""
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def calls(pattern: str) -> Iterator[ast.Call]:
    for file in sorted(ROOT.glob(pattern)):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def constant(text: ast.expr) -> str:
    """A string, or what an f-string begins with."""
    first = text.values[0] if isinstance(text, ast.JoinedStr) else text
    assert isinstance(first, ast.Constant), ast.dump(text)
    return str(first.value)


def log_lines(folder: str) -> Iterator[str]:
    """The text of each warning and error that is logged, `...` for what is put in."""
    for call in calls(f"{folder}/**/*.py"):
        if re.fullmatch(r"(self\._)?log\.(warning|error|exception|critical)", ast.unparse(call.func)):
            yield re.sub(r"%[.\d]*[a-z]", "...", constant(call.args[0]))


def test_each_warning_of_the_page_is_explained() -> None:
    codes = {
        constant(keyword.value).rstrip(":")
        for call in calls("app/store/queries/*alerts.py")
        for keyword in call.keywords
        if keyword.arg == "code"
    }
    assert "no_worker" in codes
    explained = re.split(r"^### `(\w+)", section("Warnings of the page"), flags=re.MULTILINE)[1:]
    assert set(explained[::2]) == codes
    for code, text in zip(explained[::2], explained[1::2], strict=True):
        assert "- **Figures:**" in text, code
        assert "- **Do" in text, code


def test_each_warning_that_a_process_logs_is_explained() -> None:
    logged = {line for folder in ("app", "drain", "consumers") for line in log_lines(folder)}
    assert "waiting: ..." in logged
    assert set(re.findall(r"^\| `([^`]+)` \|", section("Lines in the log"), re.MULTILINE)) == logged
