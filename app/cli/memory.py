"""`python -m app memory`: what uses Redis's memory, as a table."""

from __future__ import annotations

import argparse

import redis

from app.escaping import for_terminal, json_text
from app.formatting import NONE, number, percent, plural, size, table
from app.log import open_log
from app.redis_client import connect, unavailable_error
from app.settings import Settings
from app.store.queries import Memory, memory

REDIS_TIMEOUT_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.description = (
        "What uses Redis's memory: the log, the figures of each app, dead letters, and the rest.\n"
        "With very many keys, sizes are estimated from a sample."
    )
    parser.epilog = "examples:\n  python -m app memory\n  python -m app memory --json | jq '.parts[0]'"
    parser.add_argument("--json", action="store_true", help="one JSON object, as /api/memory answers")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0. Raises LogUnavailable where Redis does not answer."""
    store = connect(settings, connections=1, timeout_s=REDIS_TIMEOUT_S)
    try:
        found = memory(store, open_log(settings))
    except redis.RedisError as fault:
        raise unavailable_error(settings, fault) from fault
    finally:
        store.close()
    print(json_text(found) if args.json else "\n".join(lines(found)))
    return 0


def lines(found: Memory) -> list[str]:
    """The table, and above it how full Redis is."""
    used, limit = found.redis.used_bytes, found.redis.limit_bytes
    of = f" of {size(limit)} ({percent(used / limit)}), {found.redis.policy}" if limit else ", no limit"
    rows = [
        (
            for_terminal(part.name),
            size(part.bytes),
            percent(part.bytes / used) if used else NONE,
            NONE if part.limit_bytes is None else size(part.limit_bytes),
        )
        for part in found.parts
    ]
    output = [f"{size(used)}{of}", "", *table(("part", "size", "share", "limit"), rows)]
    if found.further_apps:
        output += [f"{plural(found.further_apps, 'other app')}: {size(found.further_apps_bytes)}"]
    if found.refused:
        output += ["", found.refused]
    elif found.is_estimate:
        output += [
            "",
            f"Estimate: {number(found.keys_looked_at)} of {number(found.keys)} keys were sampled.",
        ]
    return output
