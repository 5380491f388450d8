"""The list of background processes is the only one: what starts, checks and shows them reads it."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import replace

import pytest
import redis

from app import groups
from app.groups import ALERTS, GROUPS, METRICS, REPLAY, Group, group_names, log_groups
from app.log import open_log
from app.settings import Settings
from app.store import queries
from app.store.workers import WorkerStatus, report_status
from servers.processes import ROOT, procfile

LOG = open_log(Settings())


def health(store: redis.Redis) -> queries.Health:
    return queries.health(store, time.time(), LOG, routes_max=500)


def status(
    group: str, *, ago_s: float = 1, lag: int = 0, lag_s: float = 0.0, waits: bool = False
) -> WorkerStatus:
    at_ms = int((time.time() - ago_s) * 1000)
    return WorkerStatus(f"{group}.h.1", group, at_ms, lag, lag_s, True, 0, waits)


def alerts_of(store: redis.Redis, group: Group) -> list[queries.Alert]:
    """Those about this group."""
    return [
        found for found in queries.alerts(health(store), LOG.advice) if found.code.endswith(f":{group.name}")
    ]


def test_names_are_unique_and_each_is_a_package_that_can_be_run() -> None:
    assert len(set(group_names())) == len(GROUPS)
    for group in GROUPS:
        assert importlib.util.find_spec(f"{group.package}.__main__") is not None


def test_the_procfile_runs_each_of_them_beside_web_and_release() -> None:
    commands = procfile()
    assert set(commands) == {"web", "release", *group_names()}
    for group in GROUPS:
        assert commands[group.name] == group.command


def test_the_readme_says_what_each_of_them_does() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for group in GROUPS:
        assert f"| `{group.name}` | `{group.command}` | {group.purpose} |" in readme


def test_the_log_is_made_ready_for_those_that_the_settings_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "GROUPS", (METRICS, REPLAY))
    assert log_groups(Settings()) == ("metrics",)
    assert log_groups(Settings(replay_host="https://staging.example.com")) == ("metrics", "replay")


def test_what_reads_no_log_needs_no_place_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = log_groups(Settings())
    monkeypatch.setattr(groups, "GROUPS", (*GROUPS, replace(ALERTS, is_wanted=lambda settings: True)))
    assert log_groups(Settings()) == before


def test_health_knows_all_of_them_and_nothing_else(redis_client: redis.Redis) -> None:
    report_status(redis_client, status("somebody"))
    assert tuple(found.group for found in health(redis_client).groups) == group_names()


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_one_that_is_missing_is_an_alarm_where_every_installation_runs_it(
    redis_client: redis.Redis, group: Group
) -> None:
    found = alerts_of(redis_client, group)
    assert [alert.severity for alert in found] == (["alarm"] if group.is_required else [])
    report_status(redis_client, status(group.name, ago_s=60))
    (alert,) = alerts_of(redis_client, group)
    assert (alert.code, alert.severity) == (
        f"no_worker:{group.name}",
        "alarm" if group.is_required else "warning",
    )
    assert alert.text.endswith(f"so {group.before_first_request or group.while_stopped}.")
    assert f"ps:scale {group.name}=1" in alert.action
    assert f"`{group.command}`" in alert.action


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_one_that_lags_says_what_that_means(redis_client: redis.Redis, group: Group) -> None:
    report_status(redis_client, status(group.name, lag=9, lag_s=400))
    (alert,) = alerts_of(redis_client, group)
    assert (alert.code, alert.severity) == (f"lag:{group.name}", "warning")
    assert alert.text == f"9 messages are queued. {group.while_behind}"


@pytest.mark.parametrize("group", [group for group in GROUPS if group.reading], ids=lambda group: group.name)
def test_one_that_waits_for_the_log_says_what_stops(redis_client: redis.Redis, group: Group) -> None:
    report_status(redis_client, status(group.name, waits=True))
    (alert,) = alerts_of(redis_client, group)
    assert (alert.code, alert.severity) == (
        f"waiting:{group.name}",
        "alarm" if group.is_required else "warning",
    )
    assert f"the log is unreachable, so {group.while_stopped}." in alert.text


def test_one_that_reads_no_log_and_waits_is_not_said_to_wait_for_the_log(redis_client: redis.Redis) -> None:
    report_status(redis_client, status("alerts", waits=True))
    (alert,) = alerts_of(redis_client, ALERTS)
    assert (alert.code, alert.severity) == ("waiting:alerts", "warning")
    assert alert.action != LOG.advice.reconnect
    assert f"so {ALERTS.while_stopped}." in alert.text
    report_status(redis_client, replace(status("alerts"), waits=False))
    assert alerts_of(redis_client, ALERTS) == []
