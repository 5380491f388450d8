"""Settings: every environment name, with its type, default, unit and help, in one typed object.

`Settings.load(os.environ)` is the only reader of the environment: who starts a process hands it over,
and everything else asks the settings (tests/test_environment.py). It lists every fault at once
(`BadSettings`) instead of stopping at the first. The README's table is made from `FIELDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.alerts.targets import values as target_values
from app.errors import BadSettings
from app.settings import pem
from app.settings import readers as kind
from app.settings.checks import contradictions, unknown_names
from app.settings.fields import setting, specs_of
from app.settings.file import read_file
from app.settings.replay_rules import Rule

if TYPE_CHECKING:
    from app.alerts.rule import Rule as AlertRule
    from app.alerts.targets.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that is in force for one process. Field order is the order of the README's table."""

    port: int = setting("PORT", 5000, "port of `web`", kind.whole_number(0, 65535))
    web_concurrency: int = setting(
        "WEB_CONCURRENCY", 2, "worker processes of `web`", kind.whole_number(1, 64)
    )
    web_threads: int = setting(
        "WEB_THREADS",
        16,
        "requests that one worker process handles at once; any more get 503",
        kind.whole_number(2, 256),
    )
    drain_user: str = setting(
        "DRAIN_USER",
        "",
        "HTTP Basic user for `POST /logs`",
        default_label="unset: loopback only, or `DRAIN_AUTH=none`",
    )
    drain_password: str = setting("DRAIN_PASSWORD", "", "its password", secret=True, default_label="unset")
    drain_credentials: tuple[tuple[str, str], ...] = setting(
        "DRAIN_CREDENTIALS",
        (),
        "more `user:password` pairs, separated by commas, to rotate a secret without losing a frame",
        kind.credentials,
        secret=True,
        default_label="none",
    )
    drain_auth: str = setting(
        "DRAIN_AUTH",
        "basic",
        "`none`: anyone who can reach the port may send logs and read the dashboard",
        kind.choice("basic", "none"),
    )
    drain_tokens: dict[str, str] = setting(
        "DRAIN_TOKENS",
        {},
        "`d.TOKEN=app,...`: which drain tokens may send logs, and their app names; `app=NAME` admits drains "
        "without a token whose URL ends in `?app=NAME`",
        kind.drain_tokens,
        secret=True,
        default_label="any",
    )
    drain_body_max_bytes: int = setting(
        "DRAIN_BODY_MAX_BYTES",
        1_048_576,
        "a larger body, as sent or unpacked, gets 413",
        kind.whole_number(1024, 67_108_864),
        unit="bytes",
    )
    dashboard_user: str = setting(
        "DASHBOARD_USER", "", "HTTP Basic user for the page and the API", default_label="as the drain's"
    )
    dashboard_password: str = setting(
        "DASHBOARD_PASSWORD", "", "its password", secret=True, default_label="as the drain's"
    )
    kafka_url: str = setting(
        "KAFKA_URL",
        "",
        "`kafka://h:p,...` or `kafka+ssl://h:p,...`; unset: Redis Streams",
        kind.kafka_brokers,
        default_label="unset",
    )
    kafka_trusted_cert: str = setting(
        "KAFKA_TRUSTED_CERT",
        "",
        "PEM text of the authority that signed the brokers' certificates",
        pem.certificates,
        secret=True,
        default_label="the system's authorities",
    )
    kafka_client_cert: str = setting(
        "KAFKA_CLIENT_CERT",
        "",
        "PEM text of the client certificate",
        pem.certificates,
        secret=True,
        default_label="unset",
    )
    kafka_client_cert_key: str = setting(
        "KAFKA_CLIENT_CERT_KEY",
        "",
        "PEM text of the client key",
        pem.private_key,
        secret=True,
        default_label="unset",
    )
    kafka_prefix: str = setting(
        "KAFKA_PREFIX", "", "prefix of topic and group names", kind.kafka_prefix, default_label="empty"
    )
    kafka_sasl_mechanism: str = setting(
        "KAFKA_SASL_MECHANISM",
        "",
        "how to log in to brokers that require it",
        kind.choice("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
        default_label="unset: no login",
    )
    kafka_sasl_username: str = setting(
        "KAFKA_SASL_USERNAME", "", "user name for that login", default_label="unset"
    )
    kafka_sasl_password: str = setting(
        "KAFKA_SASL_PASSWORD", "", "password for that login", secret=True, default_label="unset"
    )
    kafka_client: str = setting(
        "KAFKA_CLIENT",
        "kafka-python",
        "`confluent`: the faster client in requirements-fast.txt",
        kind.choice("kafka-python", "confluent"),
    )
    redis_url: str = setting(
        "REDIS_URL", "redis://localhost:6379/0", "`redis://` or `rediss://`", kind.redis_url, secret=True
    )
    redis_tls_url: str = setting(
        "REDIS_TLS_URL",
        "",
        "used instead of `REDIS_URL` if set",
        kind.redis_url,
        secret=True,
        default_label="unset",
    )
    redis_tls_verify: bool = setting(
        "REDIS_TLS_VERIFY",
        True,
        "0: accept any certificate of `rediss://`; needed for Heroku Key-Value Store, which signs its own",
        kind.flag,
        default_label="1",
    )
    redis_log_max_mb: int = setting(
        "REDIS_LOG_MAX_MB",
        256,
        "memory for the log in Redis (without Kafka); the oldest frames are dropped first. "
        "Never more than 40 % of Redis's own `maxmemory`",
        kind.whole_number(1, 1_048_576),
        unit="MB",
    )
    redis_log_replicas: int = setting(
        "REDIS_LOG_REPLICAS",
        0,
        "replicas of Redis that must have a frame before it gets its 2xx (without Kafka); otherwise 503",
        kind.whole_number(0, 16),
    )
    redis_log_fsync: bool = setting(
        "REDIS_LOG_FSYNC",
        False,
        "1: a frame must be on Redis's disk before it gets its 2xx (without Kafka); otherwise 503. "
        "Needs the append-only file and Redis 7.2 or newer",
        kind.flag,
        default_label="0",
    )
    route_templates: str = setting(
        "ROUTE_TEMPLATES",
        "auto",
        "`auto`: ids in paths become `:id` and the like; `raw`: paths unchanged (without the query)",
        kind.choice("auto", "raw"),
    )
    routes_max: int = setting(
        "ROUTES_MAX",
        500,
        "routes kept per app; any more are counted under `(other)`",
        kind.whole_number(1, 100_000),
    )
    replay_host: str = setting(
        "REPLAY_HOST",
        "",
        "base URL of the replay's target, e.g. `https://staging.example.com`",
        kind.base_url,
        default_label="unset: `replay` exits with a clear error",
    )
    replay_methods: tuple[str, ...] = setting(
        "REPLAY_METHODS", ("GET", "HEAD"), "methods that are sent; bodies are always empty", kind.methods
    )
    replay_speed: float = setting(
        "REPLAY_SPEED", 1.0, "1: the original spacing; 10: ten times as fast; `max`", kind.speed
    )
    replay_rate: float = setting(
        "REPLAY_RATE",
        0.0,
        "limit of requests per second, for each process",
        kind.positive,
        unit="requests/s",
        default_label="unlimited",
    )
    replay_concurrency: int | None = setting(
        "REPLAY_CONCURRENCY",
        None,
        "requests in flight to each target, for each process",
        kind.whole_number(1, 1024),
        default_label="grows from 16 to 256 as needed",
    )
    replay_sample: float = setting(
        "REPLAY_SAMPLE", 1.0, "share of requests to send, the same ones each time", kind.share
    )
    replay_timeout_ms: int = setting(
        "REPLAY_TIMEOUT_MS",
        30_000,
        "timeout of one replayed request",
        kind.whole_number(10, 600_000),
        unit="ms",
    )
    replay_max_late_ms: int = setting(
        "REPLAY_MAX_LATE_MS",
        10_000,
        "the live worker skips and counts a request that is later than this (not with `at-least-once`); a "
        "window replay sends all of them",
        kind.whole_number(100, 86_400_000),
        unit="ms",
    )
    replay_host_header: str = setting(
        "REPLAY_HOST_HEADER",
        "",
        "the `Host` header of replayed requests, if the target serves several hosts",
        kind.host_header,
        default_label="the target's",
    )
    replay_user_agent: str = setting(
        "REPLAY_USER_AGENT", "tailrace-replay", "their `User-Agent`", kind.header_value
    )
    replay_forwarded: bool = setting(
        "REPLAY_FORWARDED",
        False,
        "1: pass on the client's address and protocol as `X-Forwarded-For` and `X-Forwarded-Proto`",
        kind.flag,
        default_label="0",
    )
    replay_delivery: str = setting(
        "REPLAY_DELIVERY",
        "at-most-once",
        "`at-most-once`: a crash never doubles a request; `at-least-once`: a crash never loses one",
        kind.choice("at-most-once", "at-least-once"),
    )
    keep_users: bool = setting(
        "KEEP_USERS",
        False,
        "1: keep who made a release (an e-mail address, as Heroku logs it); otherwise it is removed before "
        "anything is stored",
        kind.flag,
        default_label="0",
    )
    replay_key: str = setting(
        "REPLAY_KEY",
        "",
        "signs the ids of replayed requests; set the same one for an installation that replays and another "
        "that counts the target's traffic",
        kind.replay_key,
        secret=True,
        default_label="a key that is kept in Redis",
    )
    replay_allow_same_host: bool = setting(
        "REPLAY_ALLOW_SAME_HOST",
        False,
        "1: allow a target that is a host the lines came from",
        kind.flag,
        default_label="0",
    )
    alert_webhook_url: str = setting(
        "ALERT_WEBHOOK_URL",
        "",
        "URL that alerts are sent to as JSON",
        target_values.web_url,
        secret=True,
        default_label="unset",
    )
    alert_webhook_secret: str = setting(
        "ALERT_WEBHOOK_SECRET",
        "",
        "signs that JSON (HMAC-SHA256)",
        target_values.webhook_secret,
        secret=True,
        default_label="unset",
    )
    alert_slack_url: str = setting(
        "ALERT_SLACK_URL",
        "",
        "an incoming webhook of Slack",
        target_values.web_url,
        secret=True,
        default_label="unset",
    )
    alert_pagerduty_key: str = setting(
        "ALERT_PAGERDUTY_KEY",
        "",
        "an integration key of PagerDuty (Events API v2)",
        target_values.pagerduty_key,
        secret=True,
        default_label="unset",
    )
    alert_teams_url: str = setting(
        "ALERT_TEAMS_URL",
        "",
        "a workflow of Microsoft Teams that posts what it receives",
        target_values.web_url,
        secret=True,
        default_label="unset",
    )
    alert_smtp_url: str = setting(
        "ALERT_SMTP_URL",
        "",
        "mail server: `smtps://user:password@host:465`, `smtp+starttls://...:587` or `smtp://...`",
        target_values.mail_url,
        secret=True,
        default_label="unset",
    )
    alert_email_from: str = setting(
        "ALERT_EMAIL_FROM",
        "",
        "address that alerts by e-mail come from",
        target_values.mail_address,
        default_label="unset",
    )
    alert_email_to: tuple[str, ...] = setting(
        "ALERT_EMAIL_TO",
        (),
        "addresses that they go to, separated by commas",
        target_values.mail_addresses,
        default_label="none",
    )
    tailrace_url: str = setting(
        "TAILRACE_URL",
        "",
        "where people open the page, e.g. `https://tailrace.example.com`: alerts link to it",
        kind.base_url,
        default_label="unset: alerts have no link",
    )
    tailrace_config: str = setting(
        "TAILRACE_CONFIG",
        "",
        "path of a YAML file: route templates, streams, replay rules, tokens, alerts and their targets",
        default_label="unset",
    )

    dyno: str = setting(
        "DYNO",
        "",
        "set by Heroku: the process's name in its own log; with it, `web` does not start without credentials",
        default_label="unset",
    )
    terminal: str = setting(
        "TERM",
        "",
        "set by the terminal: `python -m app top` prints once where it is unset or `dumb`",
        default_label="unset",
    )

    # From the YAML file alone.
    route_rules: tuple[str, ...] = ()
    """Patterns that compile (app/routes.py)."""
    stream_rules: tuple[str, ...] = ()
    """The same, of paths whose requests are connections (app/connections.py)."""
    replay_rules: tuple[Rule, ...] = ()
    alert_rules: tuple[AlertRule, ...] = ()
    """Those of the file: app/alerts/defaults.py adds the default ones."""
    alert_targets: tuple[Target, ...] = ()
    """Those of the file: app/alerts/targets/registry.py adds those of the settings above."""

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Settings:
        """Reads environment and YAML file. Raises BadSettings with every fault found."""
        faults: list[str] = []
        values: dict[str, Any] = {}
        for spec in FIELDS:
            raw = environ.get(spec.name, "").strip()
            if not raw:  # An empty variable is an unset one: PaaS pages leave those behind.
                continue
            try:
                values[spec.attribute] = spec.read(raw)
            except ValueError as fault:
                faults.append(f"{spec.name} {fault}" + ("" if spec.secret else kind.it_is(raw, spec.read)))
        faults += unknown_names(environ, [spec.name for spec in FIELDS])
        if path := values.get("tailrace_config"):
            try:
                from_file = read_file(Path(path), environ)
            except BadSettings as fault:
                faults += fault.faults
            else:  # The environment wins where both speak.
                tokens = {**from_file.get("drain_tokens", {}), **values.get("drain_tokens", {})}
                values = {**from_file, **values, "drain_tokens": tokens}
        settings = cls(**values)
        faults += contradictions(settings)
        if faults:
            raise BadSettings(faults)
        return settings

    @property
    def drain_credential_pairs(self) -> tuple[tuple[str, str], ...]:
        """All user/password pairs that may send logs; empty: no check is possible."""
        own = ((self.drain_user, self.drain_password),) if self.drain_user else ()
        return own + self.drain_credentials

    @property
    def dashboard_credential_pairs(self) -> tuple[tuple[str, str], ...]:
        """All user/password pairs that may read the dashboard."""
        if self.dashboard_user:
            return ((self.dashboard_user, self.dashboard_password),)
        return self.drain_credential_pairs

    @property
    def bind_host(self) -> str:
        """Loopback, unless senders are authenticated or the owner chose DRAIN_AUTH=none."""
        return "0.0.0.0" if self.drain_credential_pairs or self.drain_auth == "none" else "127.0.0.1"

    @property
    def redis_address(self) -> str:
        """The Redis URL in force: the TLS one where the platform gives one."""
        return self.redis_tls_url or self.redis_url

    @property
    def kafka_servers(self) -> list[str]:
        """`host:port` of each broker."""
        return [str(urlsplit(part).netloc) for part in self.kafka_url.split(",") if part]

    @property
    def kafka_over_tls(self) -> bool:
        return self.kafka_url.startswith("kafka+ssl:")


FIELDS = specs_of(Settings)
