"""The settings alone read the environment; who starts a process hands it to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from app.groups import GROUPS
from tests.support.processes import ROOT

HAND_IT_OVER = {
    "app/__main__.py": "to the command line, which loads the settings",
    **{
        f"{group.package.replace('.', '/')}/__main__.py": "to its main (consumers/run.py)" for group in GROUPS
    },
    "drain/__init__.py": "to the settings; the folder of counts, which gunicorn's configuration has made",
    "drain/gunicorn/config.py": "to the settings; sets the folder of counts for prometheus_client",
}
READERS = {"environ", "environb", "getenv", "getenvb", "putenv"}


def reads(path: Path) -> Iterator[str]:
    """Each use of os.environ and the like, under whatever name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "os" and node.attr in READERS:
                yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (alias.name for alias in node.names if alias.name in READERS)


def sources() -> Iterator[Path]:
    for folder in ("app", "drain", "consumers"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_only_who_starts_a_process_touches_the_environment() -> None:
    found = {str(path.relative_to(ROOT)) for path in sources() if any(reads(path))}
    assert found == set(HAND_IT_OVER)


def test_the_environment_is_seen_under_other_names_too(tmp_path: Path) -> None:
    file = tmp_path / "hidden.py"
    file.write_text(
        "import os\nfrom os import environ, getenv as get\nprint(os.getenv('A'), os.environ['B'])\n"
    )
    assert sorted(reads(file)) == ["environ", "getenv", "os.environ", "os.getenv"]
