"""What happens to the demo's app: releases, one of which is bad, scaling, and a dyno that leaks.

Every twenty minutes the same again: a deploy; more workers; a deploy that makes a route slower and fails
requests on the dyno that is over its memory; a rollback; fewer workers; a change of config.
"""

from __future__ import annotations

from collections.abc import Mapping

from servers.platform import Platform, Said

APP = "shop"
"""The app's name: releases are compared in an app that has one."""

CYCLE_S = 1_200.0
RELEASES_A_CYCLE = 4
FIRST_VERSION = 40

DEPLOY_S, MORE_S, BAD_S, FAILED_BUILD_S, ROLLBACK_S, FEWER_S, CONFIG_S = 60, 150, 420, 560, 720, 840, 960
SWITCHED_S = 45
"""By then a deploy has been built, and its dynos are up."""

LEAKING_DYNO = "web.3"
LEAK_MB_S = 2.4

SLOWER_PATH = "/cart"
SLOWER_TIMES = 1.6


class Story:
    """The platform's lines of the app, and what its releases do to its requests."""

    def __init__(self, seed: int, started_s: float, version: int = FIRST_VERSION) -> None:
        self._platform = Platform(seed, started_s, leaks={LEAKING_DYNO: LEAK_MB_S}, version=version)
        self._version = version
        self._started_s = started_s
        self._planned_s = started_s

    def until(self, now_s: float) -> list[Said]:
        """What the platform has said since the last call."""
        while self._planned_s <= now_s:
            self._plan(self._planned_s)
            self._planned_s += CYCLE_S
        return self._platform.until(now_s)

    def slower(self, at_s: float) -> Mapping[str, float]:
        """Paths whose requests take so many times as long, because the bad release runs."""
        since_s = (at_s - self._started_s) % CYCLE_S
        is_bad = BAD_S + SWITCHED_S <= since_s < ROLLBACK_S + 5
        return {SLOWER_PATH: SLOWER_TIMES} if is_bad else {}

    def failing_dyno(self, at_s: float) -> str:
        """The dyno that fails most of what fails, because it is over its memory; empty: none."""
        return self._platform.over_quota(at_s)

    def _plan(self, cycle_s: float) -> None:
        platform = self._platform
        platform.deploy(cycle_s + DEPLOY_S)
        platform.scale(cycle_s + MORE_S, "worker", 2)
        platform.deploy(cycle_s + BAD_S)
        platform.deploy(cycle_s + FAILED_BUILD_S, is_failing=True)
        number = round((cycle_s - self._started_s) / CYCLE_S)
        good = self._version + number * RELEASES_A_CYCLE + 1
        platform.release(cycle_s + ROLLBACK_S, f"Rollback to v{good}")
        platform.scale(cycle_s + FEWER_S, "worker", 1)
        platform.release(cycle_s + CONFIG_S, "Set FREE_SHIPPING_FROM config vars")
