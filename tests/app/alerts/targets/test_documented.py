"""What docs/alerts.md says of targets is so: its example, its programs, its file, its schema."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from app.alerts.targets.registry import KINDS, parse_targets
from app.alerts.targets.webhook import content_of
from servers.processes import ROOT
from tests.app.alerts.targets.reached import SECRET, send, target_at
from tests.support.alert_messages import MESSAGE, RESOLVED
from tests.support.alert_services import webhook_schema
from tests.support.target import RecordingTarget, SeenRequest

TEXT = (ROOT / "docs" / "alerts.md").read_text("utf-8")
TARGETS, JSON = re.split(r"^## The webhook's JSON$", TEXT.partition("\n## Targets\n")[2], flags=re.MULTILINE)


def block(text: str, language: str) -> str:
    """The one block of code in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def seen() -> SeenRequest:
    """A message as a webhook gets it."""
    with RecordingTarget() as server:
        send(target_at("webhook", server.url))
    return server.seen[0]


def test_the_example_is_what_is_sent() -> None:
    assert json.loads(block(JSON, "json")) == json.loads(json.dumps(content_of(MESSAGE)))


@pytest.mark.parametrize("message", [MESSAGE, RESOLVED])
def test_the_schema_holds_and_says_what_every_field_is(message: Any) -> None:
    schema = webhook_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(json.dumps(content_of(message))))
    for part in (schema, schema["$defs"]["finding"], schema["$defs"]["request"]):
        assert set(part["required"]) == set(part["properties"])


def test_the_signature_is_checked_in_python_as_shown(seen: SeenRequest) -> None:
    names: dict[str, Any] = {}
    exec(block(JSON, "python"), names)
    is_from_tailrace = names["is_from_tailrace"]
    headers = {name.title(): value for name, value in seen.headers.items()}
    assert is_from_tailrace(headers, seen.body, SECRET)
    assert not is_from_tailrace(headers, seen.body, SECRET + "x")
    assert not is_from_tailrace(headers, seen.body + b" ", SECRET)
    assert not is_from_tailrace({**headers, "Tailrace-Timestamp": "1"}, seen.body, SECRET)
    assert not is_from_tailrace({**headers, "Tailrace-Signature": "\u00e9"}, seen.body, SECRET)
    assert not is_from_tailrace({}, seen.body, SECRET)


def test_the_signature_is_checked_in_a_shell_as_shown(seen: SeenRequest, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_bytes(seen.body)
    printed = subprocess.run(
        ["sh", "-c", block(JSON, "sh")],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "TIMESTAMP": seen.headers["tailrace-timestamp"], "SECRET": SECRET},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert printed.stdout.strip() == seen.headers["tailrace-signature"]


def test_the_file_shown_has_one_of_each_kind_and_no_fault() -> None:
    environ = {
        "OPS_SLACK_URL": "https://hooks.slack.com/services/T0/B0/X",
        "CHAT_TEAMS_URL": "https://teams.example.com/x?sig=y",
        "PAGER_KEY": "k" * 32,
        "PAGER_EU_KEY": "k" * 32,
        "HOOK_SECRET": "s" * 32,
        "MAIL_PASSWORD": "p",
    }
    found = parse_targets(yaml.safe_load(block(TARGETS, "yaml"))["targets"], environ)
    assert {target.kind for target in found} == set(KINDS)
    assert not [target for target in found if target.unset]


def test_every_kind_is_in_the_table() -> None:
    for name in KINDS:
        assert f"| `{name}` | `ALERT_" in TARGETS
