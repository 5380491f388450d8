"""Settings: read once, every fault at once, secrets never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import BadSettings
from app.masking import MASK, mask_url
from app.settings.settings import FIELDS, Settings
from app.settings.table import display_value, markdown_table
from tests.support.certificates import Authority, Certificate

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Authority(tmp_path_factory.mktemp("certificates"), "test").sign("app")


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = Settings.load({})
    assert settings.port == 5000
    assert settings.redis_address == "redis://localhost:6379/0"
    assert settings.kafka_url == ""
    assert settings.replay_methods == ("GET", "HEAD")
    assert settings.bind_host == "127.0.0.1"


def test_an_empty_variable_is_an_unset_one() -> None:
    assert Settings.load({"PORT": "", "KAFKA_URL": " "}) == Settings.load({})


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(BadSettings) as caught:
        Settings.load(
            {
                "PORT": "http",
                "REPLAY_HOST": "staging.example.com",
                "KAFKA_URL": "kafka://a:1,kafka+ssl://b:2",
                "DRAIN_USER": "u",
                "DRAIN_PASWORD": "x",
                "REPLAY_SAMPLE": "1.5",
            }
        )
    text = str(caught.value)
    for name in ("PORT", "REPLAY_HOST", "KAFKA_URL", "DRAIN_PASSWORD", "DRAIN_PASWORD", "REPLAY_SAMPLE"):
        assert name in text
    assert len(caught.value.faults) == 6


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DRAIN_PASSWORT", "DRAIN_PASSWORD"),
        ("REPLAY_TIMEOUT", "REPLAY_TIMEOUT_MS"),
        ("ROUTE_MAX", "ROUTES_MAX"),
        ("DRAIN_USERNAME", "DRAIN_USER"),
        ("REDIS_LOG_REPLICA", "REDIS_LOG_REPLICAS"),
        ("DASHBOARD_COLOUR", ""),
        ("REPLAY_TARGET", ""),
    ],
)
def test_a_name_that_is_no_setting_is_a_fault_that_says_which_was_meant(name: str, meant: str) -> None:
    with pytest.raises(BadSettings) as caught:
        Settings.load({name: "hunter2"})
    endpoint = f" (did you mean {meant}?)" if meant else ""
    assert caught.value.faults == [
        f"{name} is not a setting of Tailrace{endpoint}: `python -m app config --markdown` lists them all"
    ]


def test_a_fault_in_a_secret_does_not_show_it() -> None:
    with pytest.raises(BadSettings) as caught:
        Settings.load({"REDIS_URL": "http://user:hunter2@host", "DRAIN_CREDENTIALS": "hunter3"})
    assert "hunter" not in str(caught.value)


def test_shown_values_mask_every_secret(certificate: Certificate) -> None:
    secret = "hunter2"
    settings = Settings.load(
        {
            "DRAIN_USER": "u",
            "DRAIN_PASSWORD": secret,
            "DRAIN_CREDENTIALS": f"a:{secret}",
            "DRAIN_TOKENS": f"d.{secret}=shop",
            "DASHBOARD_USER": "v",
            "DASHBOARD_PASSWORD": secret,
            "REDIS_URL": f"rediss://:{secret}@redis.example.com:6380/1",
            "KAFKA_SASL_MECHANISM": "PLAIN",
            "KAFKA_SASL_USERNAME": "k",
            "KAFKA_SASL_PASSWORD": secret,
            "REPLAY_KEY": f"{secret}{'x' * 32}",
            "KAFKA_TRUSTED_CERT": f"{secret}\n{certificate.pem}",
            "KAFKA_CLIENT_CERT": f"{certificate.pem}\n{secret}",
            "KAFKA_CLIENT_CERT_KEY": f"{certificate.key_pem}\n{secret}",
        }
    )
    default_label = {spec.name: display_value(spec, settings) for spec in FIELDS}
    assert secret not in "".join(default_label.values())
    assert default_label["REDIS_URL"] == f"rediss://{MASK}@redis.example.com:6380/1"
    assert default_label["DRAIN_PASSWORD"] == MASK


def test_pem_text_may_be_on_one_line_as_env_files_keep_it(certificate: Certificate) -> None:
    settings = Settings.load({"KAFKA_TRUSTED_CERT": certificate.pem.replace("\n", "\\n")})
    assert settings.kafka_trusted_cert == certificate.pem


@pytest.mark.parametrize("cut", [0, 40, 300])
def test_a_certificate_that_was_cut_short_stops_the_start(certificate: Certificate, cut: int) -> None:
    with pytest.raises(BadSettings, match="KAFKA_TRUSTED_CERT must be a certificate in PEM") as caught:
        Settings.load({"KAFKA_TRUSTED_CERT": certificate.pem[:cut] or "none"})
    assert len(caught.value.faults) == 1


def test_another_certificates_key_stops_the_start(certificate: Certificate, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other").sign("app")
    with pytest.raises(
        BadSettings, match="KAFKA_CLIENT_CERT_KEY is not the key of KAFKA_CLIENT_CERT"
    ) as caught:
        Settings.load({"KAFKA_CLIENT_CERT": certificate.pem, "KAFKA_CLIENT_CERT_KEY": other.key_pem})
    assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize("raw", ["hunter2", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2\n"])
def test_a_key_that_cannot_be_used_is_a_fault_that_does_not_show_it(
    certificate: Certificate, raw: str
) -> None:
    with pytest.raises(BadSettings, match="KAFKA_CLIENT_CERT_KEY must be a private key") as caught:
        Settings.load({"KAFKA_CLIENT_CERT": certificate.pem, "KAFKA_CLIENT_CERT_KEY": raw})
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("KAFKA_URL", "kafka+ssl://app:hunter2@broker:9096"),
        ("REPLAY_HOST", "https://app:hunter2@staging.example.com"),
        ("REPLAY_HOST", "https://app:hunter2@staging.example.com/path"),
    ],
)
def test_a_password_in_a_url_where_none_belongs_is_a_fault_that_does_not_show_it(name: str, raw: str) -> None:
    with pytest.raises(BadSettings, match=f"{name} must not contain a user or password") as caught:
        Settings.load({name: raw})
    assert "hunter" not in str(caught.value)


def test_a_masked_url_still_says_where() -> None:
    assert mask_url("redis://h:1/0") == "redis://h:1/0"
    assert mask_url("redis://u:p@h:1/0") == f"redis://{MASK}@h:1/0"
    assert mask_url("") == ""


@pytest.mark.parametrize("raw", ["hunter2", "hunter2" + "x" * 24, "hunter2" + "\u00e9" * 40])
def test_a_key_that_could_be_guessed_is_a_fault_that_does_not_show_it(raw: str) -> None:
    with pytest.raises(BadSettings, match="REPLAY_KEY must be at least 32 characters") as caught:
        Settings.load({"REPLAY_KEY": raw})
    assert "hunter" not in str(caught.value)
    assert Settings.load({"REPLAY_KEY": "x" * 32}).replay_key == "x" * 32


def test_without_credentials_only_loopback_is_listened_on() -> None:
    assert Settings.load({"DRAIN_USER": "u", "DRAIN_PASSWORD": "p"}).bind_host == "0.0.0.0"
    assert Settings.load({"DRAIN_CREDENTIALS": "u:p"}).bind_host == "0.0.0.0"
    assert Settings.load({"DRAIN_AUTH": "none"}).bind_host == "0.0.0.0"


def test_credentials_may_hold_any_character_when_percent_encoded() -> None:
    settings = Settings.load({"DRAIN_CREDENTIALS": "a:b%2Cc%3Ad, e:f"})
    assert settings.drain_credential_pairs == (("a", "b,c:d"), ("e", "f"))


def test_the_page_has_the_drains_door_unless_it_has_its_own() -> None:
    drain_only = Settings.load({"DRAIN_USER": "u", "DRAIN_PASSWORD": "p"})
    assert drain_only.dashboard_credential_pairs == (("u", "p"),)
    both = Settings.load(
        {"DRAIN_USER": "u", "DRAIN_PASSWORD": "p", "DASHBOARD_USER": "v", "DASHBOARD_PASSWORD": "q"}
    )
    assert both.dashboard_credential_pairs == (("v", "q"),)


def test_the_file_adds_routes_rules_and_tokens_and_the_environment_wins(tmp_path: Path) -> None:
    path = tmp_path / "tailrace.yml"
    path.write_text("routes: [/users/:name]\nreplay: [{method: GET, do: allow}]\ntokens: {d.1: a, d.2: b}\n")
    settings = Settings.load({"TAILRACE_CONFIG": str(path), "DRAIN_TOKENS": "d.2=c"})
    assert settings.route_rules == ("/users/:name",)
    (rule,) = settings.replay_rules
    assert (rule.allow, rule.exact) == (True, (("method", frozenset({"GET"})),))
    assert settings.drain_tokens == {"d.1": "a", "d.2": "c"}


@pytest.mark.parametrize("names", ["vault", "[vault]", "[vault, safe]"])
def test_apps_without_tokens_are_entries_of_the_tokens(tmp_path: Path, names: str) -> None:
    path = tmp_path / "tailrace.yml"
    path.write_text(f"tokens: {{d.1: a, app: {names}}}\n")
    settings = Settings.load({"TAILRACE_CONFIG": str(path), "DRAIN_TOKENS": "app=own , d.2=b"})
    expected = {"d.1": "a", "d.2": "b", "app=vault": "vault", "app=own": "own"}
    if "safe" in names:
        expected["app=safe"] = "safe"
    assert settings.drain_tokens == expected


@pytest.mark.parametrize(
    "raw", ["app=", "app=a b", "app", "apps=vault", "vault", "app=" + "x" * 65, "=vault"]
)
def test_an_entry_that_names_no_app_is_a_bad_setting(raw: str) -> None:
    with pytest.raises(BadSettings, match="app=NAME for drains without a token"):
        Settings.load({"DRAIN_TOKENS": raw})


@pytest.mark.parametrize(
    "text",
    [
        "tokens: {app: {a: b}}",
        "tokens: {app: [[a]]}",
        "tokens: {d.1: [a]}",
        "routes: 5",
        "replay: [a]",
        "tokens: [a]",
        "tokens: {x: y}",
        "colour: red",
        "a: [",
        "- a",
    ],
)
def test_a_bad_file_is_a_clear_fault(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tailrace.yml"
    path.write_text(text)
    with pytest.raises(BadSettings, match="TAILRACE_CONFIG"):
        Settings.load({"TAILRACE_CONFIG": str(path)})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("routes: [users]", "routes: 'users' must start with /"),
        ("replay: [{colour: red}]", "replay: rule 1: unknown key 'colour'"),
        ("replay: [{}, {status: 2x}]", "replay: rule 2: status '2x' must be like 200, 5xx or 200-299"),
        ("replay: [{rewrite_path: {match: (, replace: x}}]", "replay: rule 1: `rewrite_path`"),
        ("replay: [{set_headers: {Bad Name: x}}]", "replay: rule 1: 'Bad Name' is not a valid header name"),
    ],
)
def test_rules_are_checked_with_the_settings(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "tailrace.yml"
    path.write_text(text)
    with pytest.raises(BadSettings) as caught:
        Settings.load({"TAILRACE_CONFIG": str(path)})
    (said,) = caught.value.faults
    assert said.startswith(fault)


def test_every_fault_of_file_and_environment_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tailrace.yml"
    path.write_text("routes: [users]\nreplay: [{do: maybe}, {status: 2x}]\ntokens: [a]\n")
    with pytest.raises(BadSettings) as caught:
        Settings.load({"TAILRACE_CONFIG": str(path), "PORT": "http"})
    assert len(caught.value.faults) == 5


def test_a_file_with_other_keys_says_which_there_are(tmp_path: Path) -> None:
    path = tmp_path / "tailrace.yml"
    path.write_text("colour: red\nroutes: [/a]\n")
    with pytest.raises(
        BadSettings,
        match="unknown top-level key colour; the keys are alerts, replay, routes, streams, targets, tokens",
    ):
        Settings.load({"TAILRACE_CONFIG": str(path)})


@pytest.mark.parametrize("text", ["", "routes:", "routes: []\nreplay:\ntokens: {}\n"])
def test_an_empty_file_or_key_changes_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tailrace.yml"
    path.write_text(text)
    settings = Settings.load({"TAILRACE_CONFIG": str(path)})
    assert (settings.route_rules, settings.replay_rules, settings.drain_tokens) == ((), (), {})


def test_a_missing_file_is_a_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="cannot read"):
        Settings.load({"TAILRACE_CONFIG": str(tmp_path / "none.yml")})


def test_the_readmes_table_is_made_from_the_settings() -> None:
    assert markdown_table() in (ROOT / "README.md").read_text("utf-8")
