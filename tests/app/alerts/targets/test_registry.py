"""Targets by the file and by the environment: every fault at once, and no secret in any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.alerts.targets.registry import KINDS, TARGETS_MAX, parse_targets, targets_of
from app.alerts.targets.target import Target
from app.errors import BadSettings
from app.settings import Settings

KEY = "0123456789abcdef0123456789abcdef"
SLACK_URL = "https://hooks.slack.com/services/T0/B0/X"

FILE = """
ops:
  kind: slack
  url: ${OPS_SLACK_URL}
chat: {kind: teams, url: "${TEAMS}"}
hook:
  kind: webhook
  url: https://alerts.example.com/hook?from=tailrace
  secret: ${HOOK_SECRET}
pager: {kind: pagerduty, key: "${PAGER_KEY}"}
pager-eu: {kind: pagerduty, key: "${PAGER_KEY}", url: https://events.eu.pagerduty.com/v2/enqueue}
mail:
  kind: email
  url: smtps://alerts:${MAIL_PASSWORD}@smtp.example.com
  from: alerts@example.com
  to: [ops@example.com, "${ONCALL}"]
"""
ENVIRON = {
    "OPS_SLACK_URL": f" {SLACK_URL} ",
    "TEAMS": "https://x.environment.api.powerplatform.com/workflows/1?sig=s",
    "HOOK_SECRET": "h" * 32,
    "PAGER_KEY": KEY,
    "MAIL_PASSWORD": "p%40ss",
    "ONCALL": "oncall@example.com",
}


def parse(text: str, environ: dict[str, str]) -> dict[str, Target]:
    return {target.name: target for target in parse_targets(yaml.safe_load(text), environ)}


def faults_of(entries: Any, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(BadSettings) as raised:
        parse_targets(entries, environ or {})
    return raised.value.faults


def test_a_file_with_one_of_each() -> None:
    found = parse(FILE, ENVIRON)
    assert found["ops"] == Target("ops", "slack", "hooks.slack.com", url=SLACK_URL)
    assert found["chat"].host == "x.environment.api.powerplatform.com"
    assert (found["hook"].host, found["hook"].secret) == ("alerts.example.com", "h" * 32)
    assert found["pager"].url == "https://events.pagerduty.com/v2/enqueue"
    assert found["pager-eu"].url == "https://events.eu.pagerduty.com/v2/enqueue"
    assert found["pager"].secret == KEY
    mail = found["mail"]
    assert (mail.host, mail.sender) == ("smtp.example.com", "alerts@example.com")
    assert mail.recipients == ("ops@example.com", "oncall@example.com")
    assert mail.url == "smtps://alerts:p%40ss@smtp.example.com"
    assert not [target for target in found.values() if target.unset]


def test_what_is_not_in_the_environment_is_no_fault_of_the_file_but_said() -> None:
    found = parse(FILE, {"TEAMS": " "})
    assert {name: target.unset for name, target in found.items()} == {
        "ops": ("targets: ops: OPS_SLACK_URL is not in the environment",),
        "chat": ("targets: chat: TEAMS is not in the environment",),
        "hook": ("targets: hook: HOOK_SECRET is not in the environment",),
        "pager": ("targets: pager: PAGER_KEY is not in the environment",),
        "pager-eu": ("targets: pager-eu: PAGER_KEY is not in the environment",),
        "mail": (
            "targets: mail: MAIL_PASSWORD is not in the environment",
            "targets: mail: ONCALL is not in the environment",
        ),
    }


def test_every_fault_of_every_target_is_told_at_once() -> None:
    entries = {
        "ops": {"kind": "slak", "url": "${X}"},
        "chat": {"kind": "teams", "ulr": "${X}", "sekret": 1},
        "hook": {"kind": "webhook", "url": "http://example.com", "secret": "topsecretx"},
        "pager": {"kind": "pagerduty", "url": 7},
        "mail": {"kind": "email", "url": "smtp://u:topsecretx@h", "from": "me", "to": []},
        "none": None,
        "bare": {"url": "${X}"},
        "a b": {"kind": "slack", "url": "${X}"},
    }
    assert faults_of(entries) == [
        "targets: ops: unknown kind slak (did you mean slack?); the kinds are webhook, slack, pagerduty, "
        "teams, email",
        "targets: chat: unknown key ulr (did you mean url?); its keys are kind, url",
        "targets: chat: unknown key sekret; its keys are kind, url",
        "targets: chat: `url` is missing: write url: '${OPS_TEAMS_URL}' and set OPS_TEAMS_URL",
        "targets: hook: `url` must begin with https://: unencrypted, alerts go to this machine alone "
        "(127.0.0.1)",
        "targets: hook: `secret` is a secret, which belongs in the environment: write secret: "
        "'${OPS_WEBHOOK_SECRET}' and set OPS_WEBHOOK_SECRET",
        "targets: pager: `url` must be text",
        "targets: pager: `key` is missing: write key: '${OPS_PAGERDUTY_KEY}' and set OPS_PAGERDUTY_KEY",
        "targets: mail: `url` must begin with smtps:// or smtp+starttls://: a password never goes "
        "unencrypted",
        "targets: mail: `url` has a password, which belongs in the environment: write url: '${OPS_SMTP_URL}'",
        "targets: mail: `from` must be an e-mail address such as alerts@example.com, in ASCII and without a "
        "name",
        "targets: mail: `to` must be 1 to 20 e-mail addresses, separated by commas",
        "targets: none: must have a `kind`, which is one of webhook, slack, pagerduty, teams, email",
        "targets: bare: must have a `kind`, which is one of webhook, slack, pagerduty, teams, email",
        "targets: a b: its name must be letters, digits, `-` and `_`, 64 at most",
    ]


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_a_url_that_is_a_secret_must_be_in_the_environment(kind: str) -> None:
    for url in (f"https://hooks.example.com/{'topsecretx'}", "https://hooks.example.com/${X}", ["${X}"], 5):
        (fault,) = faults_of({"ops": {"kind": kind, "url": url}}, {"X": "y"})
        assert "`url` is a secret, which belongs in the environment" in fault
        assert "topsecretx" not in fault


def test_a_value_of_the_environment_that_cannot_be_is_a_fault_that_does_not_show_it() -> None:
    environ = dict.fromkeys(ENVIRON, "topsecretx http://u:topsecretx@h")
    with pytest.raises(BadSettings) as raised:
        parse(FILE, environ)
    assert len(raised.value.faults) >= 6
    assert "topsecretx" not in str(raised.value)


def test_a_webhook_without_its_secret_is_refused() -> None:
    assert faults_of({"hook": {"kind": "webhook", "url": "https://h/x"}}) == [
        "targets: hook: `secret` is missing: write secret: '${OPS_WEBHOOK_SECRET}' and set OPS_WEBHOOK_SECRET"
    ]


@pytest.mark.parametrize("login", ["u:p", "u:", "u", "${USER}:p", ":p"])
def test_a_password_of_a_mail_server_must_be_in_the_environment(login: str) -> None:
    entry = {"kind": "email", "url": f"smtps://{login}@h", "from": "a@b", "to": "c@d"}
    found = faults_of({"mail": entry}, {"USER": "u"})
    assert (
        "targets: mail: `url` has a password, which belongs in the environment: write url: '${OPS_SMTP_URL}'"
        in found
    )


def test_there_are_twenty_targets_at_most() -> None:
    entry = {"kind": "slack", "url": "${X}"}
    assert len(parse_targets({f"t{n}": entry for n in range(TARGETS_MAX)}, {})) == 20
    with pytest.raises(ValueError, match="at most 20 targets"):
        parse_targets({f"t{n}": entry for n in range(TARGETS_MAX + 1)}, {})


@pytest.mark.parametrize("entries", [["slack"], "slack", 5])
def test_what_is_no_mapping_is_told_with_an_example(entries: Any) -> None:
    with pytest.raises(ValueError, match="must map names to targets, such as"):
        parse_targets(entries, {})


def test_a_kind_is_registered_by_its_name() -> None:
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}


ALL_SETTINGS = {
    "ALERT_WEBHOOK_URL": "https://alerts.example.com/hook",
    "ALERT_WEBHOOK_SECRET": "s" * 32,
    "ALERT_SLACK_URL": SLACK_URL,
    "ALERT_PAGERDUTY_KEY": KEY,
    "ALERT_TEAMS_URL": "https://teams.example.com/x?sig=y",
    "ALERT_SMTP_URL": "smtp+starttls://u:p@smtp.example.com:587",
    "ALERT_EMAIL_FROM": "alerts@example.com",
    "ALERT_EMAIL_TO": "ops@example.com, oncall@example.com",
}


def test_the_environment_alone_describes_one_target_of_each_kind() -> None:
    found = targets_of(Settings.load(ALL_SETTINGS))
    assert {name: (target.kind, target.host) for name, target in found.items()} == {
        "webhook": ("webhook", "alerts.example.com"),
        "slack": ("slack", "hooks.slack.com"),
        "pagerduty": ("pagerduty", "events.pagerduty.com"),
        "teams": ("teams", "teams.example.com"),
        "email": ("email", "smtp.example.com"),
    }
    assert found["email"].recipients == ("ops@example.com", "oncall@example.com")
    assert targets_of(Settings.load({})) == {}


def test_a_target_of_the_file_stands_in_place_of_one_of_the_same_name(tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yaml"
    file.write_text(
        "targets:\n  slack: {kind: slack, url: '${OTHER}'}\n  ops: {kind: slack, url: '${OTHER}'}\n"
    )
    environ = {
        "TAILRACE_CONFIG": str(file),
        "OTHER": "https://other.example.com/x",
        "ALERT_SLACK_URL": SLACK_URL,
        "ALERT_PAGERDUTY_KEY": KEY,
    }
    found = targets_of(Settings.load(environ))
    assert {name: target.host for name, target in found.items()} == {
        "slack": "other.example.com",
        "ops": "other.example.com",
        "pagerduty": "events.pagerduty.com",
    }


@pytest.mark.parametrize(
    "left_out",
    ["ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET", "ALERT_SMTP_URL", "ALERT_EMAIL_FROM", "ALERT_EMAIL_TO"],
)
def test_half_of_what_belongs_together_is_a_fault(left_out: str) -> None:
    environ = {name: value for name, value in ALL_SETTINGS.items() if name != left_out}
    with pytest.raises(BadSettings) as raised:
        Settings.load(environ)
    (fault,) = raised.value.faults
    assert left_out in fault
    assert "belong together" in fault


def test_the_form_of_each_setting_is_checked_at_load_and_its_value_not_shown() -> None:
    with pytest.raises(BadSettings) as raised:
        Settings.load(dict.fromkeys(ALL_SETTINGS, "topsecretx://a:topsecretx@b/\u00fc"))
    faults = raised.value.faults
    assert {fault.split()[0] for fault in faults} == set(ALL_SETTINGS)
    assert "topsecretx" not in str(raised.value)


def test_braces_within_braces_are_explained(tmp_path: Path) -> None:
    file = tmp_path / "tailrace.yaml"
    file.write_text("targets:\n  ops: {kind: slack, url: ${OPS_SLACK_URL}}\n")
    with pytest.raises(BadSettings, match=r"is not YAML \(line 2\): within braces, quote \$\{NAME\}"):
        Settings.load({"TAILRACE_CONFIG": str(file)})
