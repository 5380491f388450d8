"""Settings: every environment name, with its type, default, unit and help, in one typed object.

`Settings.load(os.environ)` is the only reader of the environment. It lists every fault at once
(`BadSettings`) instead of stopping at the first. The README's table is made from `FIELDS`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from app.errors import BadSettings

MASK = "********"


# --- how one value is read -----------------------------------------------------------------


def _text(raw: str) -> str:
    return raw


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        try:
            value = int(raw)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= value <= high:
            raise ValueError(f"must be from {low} to {high}")
        return value

    return read


def _share(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ValueError("must be a number from 0 to 1") from None
    if not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return value


def _positive(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ValueError("must be a number above 0") from None
    if not 0 < value < float("inf"):
        raise ValueError("must be a number above 0")
    return value


def _speed(raw: str) -> float:
    """`max` is infinite speed."""
    if raw == "max":
        return float("inf")
    try:
        return _positive(raw)
    except ValueError:
        raise ValueError("must be a number above 0, or `max`") from None


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return read


def _flag(raw: str) -> bool:
    if raw.lower() in ("1", "true", "yes", "on"):
        return True
    if raw.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("must be 1 or 0")


def _methods(raw: str) -> tuple[str, ...]:
    names = tuple(name.strip().upper() for name in raw.split(",") if name.strip())
    if not names or not all(name.isascii() and name.isalpha() for name in names):
        raise ValueError("must be methods with commas between, such as GET,HEAD")
    return names


def _tokens(raw: str) -> dict[str, str]:
    """`d.TOKEN=app,...` -> {token: app}."""
    tokens: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in raw.split(","))):
        token, equals, name = part.partition("=")
        if not equals or not token.startswith("d.") or not _is_app_name(name):
            raise ValueError("must be d.TOKEN=app pairs with commas between; app: a-z, 0-9, - and _")
        tokens[token] = name
    return tokens


def _is_app_name(name: str) -> bool:
    return 0 < len(name) <= 64 and name.isascii() and all(c.isalnum() or c in "-_" for c in name)


def _credentials(raw: str) -> tuple[tuple[str, str], ...]:
    """`user:password,...`, each part percent-encoded where it holds a comma or a colon."""
    pairs = []
    for part in filter(None, (part.strip() for part in raw.split(","))):
        user, colon, password = part.partition(":")
        if not (colon and user and password):
            raise ValueError("must be user:password pairs with commas between")
        pairs.append((unquote(user), unquote(password)))
    return tuple(pairs)


def _redis_url(raw: str) -> str:
    if urlsplit(raw).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return raw


def _kafka_url(raw: str) -> str:
    parts = [part.strip() for part in raw.split(",") if part.strip()]
    schemes = {urlsplit(part).scheme for part in parts}
    if not parts or not schemes <= {"kafka", "kafka+ssl"}:
        raise ValueError("must be kafka://host:port or kafka+ssl://host:port, with commas between")
    if len(schemes) > 1:
        raise ValueError("must not mix kafka:// and kafka+ssl://")
    for part in parts:
        try:
            if not urlsplit(part).hostname or not urlsplit(part).port:
                raise ValueError
        except ValueError:
            raise ValueError("must give a host and a port for each broker") from None
    return ",".join(parts)


def _base_url(raw: str) -> str:
    try:
        parts = urlsplit(raw)
        port_is_right = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        port_is_right = False
    if not port_is_right or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a base URL such as https://staging.example.com")
    if parts.query or parts.fragment:
        raise ValueError("must have neither a query nor a fragment")
    if parts.path not in ("", "/"):
        raise ValueError("must have no path: requests keep the path of their log line")
    return raw.rstrip("/")


# --- the fields ----------------------------------------------------------------------------


def _setting(
    name: str,
    default: Any,
    help: str,
    read: Callable[[str], Any] = _text,
    *,
    unit: str = "",
    secret: bool = False,
    shown: str = "",
) -> Any:
    """One field of Settings; `shown` is how its default reads in the table when that is no value."""
    metadata = {"name": name, "help": help, "read": read, "unit": unit, "secret": secret, "shown": shown}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that is in force for one process. Field order is the order of the README's table."""

    port: int = _setting("PORT", 5000, "port of `web`", _whole(0, 65535))
    web_concurrency: int = _setting("WEB_CONCURRENCY", 2, "worker processes of `web`", _whole(1, 64))
    web_threads: int = _setting(
        "WEB_THREADS", 16, "requests that one worker process handles at once; further ones get 503", _whole(2, 256)
    )
    drain_user: str = _setting(
        "DRAIN_USER", "", "HTTP Basic user for `POST /logs`", shown="unset: loopback only, or `DRAIN_AUTH=none`"
    )
    drain_password: str = _setting("DRAIN_PASSWORD", "", "its password", secret=True, shown="unset")
    drain_credentials: tuple[tuple[str, str], ...] = _setting(
        "DRAIN_CREDENTIALS",
        (),
        "further `user:password` pairs with commas between, to rotate a secret without losing a frame",
        _credentials,
        secret=True,
        shown="none",
    )
    drain_auth: str = _setting(
        "DRAIN_AUTH",
        "basic",
        "`none`: anyone who reaches the port may write and look",
        _choice("basic", "none"),
    )
    drain_tokens: dict[str, str] = _setting(
        "DRAIN_TOKENS",
        {},
        "`d.TOKEN=app,...`: which drain tokens may write, and their app names",
        _tokens,
        secret=True,
        shown="any",
    )
    drain_body_max_bytes: int = _setting(
        "DRAIN_BODY_MAX_BYTES",
        1_048_576,
        "a larger body, as sent or unpacked, gets 413",
        _whole(1024, 67_108_864),
        unit="bytes",
    )
    dashboard_user: str = _setting(
        "DASHBOARD_USER", "", "HTTP Basic user for the page and the API", shown="as the drain's"
    )
    dashboard_password: str = _setting("DASHBOARD_PASSWORD", "", "its password", secret=True, shown="as the drain's")
    kafka_url: str = _setting(
        "KAFKA_URL",
        "",
        "`kafka://h:p,...` or `kafka+ssl://h:p,...`; unset: Redis Streams",
        _kafka_url,
        shown="unset",
    )
    kafka_trusted_cert: str = _setting(
        "KAFKA_TRUSTED_CERT",
        "",
        "PEM text of the authority that signed the brokers",
        secret=True,
        shown="the system's authorities",
    )
    kafka_client_cert: str = _setting(
        "KAFKA_CLIENT_CERT", "", "PEM text of the client's certificate", secret=True, shown="unset"
    )
    kafka_client_cert_key: str = _setting(
        "KAFKA_CLIENT_CERT_KEY", "", "PEM text of the client's key", secret=True, shown="unset"
    )
    kafka_prefix: str = _setting("KAFKA_PREFIX", "", "put before topic and group names", shown="empty")
    kafka_sasl_mechanism: str = _setting(
        "KAFKA_SASL_MECHANISM",
        "",
        "how to log in to brokers that ask for it",
        _choice("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
        shown="unset: no login",
    )
    kafka_sasl_username: str = _setting("KAFKA_SASL_USERNAME", "", "user of that login", shown="unset")
    kafka_sasl_password: str = _setting(
        "KAFKA_SASL_PASSWORD", "", "password of that login", secret=True, shown="unset"
    )
    kafka_client: str = _setting(
        "KAFKA_CLIENT",
        "kafka-python",
        "`confluent`: the faster client of requirements-fast.txt",
        _choice("kafka-python", "confluent"),
    )
    redis_url: str = _setting(
        "REDIS_URL", "redis://localhost:6379/0", "`redis://` or `rediss://`", _redis_url, secret=True
    )
    redis_tls_url: str = _setting(
        "REDIS_TLS_URL", "", "where set, used instead of `REDIS_URL`", _redis_url, secret=True, shown="unset"
    )
    redis_log_max_mb: int = _setting(
        "REDIS_LOG_MAX_MB",
        256,
        "memory for the log in Redis (without Kafka); the oldest frames go first. "
        "Never more than 40 % of Redis's own `maxmemory`",
        _whole(1, 1_048_576),
        unit="MB",
    )
    route_templates: str = _setting(
        "ROUTE_TEMPLATES",
        "auto",
        "`auto`: ids in paths become `:id` and the like; `raw`: paths as they are (without the query)",
        _choice("auto", "raw"),
    )
    routes_max: int = _setting(
        "ROUTES_MAX", 500, "routes kept per app; further ones count in the row `(other)`", _whole(1, 100_000)
    )
    replay_host: str = _setting(
        "REPLAY_HOST",
        "",
        "base URL of the replay's target, e.g. `https://staging.example.com`",
        _base_url,
        shown="unset: `replay` exits with a clear error",
    )
    replay_methods: tuple[str, ...] = _setting(
        "REPLAY_METHODS", ("GET", "HEAD"), "methods that are sent; bodies are always empty", _methods
    )
    replay_speed: float = _setting(
        "REPLAY_SPEED", 1.0, "1: the original spacing; 10: ten times as fast; `max`", _speed
    )
    replay_rate: float = _setting(
        "REPLAY_RATE", 0.0, "limit of requests a second", _positive, unit="requests/s", shown="unlimited"
    )
    replay_concurrency: int = _setting("REPLAY_CONCURRENCY", 16, "requests under way at once", _whole(1, 1024))
    replay_sample: float = _setting(
        "REPLAY_SAMPLE", 1.0, "share of requests to send, the same ones each time", _share
    )
    replay_timeout_ms: int = _setting(
        "REPLAY_TIMEOUT_MS", 30_000, "limit of one replayed request", _whole(10, 600_000), unit="ms"
    )
    replay_max_late_ms: int = _setting(
        "REPLAY_MAX_LATE_MS",
        10_000,
        "a request that is later than this is skipped and counted",
        _whole(100, 86_400_000),
        unit="ms",
    )
    replay_delivery: str = _setting(
        "REPLAY_DELIVERY",
        "at-most-once",
        "`at-most-once`: a crash never doubles a request; `at-least-once`: a crash never loses one",
        _choice("at-most-once", "at-least-once"),
    )
    replay_allow_same_host: bool = _setting(
        "REPLAY_ALLOW_SAME_HOST", False, "1: let the target be a host that the lines came from", _flag, shown="0"
    )
    tailrace_config: str = _setting(
        "TAILRACE_CONFIG", "", "path of a YAML file: route templates, replay rules, tokens", shown="unset"
    )

    # From the YAML file alone; checked where they are used (app/routes.py, consumers/replay/rules.py).
    route_rules: tuple[str, ...] = ()
    replay_rules: tuple[dict[str, Any], ...] = ()

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
                faults.append(f"{spec.name} {fault}" + ("" if spec.secret else f" (it is {raw!r})"))
        faults += _unknown_names(environ)
        if path := values.get("tailrace_config"):
            _add_file(Path(path), values, faults)
        settings = cls(**values)
        faults += settings._contradictions()
        if faults:
            raise BadSettings(faults)
        return settings

    def _contradictions(self) -> list[str]:
        faults = []
        for user, password, names in (
            (self.drain_user, self.drain_password, "DRAIN_USER and DRAIN_PASSWORD"),
            (self.dashboard_user, self.dashboard_password, "DASHBOARD_USER and DASHBOARD_PASSWORD"),
            (self.kafka_client_cert, self.kafka_client_cert_key, "KAFKA_CLIENT_CERT and KAFKA_CLIENT_CERT_KEY"),
            (self.kafka_sasl_username, self.kafka_sasl_password, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
        ):
            if bool(user) != bool(password):
                faults.append(f"{names} belong together: set both or neither")
        if self.kafka_sasl_mechanism and not self.kafka_sasl_username:
            faults.append("KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        if self.kafka_sasl_username and not self.kafka_sasl_mechanism:
            faults.append("KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM, e.g. SCRAM-SHA-512")
        return faults

    @property
    def drain_pairs(self) -> tuple[tuple[str, str], ...]:
        """All user/password pairs that may write; empty: no check is possible."""
        own = ((self.drain_user, self.drain_password),) if self.drain_user else ()
        return own + self.drain_credentials

    @property
    def dashboard_pairs(self) -> tuple[tuple[str, str], ...]:
        """All user/password pairs that may look."""
        if self.dashboard_user:
            return ((self.dashboard_user, self.dashboard_password),)
        return self.drain_pairs

    @property
    def bind_host(self) -> str:
        """Loopback unless someone checks who writes, or the owner said that nobody need."""
        return "0.0.0.0" if self.drain_pairs or self.drain_auth == "none" else "127.0.0.1"

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


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What the table, `python -m app config` and `load` need to know of one setting."""

    attribute: str
    name: str
    help: str
    read: Callable[[str], Any]
    default: Any
    unit: str
    secret: bool
    shown: str


def _field_specs() -> tuple[FieldSpec, ...]:
    specs = []
    for item in fields(Settings):
        if "name" in item.metadata:
            default = item.default if item.default is not MISSING else {}
            specs.append(FieldSpec(attribute=item.name, default=default, **item.metadata))
    return tuple(specs)


FIELDS = _field_specs()

# A name in one of these families that is not ours is most likely a misspelt one of ours.
_FAMILIES = ("DRAIN_", "DASHBOARD_", "REPLAY_", "ROUTE_", "ROUTES_", "TAILRACE_")


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    known = {spec.name for spec in FIELDS}
    return [
        f"{name} is not a setting of Tailrace: see `python -m app config --help`"
        for name in sorted(environ)
        if name.startswith(_FAMILIES) and name not in known
    ]


_FILE_KEYS = {"routes", "replay", "tokens"}


def _add_file(path: Path, values: dict[str, Any], faults: list[str]) -> None:
    """Adds what the YAML file says; the environment wins where both speak."""
    try:
        content = yaml.safe_load(path.read_text("utf-8")) or {}
    except OSError as fault:
        faults.append(f"TAILRACE_CONFIG: cannot read {path}: {fault.strerror}")
        return
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        where = getattr(fault, "problem_mark", None)
        faults.append(f"TAILRACE_CONFIG: {path} is not YAML" + (f" (line {where.line + 1})" if where else ""))
        return
    if not isinstance(content, dict) or set(content) - _FILE_KEYS:
        faults.append(f"TAILRACE_CONFIG: {path} may have these keys at its top: {', '.join(sorted(_FILE_KEYS))}")
        return
    routes, replay, tokens = (content.get(key) or default for key, default in (("routes", []), ("replay", []), ("tokens", {})))
    if not isinstance(routes, list) or not all(isinstance(rule, str) for rule in routes):
        faults.append(f"TAILRACE_CONFIG: {path}: `routes` must be a list of patterns such as /users/:name")
    else:
        values["route_rules"] = tuple(routes)
    if not isinstance(replay, list) or not all(isinstance(rule, dict) for rule in replay):
        faults.append(f"TAILRACE_CONFIG: {path}: `replay` must be a list of rules")
    else:
        values["replay_rules"] = tuple(replay)
    if not isinstance(tokens, dict):
        faults.append(f"TAILRACE_CONFIG: {path}: `tokens` must map drain tokens to app names")
    elif tokens:
        try:
            named = _tokens(",".join(f"{token}={name}" for token, name in tokens.items()))
            values["drain_tokens"] = {**named, **values.get("drain_tokens", {})}
        except ValueError as fault:
            faults.append(f"TAILRACE_CONFIG: {path}: `tokens` {fault}")


def shown_value(spec: FieldSpec, settings: Settings) -> str:
    """The value in force as text for a person, secrets masked."""
    value = getattr(settings, spec.attribute)
    if spec.read is _redis_url:
        return mask_url(value)
    if spec.secret:
        return MASK if value else ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if value == float("inf"):
        return "max"
    if isinstance(value, bool):
        return "1" if value else "0"
    if spec.shown and value == spec.default:
        return ""
    return str(value)


def mask_url(url: str) -> str:
    """The URL without what stands before its host, so that it can be logged."""
    if not url:
        return ""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    masked = f"{MASK}@{host}" if "@" in parts.netloc else host
    return f"{parts.scheme}://{masked}{parts.path}"


def is_loopback(host: str) -> bool:
    """True for an address or name that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def markdown_table() -> str:
    """The README's table of environment variables."""
    rows = ["| name | meaning | default |", "| --- | --- | --- |"]
    for spec in FIELDS:
        default = spec.shown or _plain_default(spec.default)
        unit = f" {spec.unit}" if spec.unit and not spec.shown else ""
        rows.append(f"| `{spec.name}` | {spec.help} | {default}{unit} |")
    return "\n".join(rows)


def _plain_default(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
