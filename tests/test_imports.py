"""Dependencies point one way, and no two modules import each other.

app/cli is on top and alone imports `drain` and `consumers`; these import the rest of `app`, never each
other; `app.store` knows nothing of the log. What is for development (servers, demo, bench, tests) is
imported by nothing that runs, and demo, bench and tests share `servers` alone. Read from the source, also
where an import stands inside a function; what only a type checker sees does not count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from servers.processes import ROOT

PACKAGES = ("app", "drain", "consumers", "servers", "demo", "bench", "tests")

FORBIDDEN = (
    ("app", "drain"),
    ("app", "consumers"),
    ("app.store", "app.log"),
    ("app.log.redis", "app.log.kafka"),
    ("app.log.kafka", "app.log.redis"),
    ("app.log.memory", "app.log.redis"),
    ("app.log.memory", "app.log.kafka"),
    ("app.store", "app.cli"),
    ("app.store", "app.alerts"),
    ("app.log", "app.alerts"),
    ("drain", "consumers"),
    ("consumers", "drain"),
    ("drain", "app.cli"),
    ("consumers", "app.cli"),
    ("app", "servers"),
    ("app", "demo"),
    ("app", "bench"),
    ("app", "tests"),
    ("drain", "servers"),
    ("drain", "demo"),
    ("drain", "bench"),
    ("drain", "tests"),
    ("consumers", "servers"),
    ("consumers", "demo"),
    ("consumers", "bench"),
    ("consumers", "tests"),
    ("servers", "demo"),
    ("servers", "bench"),
    ("servers", "tests"),
    ("demo", "bench"),
    ("demo", "tests"),
    ("bench", "demo"),
    ("bench", "tests"),
    ("tests", "bench"),
)
TOP_FLOOR = ("app.cli", "app.__main__")
"""Allowed to import drain and consumers, although it is in `app`."""

Imports = Mapping[str, frozenset[str]]


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def at_run_time(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """All imports but those under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield from at_run_time(other)
        else:
            yield from at_run_time(node)


def imports_of(root: Path) -> Imports:
    """Module -> modules of ours that it imports."""
    paths = [path for name in PACKAGES for path in (root / name).rglob("*.py")]
    known = {module_name(path, root) for path in paths}
    found: dict[str, frozenset[str]] = {}
    for path in paths:
        names: set[str] = set()
        for node in at_run_time(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            else:
                assert not node.level, f"{path}: a relative import"
                source = node.module or ""
                # `from package import module` is of the module.
                parts = {f"{source}.{alias.name}" for alias in node.names}
                names |= {part if part in known else source for part in parts}
        found[module_name(path, root)] = frozenset(names & known)
    return found


@pytest.fixture(scope="module")
def imports() -> Imports:
    return imports_of(ROOT)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def crossings(imports: Imports, importer: str, imported: str) -> list[str]:
    return sorted(
        f"{module} imports {other}"
        for module, others in imports.items()
        if is_in(module, importer)
        and not (importer == "app" and any(is_in(module, floor) for floor in TOP_FLOOR))
        for other in others
        if is_in(other, imported)
    )


@pytest.mark.parametrize(("importer", "imported"), FORBIDDEN, ids=[" -> ".join(pair) for pair in FORBIDDEN])
def test_no_import_points_the_wrong_way(imports: Imports, importer: str, imported: str) -> None:
    assert crossings(imports, importer, imported) == []


def circles(imports: Imports) -> list[list[str]]:
    """The groups of modules that reach each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(imports[module]):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            circle = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(circle) > 1 or module in imports[module]:
                found.append(sorted(circle))

    for module in sorted(imports):
        if module not in index:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle(imports: Imports) -> None:
    assert circles(imports) == []


def test_all_of_the_code_is_walked(imports: Imports) -> None:
    assert "app.cli.main" in imports
    assert {"app.settings", "app.settings.settings"} & imports["consumers.run"]
    # An import inside of a function, and a module that is taken from its package.
    assert "drain.app" in imports["drain"]
    assert "app.store.queries" in imports["app.cli.figures"]


def test_wrong_directions_and_circles_are_found(tmp_path: Path) -> None:
    for name, text in {
        "app/store/figures.py": "def f() -> None:\n    from app.log import redis\n",
        "app/log/redis.py": "import typing\nif typing.TYPE_CHECKING:\n    import app.store.figures\n",
        "app/log/one.py": "import app.log.two\n",
        "app/log/two.py": "from app.log import three\n",
        "app/log/three.py": "from app.log.one import x\n",
        "app/cli/main.py": "import drain.app\n",
        "app/low.py": "try:\n    from drain.app import x\nexcept ImportError:\n    pass\n",
        "drain/app.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = imports_of(tmp_path)
    assert crossings(found, "app.store", "app.log") == ["app.store.figures imports app.log.redis"]
    assert crossings(found, "app", "drain") == ["app.low imports drain.app"]
    assert circles(found) == [["app.log.one", "app.log.three", "app.log.two"]]
