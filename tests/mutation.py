"""Changes the pure modules one operator at a time, and counts the changes that no test notices.

`make mutate` runs it, or `python -m tests.mutation app.routes` for one module, in an environment that has
mutmut. What is changed, and which tests are run, is in pyproject.toml. tests/mutants.md names the changes
that no test can or need notice. Exit code 1 where fewer than 95 % are noticed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter, defaultdict

GOAL = 0.95
NOTICED = ("killed", "timeout", "segfault", "caught by type check")
"""A change that makes a test hang or crash is noticed too."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation tests.")
    parser.add_argument("modules", nargs="*", help="such as app.routes; without, all of pyproject.toml")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    arguments = parser.parse_args()
    patterns = [f"{module}.*" for module in arguments.modules]
    mutmut = [sys.executable, "-m", "mutmut"]
    status = subprocess.run([*mutmut, "run", "--max-children", str(arguments.jobs), *patterns]).returncode
    if status:
        return status
    told = subprocess.run(
        [*mutmut, "results", "--all", "true"], stdout=subprocess.PIPE, text=True, check=True
    )
    found = results(told.stdout)
    if arguments.modules:
        found = {module: counts for module, counts in found.items() if module in arguments.modules}
    lines, share = summary(found)
    print("\n".join(lines))
    return 0 if share >= GOAL else 1


def results(told: str) -> dict[str, Counter[str]]:
    """Module -> status -> mutants, from what mutmut prints: `app.routes.x_template__mutmut_3: killed`."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in told.splitlines():
        name, colon, status = line.strip().partition(": ")
        if colon and "__mutmut_" in name:
            found[name.rpartition(".")[0]][status] += 1
    return dict(found)


def summary(found: dict[str, Counter[str]]) -> tuple[list[str], float]:
    """A line for each module and one for all, and the share that was noticed; 0 where nothing was run."""
    lines = [f"{'':<36}{'noticed':>9}{'timeout':>9}{'survived':>9}{'other':>9}{'share':>9}"]
    for module, counts in sorted(found.items()):
        lines.append(_line(module, counts))
    total: Counter[str] = sum(found.values(), Counter())
    lines.append(_line("all", total))
    return lines, _share(total)


def _line(name: str, counts: Counter[str]) -> str:
    noticed = sum(counts[status] for status in NOTICED)
    other = counts.total() - noticed - counts["survived"]
    figures = "".join(f"{number:>9}" for number in (noticed, counts["timeout"], counts["survived"], other))
    return f"{name:<36}{figures}{_share(counts):>9.1%}"


def _share(counts: Counter[str]) -> float:
    return sum(counts[status] for status in NOTICED) / counts.total() if counts.total() else 0.0


if __name__ == "__main__":
    sys.exit(main())
