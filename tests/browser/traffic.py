"""An hour of a small shop's traffic, with the names that an attacker would choose."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence

import redis

from app.store import replay
from app.store.run_figures import RunFigures
from app.store.run_result import RunResult
from app.store.workers import WorkerStatus, report_status
from servers.figures import SeenRequest, fill

ROUTES = (
    ("GET", "/", 30, 12, 0.002),
    ("GET", "/products/:id", 40, 28, 0.004),
    ("GET", "/products/:id/reviews", 12, 60, 0.004),
    ("GET", "/search", 18, 140, 0.02),
    ("POST", "/cart/items", 8, 45, 0.006),
    ("POST", "/checkout", 3, 420, 0.04),
    ("GET", "/api/v1/orders/:id", 7, 40, 0.002),
    ("GET", "/assets/application.css", 9, 3, 0.0),
    ("GET", "/reports/:date", 1, 2_600, 0.12),
)
HOSTILE = (
    "/<script>window.hacked=1</script>",
    '/"><img\u00a0src=x\u00a0onerror=window.hacked=2>',
    "/javascript:window.hacked=3//",
    "/\u202egnp.exe",
    "/{{constructor.constructor('window.hacked=4')()}}",
    "/" + "very-long-segment-without-an-end-" * 5,
)


def fill_shop(
    store: redis.Redis,
    requests: int = 1_500,
    within_s: int = 3_500,
    apps: Sequence[str] = ("shop", "shop", "shop", "api"),
) -> None:
    """Requests of these apps up to now, more of them in some minutes than in others."""
    rng = random.Random(7)
    now_s = time.time()
    seen = []
    for _ in range(requests):
        method, path, _, median_ms, error_share = rng.choices(ROUTES, [route[2] for route in ROUTES])[0]
        age_s = 2 + within_s * rng.random()
        if rng.random() < 0.4 * (1 + math.sin(age_s / 400)):
            continue
        service_ms = median_ms * rng.lognormvariate(0, 0.6)
        status, code = rng.choice(("200", "200", "200", "200", "302", "304", "404")), ""
        if rng.random() < error_share:
            status, code = rng.choice((("500", ""), ("503", "H12"), ("503", "H13"), ("499", "H27")))
            service_ms = 30_000 if code == "H12" else service_ms
        app = rng.choice(apps)
        seen.append(
            SeenRequest(
                at_s=now_s - age_s,
                path=path,
                service_ms=round(service_ms),
                status=status,
                method=method,
                code=code,
                app=app,
                dyno=f"web.{rng.randint(1, 3)}",
                host=f"{app}.example.com",
                bytes=rng.randint(200, 40_000),
            )
        )
    fill(store, seen, now_s)


def fill_hostile(store: redis.Redis) -> None:
    """One request of each hostile name, from a host that is no better."""
    now_s = time.time()
    host = "<b>evil</b>.example"
    fill(
        store,
        [SeenRequest(now_s - 60, path.replace(" ", ""), host=host, dyno="<i>web.1</i>") for path in HOSTILE],
        now_s,
    )


def report_worker(store: redis.Redis, group: str = "metrics", ago_s: float = 0.0) -> None:
    now_ms = int((time.time() - ago_s) * 1000)
    report_status(store, WorkerStatus(f"{group}.h.1", group, now_ms, 0, 0.0, True, now_ms))


def replayed() -> RunFigures:
    """A run in which one route got slower, one faster, and one stayed as it was."""
    figures = RunFigures()
    for number in range(400):
        usual = 20.0 + number % 10
        figures.of("/products/:id").add("answered", 200, usual, 200, usual, response_ms=usual + 3)
        slower = 250.0 + number % 50
        figures.of("/search").add(
            "answered", 500 if number % 25 == 0 else 200, slower, 200, 100.0 + number % 40
        )
        figures.of("/<script>window.hacked=1</script>").add("answered", 200, 10.0, 200, 30.0 + number % 7)
    figures.of("/search").add("timeout", 0, 0.0, 200, 100.0)
    figures.skipped["method"] += 31
    figures.reencoded += 12
    figures.late_ms[300] += 400
    return figures


WINDOW_RUN = {
    "target": "https://staging.example.com",
    "from": "2026-11-23T10:00:00Z",
    "until": "2026-11-23T11:00:00Z",
    "started_at": "1795400000",
    "state": "finished",
}


def judged_run(store: redis.Redis, run_id: str, result: RunResult, **info: str) -> None:
    """A window replay that has ended, with its result."""
    replay.record(store, run_id, replayed(), {**WINDOW_RUN, **info})
    replay.record_result(store, run_id, result)
