"""The scripted incident does what its truth says, and nothing else goes wrong."""

from __future__ import annotations

import re

from app.outcomes import failed
from app.router_line import RouterLine, parse
from servers.incident import APPS, FAULTS, Incident

STARTED_S = 1_795_428_003.0
ALIGNED_S = 1_795_428_000.0


def run(incident: Incident, seconds: int) -> list[tuple[str, float, RouterLine]]:
    """(app, time, parsed line) of every request."""
    found: list[tuple[str, float, RouterLine]] = []
    for second in range(seconds):
        for app in APPS:
            for raw in incident.lines(app, 10, STARTED_S + second):
                line = parse(raw.decode().partition(" - ")[2])
                assert line is not None
                found.append((app, STARTED_S + second, line))
    return found


def test_only_requests_of_a_fault_fail_or_are_slow_and_each_of_them_is_in_its_truth() -> None:
    incident = Incident(1, STARTED_S)
    requests = run(incident, 80)
    concerned = {request_id for truth in incident.truths.values() for request_id in truth.requests}
    failures = {line.request_id for _, _, line in requests if failed(line.status, line.at, line.code)}
    assert failures <= concerned
    of_slow = set(incident.truths["slow route"].requests)
    assert concerned - failures == of_slow
    assert all(len(truth.requests) > 10 for truth in incident.truths.values())


def test_a_fault_begins_early_in_ten_seconds_and_stays_with_its_dyno() -> None:
    incident = Incident(2, STARTED_S)
    requests = run(incident, 80)
    for fault in FAULTS:
        truth = incident.truths[fault.name]
        assert truth.first_s // 10 == (ALIGNED_S + fault.starts_s) // 10
        assert truth.last_s < ALIGNED_S + fault.ends_s
    of_dyno = set(incident.truths["bad dyno"].requests)
    assert {line.dyno for _, _, line in requests if line.request_id in of_dyno} == {"web.3"}


def test_the_platform_tells_of_the_bad_dyno_and_of_the_deploy_and_nothing_else() -> None:
    incident = Incident(2, STARTED_S)
    told = {app: b"".join(incident.platform_lines(app, STARTED_S + 100)) for app in APPS}
    assert [app for app in APPS if b" api - Release v" in told[app]] == ["api"]
    over = {app: set(re.findall(rb" heroku (\S+) - Error R14", told[app])) for app in APPS}
    assert over == {"shop": set(), "blog": {b"web.3"}, "api": set()}
    assert all(b"sample#memory_total" in text for text in told.values())


def test_the_same_seed_gives_the_same_requests() -> None:
    one, other = run(Incident(3, STARTED_S), 5), run(Incident(3, STARTED_S), 5)
    assert one == other
    assert one != run(Incident(4, STARTED_S), 5)
