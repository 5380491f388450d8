"""`servers` is for development alone; the demo, the benchmarks and the tests share it and nothing else."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

import pytest

from servers.processes import ROOT

DEVELOPMENT = {"demo", "bench", "tests", "servers"}
ALLOWED = {
    "app": set[str](),
    "drain": set[str](),
    "consumers": set[str](),
    "servers": {"servers"},
    "demo": {"demo", "servers"},
    "bench": {"bench", "servers"},
    "tests": {"tests", "servers"},
}


def imported(folder: str) -> Iterator[tuple[str, str]]:
    """(file, development folder that it imports) of each import in a folder, and of each `-m`."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.List | ast.Tuple):
                words = [part.value for part in node.elts if isinstance(part, ast.Constant)]
                modules = [str(word) for flag, word in itertools.pairwise(words) if flag == "-m"]
            yield from ((name, module.partition(".")[0]) for module in modules)


@pytest.mark.parametrize("folder", ALLOWED)
def test_it_imports_no_folder_of_development_but_its_own_and_servers(folder: str) -> None:
    found = {(name, module) for name, module in imported(folder) if module in DEVELOPMENT}
    assert bool(found) == bool(ALLOWED[folder])
    refused = {
        (name, module)
        for name, module in found
        # The demo's own tests may import what they test.
        if module not in ALLOWED[folder] and not (name.startswith("tests/demo/") and module == "demo")
    }
    assert refused == set()
