"""What Heroku says about an invented app: the lives of its dynos, their memory and load, releases, add-ons.

Lines as they were seen (tests/support/platform_lines has their sources). The same seed and the same actions
give the same lines, however often one asks for those that are due.
"""

from __future__ import annotations

import heapq
import itertools
import random
import uuid
from collections.abc import Callable
from typing import NamedTuple

from app.message import RouterMessage
from servers.messages import platform_message, platform_syslog
from servers.platform_samples import addon_lines, runtime_lines

USER = "developer@example.com"

SAMPLED_S = 20.0
"""How often log-runtime-metrics logs a dyno (documented)."""

ADDONS_SAMPLED_S = 60.0
QUOTA_MB = 512.0
KILLED_AT = 2.0
"""Times the quota: R15, and the platform kills the dyno."""


class Said(NamedTuple):
    """One message of the platform."""

    at_s: float
    app_name: str
    procid: str
    text: str

    def syslog(self) -> bytes:
        """As Logplex delivers it, without its octet count."""
        return platform_syslog(self.procid, self.text, self.at_s, app_name=self.app_name)

    def message(self, id: str, app: str = "") -> RouterMessage:
        """As the drain hands it to the message log, without users."""
        text = self.text.removesuffix(f" by user {USER}")
        return platform_message(self.procid, text, self.at_s, app_name=self.app_name, id=id, app=app)


class Dyno:
    """One dyno: what it is doing, and how its memory grows."""

    def __init__(self, name: str, base_mb: float, leak_mb_s: float) -> None:
        self.name = name
        self.is_up = False
        self.up_s = 0.0
        self.run = 0
        """Counts its processes: what was planned for an earlier one is void."""
        self._base_mb = base_mb
        self._leak_mb_s = leak_mb_s

    def memory_mb(self, at_s: float) -> float:
        return self._base_mb + self._leak_mb_s * max(0.0, at_s - self.up_s)


class Platform:
    """The lines of one app. Actions (`deploy`, `scale`, ...) are planned for a time, and become lines when it
    has come."""

    def __init__(
        self,
        seed: int,
        started_s: float,
        *,
        formation: dict[str, int] | None = None,
        leaks: dict[str, float] | None = None,
        version: int = 40,
        has_runtime_metrics: bool = True,
        has_preboot: bool = False,
    ) -> None:
        """`formation`: how many dynos of each type run from the start; `leaks`: MB a second of single dynos;
        `version`: of the release that runs."""
        self._random = random.Random(seed)
        self._plan: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._said: list[Said] = []
        self._leaks = leaks or {}
        self._has_preboot = has_preboot
        self._has_runtime_metrics = has_runtime_metrics
        self.version = version
        self.dynos: dict[str, Dyno] = {}
        for process, count in (formation or {"web": 4, "worker": 1}).items():
            for number in range(1, count + 1):
                dyno = self._new(f"{process}.{number}", started_s)
                self._up(dyno, started_s)
        self._at(started_s + self._random.uniform(0, ADDONS_SAMPLED_S), self._sample_addons)

    def until(self, now_s: float) -> list[Said]:
        """What has been said since the last call, by time."""
        while self._plan and self._plan[0][0] <= now_s:
            at_s, _, act = heapq.heappop(self._plan)
            act(at_s)
        due = sorted(said for said in self._said if said.at_s <= now_s)
        self._said = [said for said in self._said if said.at_s > now_s]
        return due

    def over_quota(self, at_s: float) -> str:
        """The dyno that is furthest over its memory quota; empty if none is."""
        over = max(self.dynos.values(), key=lambda dyno: dyno.is_up * dyno.memory_mb(at_s))
        return over.name if over.is_up and over.memory_mb(at_s) > QUOTA_MB else ""

    # Actions: each is planned for a time.

    def deploy(self, at_s: float, commit: str = "", *, is_failing: bool = False) -> None:
        """A build of half a minute, and a release unless it fails."""
        commit = commit or f"{self._random.getrandbits(32):08x}"
        self._at(at_s, lambda now_s: self._api(now_s, f"Build started by user {USER}"))
        done_s = at_s + self._random.uniform(20, 40)
        if is_failing:
            url = f"https://dashboard.heroku.com/apps/{self._uuid()}/activity/builds/{self._uuid()}"
            failed = f"Build failed -- check your build output: {url}"
            self._at(done_s, lambda now_s: self._api(now_s, failed))
            return
        self.release(done_s, f"Deploy {commit}")
        # Seen with whole seconds.
        self._at(done_s + 1, lambda now_s: self._api(float(int(now_s)), "Build succeeded"))

    def release(self, at_s: float, cause: str) -> None:
        """A new version, with what explains it (`Deploy 9154a1d2`, `Rollback to v7`, `Set A config vars`) in
        either order, and a restart of all dynos."""
        self._at(at_s, lambda now_s: self._release(now_s, cause))

    def release_phase(
        self, at_s: float, cause: str, *, seconds: float = 12.0, is_failing: bool = False
    ) -> None:
        """A release whose commands run first, and may fail."""
        self._at(at_s, lambda now_s: self._run_commands(now_s, cause, seconds, is_failing))

    def scale(self, at_s: float, process: str, count: int, size: str = "Standard-1X") -> None:
        """So many dynos of a type from now on."""
        self._at(at_s, lambda now_s: self._scale(now_s, process, count, size))

    def cycle(self, at_s: float, dyno: str) -> None:
        """The daily restart of a dyno."""
        self._at(at_s, lambda now_s: self._restart(self.dynos[dyno], now_s, "Cycling"))

    def crash(self, at_s: float, dyno: str) -> None:
        """The process of a dyno exits by itself, and is started again."""
        self._at(at_s, lambda now_s: self._crash(self.dynos[dyno], now_s, 1))

    # What they come to.

    def _run_commands(self, now_s: float, cause: str, seconds: float, is_failing: bool) -> None:
        self.version += 1
        version, dyno = self.version, f"release.{self._random.randint(1000, 9999)}"
        self._api_pair(
            now_s, f"{cause} by user {USER}", f"Running release v{version} commands by user {USER}"
        )
        up_s, end_s = now_s + 3, now_s + seconds
        self._say(up_s, dyno, "Starting process with command `rake db:migrate`")
        self._say(up_s + 0.6, dyno, "State changed from starting to up")
        self._say(end_s, dyno, f"Process exited with status {int(is_failing)}")
        self._say(end_s + 0.01, dyno, "State changed from up to complete")
        if is_failing:
            self._at(
                end_s + 1, lambda at_s: self._api(at_s, f"Release v{version} command failed by user {USER}")
            )
            return
        self._at(end_s + 1, lambda at_s: self._take_effect(at_s, version))

    def _release(self, now_s: float, cause: str) -> None:
        self.version += 1
        self._api_pair(now_s, f"Release v{self.version} created by user {USER}", f"{cause} by user {USER}")
        self._restart_all(now_s)

    def _take_effect(self, now_s: float, version: int) -> None:
        self._api(now_s, f"Release v{version} created by user {USER}")
        self._restart_all(now_s)

    def _restart_all(self, now_s: float) -> None:
        for dyno in list(self.dynos.values()):
            self._restart(dyno, now_s + self._random.uniform(0.2, 3), "Restarting")

    def _restart(self, dyno: Dyno, at_s: float, word: str) -> None:
        dyno.run += 1
        run, rng = dyno.run, self._random
        self._say(at_s, dyno.name, word)
        self._say(at_s + 0.01, dyno.name, "State changed from up to starting")
        keeps_old = self._has_preboot and dyno.name.startswith("web.")
        stopped_s = at_s + (rng.uniform(150, 200) if keeps_old else rng.uniform(0.5, 1.5))
        self._say(stopped_s, dyno.name, "Stopping all processes with SIGTERM")
        self._say(stopped_s + rng.uniform(0.05, 2), dyno.name, "Process exited with status 143")
        dyno.is_up = keeps_old
        self._start(dyno, run, at_s + rng.uniform(2.5, 5))

    def _start(self, dyno: Dyno, run: int, at_s: float) -> None:
        self._say(at_s, dyno.name, "Starting process with command `bin/start`")
        up_s = at_s + self._random.uniform(2, 8)

        def come_up(now_s: float) -> None:
            if dyno.run == run:
                self._say(now_s, dyno.name, "State changed from starting to up")
                self._up(dyno, now_s)

        self._at(up_s, come_up)

    def _crash(self, dyno: Dyno, now_s: float, status: int) -> None:
        dyno.run += 1
        dyno.is_up = False
        self._say(now_s, dyno.name, f"Process exited with status {status}")
        self._say(now_s + 0.1, dyno.name, "State changed from up to crashed")
        self._say(now_s + 0.2, dyno.name, "State changed from crashed to starting")
        self._start(dyno, dyno.run, now_s + self._random.uniform(2, 4))

    def _scale(self, now_s: float, process: str, count: int, size: str) -> None:
        self._api(now_s, f"Scaled to {process}@{count}:{size} by user {USER}")
        there = [dyno for dyno in self.dynos.values() if dyno.name.partition(".")[0] == process]
        for number in range(len(there) + 1, count + 1):
            dyno = self._new(f"{process}.{number}", now_s)
            self._say(now_s + 0.3, dyno.name, "State changed from created to starting")
            self._start(dyno, dyno.run, now_s + 2)
        for dyno in there[count:]:
            del self.dynos[dyno.name]
            dyno.run += 1
            dyno.is_up = False
            self._say(now_s + 0.4, dyno.name, "State changed from up to down")
            self._say(now_s + 1.5, dyno.name, "Stopping all processes with SIGTERM")
            self._say(now_s + 1.9, dyno.name, "Process exited with status 143")

    def _new(self, name: str, now_s: float) -> Dyno:
        dyno = Dyno(name, self._random.uniform(230, 330), self._leaks.get(name, 0.0))
        dyno.up_s = now_s
        self.dynos[name] = dyno
        return dyno

    def _up(self, dyno: Dyno, now_s: float) -> None:
        dyno.is_up, dyno.up_s = True, now_s
        run = dyno.run
        self._at(now_s + self._random.uniform(1, SAMPLED_S), lambda at_s: self._sample(dyno, run, at_s))

    # What is measured.

    def _sample(self, dyno: Dyno, run: int, now_s: float) -> None:
        if dyno.run != run:
            return
        memory_mb = dyno.memory_mb(now_s) * self._random.uniform(0.99, 1.01)
        if self._has_runtime_metrics:
            for number, text in enumerate(runtime_lines(dyno.name, memory_mb, QUOTA_MB, self._random)):
                self._say(now_s + number * 0.05, dyno.name, text)
        if memory_mb > QUOTA_MB:
            share = memory_mb / QUOTA_MB
            self._say(now_s + 0.2, dyno.name, f"Process running mem={memory_mb:.0f}M({share:.1%})")
            if share > KILLED_AT:
                self._say(now_s + 0.201, dyno.name, "Error R15 (Memory quota vastly exceeded)")
                self._say(now_s + 0.21, dyno.name, "Stopping process with SIGKILL")
                self._crash(dyno, now_s + 0.4, 137)
                return
            self._say(now_s + 0.201, dyno.name, "Error R14 (Memory quota exceeded)")
        self._at(now_s + SAMPLED_S, lambda at_s: self._sample(dyno, run, at_s))

    def _sample_addons(self, now_s: float) -> None:
        for procid, text in addon_lines(now_s, self._random):
            # Seen with whole seconds.
            self._said.append(Said(float(int(now_s)), "app", procid, text))
        self._at(now_s + ADDONS_SAMPLED_S, self._sample_addons)

    # How it is said.

    def _at(self, at_s: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._plan, (at_s, next(self._numbers), act))

    def _say(self, at_s: float, dyno: str, text: str) -> None:
        self._said.append(Said(at_s, "heroku", dyno, text))

    def _api(self, at_s: float, text: str) -> None:
        self._said.append(Said(at_s, "app", "api", text))

    def _api_pair(self, at_s: float, *texts: str) -> None:
        """Two lines of the same moment, in either order."""
        for text in self._random.sample(texts, len(texts)):
            self._api(at_s, text)

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._random.getrandbits(128), version=4)
