"""The default rules over simulated days: what they find, and what they tell in vain. bench/alerts.py does the
same over a month."""

from __future__ import annotations

import random
from statistics import median

import pytest

from app.alerts.defaults import DEFAULT_RULES
from servers.alert_days import run, world
from servers.alert_faults import KINDS, faults
from servers.alert_story import ADMIN, BLOG, HOOKS


def test_an_incident_of_each_kind_is_found_and_nothing_is_told_in_vain() -> None:
    outcome = run(world(3, len(KINDS), "small", (BLOG, ADMIN, HOOKS)), DEFAULT_RULES)
    found = [delay for fault in outcome.faults if (delay := outcome.delay_s(fault)) is not None]
    assert len(found) >= len(KINDS) - 1
    # These apps have a request a second or fewer: it takes minutes until so many failed that it is no chance.
    assert median(found) <= 240
    assert outcome.false_alerts == []
    # A single failure just after an incident, while five minutes still hold what was, may be told as new.
    assert sum(len(outcome.firing(fault)) - 1 for fault in outcome.faults if outcome.firing(fault)) <= 1


def test_the_same_seed_makes_the_same_days() -> None:
    one, other = (world(1, 3, "same", (BLOG,)) for _ in range(2))
    assert one.faults == other.faults
    assert [app.all.total for app in one.apps] == [app.all.total for app in other.apps]


def test_apps_without_enough_traffic_for_an_incident_are_refused() -> None:
    with pytest.raises(ValueError, match="no room for another incident of the kind errors"):
        faults(1, 1, random.Random(1), (HOOKS,))
