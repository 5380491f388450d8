"""Every key that Tailrace has in Redis, on one page.

Without prefix: the talk's demo, byte for byte (`routes`, `<digest>::service`, ...). Everything
else is under `tailrace:`. An app with a name has `app:<name>:` in front of its own keys; the keys
without it hold all apps together.
"""

from __future__ import annotations

import hashlib
import re

from app.store.bounds import NOT_FOUND, OTHER

PREFIX = "tailrace:"

# --- figures ---------------------------------------------------------------------------------

OTHER_ROUTE = OTHER
"""The row of what came after ROUTES_MAX routes."""

NOT_FOUND_ROUTE = NOT_FOUND
"""The row of what no route has answered."""

ALL_ROUTES = "all"
"""Stands where a digest stands, for the row of all routes of an app together."""

WINDOWS = ((10, 3_600), (60, 86_400), (3_600, 31 * 86_400))
"""(length, kept for) of each kind of time window, in seconds."""

NAME_WINDOWS = ((10, 3_600), (60, 86_400), (3_600, 86_400))
"""The same of a dyno or host: names come and go with each deploy."""

DYNO_WINDOWS = ((60, 86_400), (3_600, 86_400))
"""The same of what the platform measured of a dyno. It does so every 20 s, so shorter ones tell no more."""

PROCESS_WINDOWS = ((60, 86_400), (3_600, 31 * 86_400))
"""The same of all dynos of a process type together."""

ADDON_WINDOWS = ((300, 86_400), (3_600, 31 * 86_400))
"""The same of an add-on, which logs every minute or two, and many measures."""

YESTERDAY_S = 7_200
"""So much longer the minutes of a route stay in Redis than WINDOWS says: what is compared with the same time
yesterday (queries/two_spans.py) is over by then for an hour or so."""

STAYS_S = {length_s: kept_s + (YESTERDAY_S if length_s == 60 else 0) for length_s, kept_s in WINDOWS}
"""Length of a window -> how long it stays in Redis, in seconds."""

CHUNK_S = {10: 600, 60: 3_600, 300: 7_200, 3_600: 86_400}
"""Length of a window -> of the chunk that it lies in: one key for many windows, since a key of its
own costs Redis more than most windows hold."""

SAMPLES = ((600, 3_600), (3_600, 86_400))
"""(length, kept for) of each kind of chunk that single requests are sampled of, in seconds. Each is a whole
number of the one before."""

DIGEST_CHARS = 16
"""So much of a digest stands in the names of chunks."""

COUNTS = PREFIX + "counts"
"""Hash of plain counters: `dead_letters`, `dead_letters_dropped`, `lost:<code>`."""

LOSSES = PREFIX + "losses"
"""Hash: app -> messages that its log said were lost before they came here."""

REPORTS = PREFIX + "reports"
"""Hash: `<kind> <app>` -> how often a sender reported something that is no loss: see frame_events.py."""

APPS = PREFIX + "apps"
"""Hash: app -> requests counted; "" stands for lines without an app's name."""


def digest(route: str) -> str:
    """Hex SHA-256 of a route, as in the talk's demo."""
    return hashlib.sha256(route.encode("utf-8", "surrogateescape")).hexdigest()


def scope(app: str) -> str:
    """What stands in front of an app's keys: empty for all apps together."""
    return f"app:{app}:" if app else ""


def routes(app: str) -> str:
    """Hash: route -> digest."""
    return f"{scope(app)}routes"


def learned(app: str) -> str:
    """Hash: template that rows were merged into -> JSON of LearnedTemplate, see route_table.py."""
    return f"{PREFIX}{scope(app)}learned"


ROUTE_VERSIONS = PREFIX + "routes:versions"
"""Hash: app -> how often rows were taken out of its table; then what workers remember of it is void."""

ROUTE_MOVES = PREFIX + "routes:moves"
"""List of rows whose figures are to be added to those of another: see move_rows.lua."""


def total(app: str, route_digest: str, name: str) -> str:
    """A hash of a route's totals, named as in schema.py: `::statuses` and the like are the talk's."""
    return f"{'' if name.startswith('::') else PREFIX}{scope(app)}{route_digest}{name}"


def windows(app: str, route_digest: str) -> str:
    """What stands in front of the names of a route's chunks."""
    return f"{PREFIX}{scope(app)}{route_digest[:DIGEST_CHARS]}:"


def chunk(length_s: int, start_s: int) -> tuple[str, int]:
    """Where a time window lies: the name of its chunk, and its number in it, from 0.

    A chunk is a hash: number -> MessagePack of the window's counts, whose fields are in schema.py. It
    expires once its last window has been kept long enough.
    """
    chunk_s = CHUNK_S[length_s]
    return f"{length_s}:{start_s // chunk_s * chunk_s}", start_s % chunk_s // length_s


def window(chunk_name: str, number: int) -> tuple[int, int]:
    """(length, start) in seconds of the window that `chunk` has named so."""
    length_s, _, chunk_start_s = chunk_name.partition(":")
    return int(length_s), int(chunk_start_s) + number * int(length_s)


def chunks(now_s: int, ahead_s: int) -> list[str]:
    """The names of all chunks that may be there now; `ahead_s`: how far windows may lie ahead of now."""
    return [
        f"{length_s}:{start_s}"
        for length_s, stays_s in STAYS_S.items()
        for start_s in _chunk_starts(CHUNK_S[length_s], stays_s, now_s, ahead_s)
    ]


def samples_chunk(length_s: int, start_s: int) -> str:
    """The name of a chunk of samples, behind `windows`: a string, see samples.py."""
    return f"samples:{length_s}:{start_s}"


def samples_chunks(now_s: int, ahead_s: int) -> list[str]:
    """As `chunks`, of the chunks of samples."""
    return [
        samples_chunk(length_s, start_s)
        for length_s, kept_s in SAMPLES
        for start_s in _chunk_starts(length_s, kept_s, now_s, ahead_s)
    ]


def _chunk_starts(chunk_s: int, kept_s: int, now_s: int, ahead_s: int) -> range:
    return range((now_s - kept_s - chunk_s) // chunk_s * chunk_s, now_s + ahead_s + 1, chunk_s)


NAMES = "names:"
"""Stands before the kind of names, in the name of their table."""

NAME_DIGESTS = {
    "dynos": "dyno-",
    "hosts": "host-",
    "runtime": "gauge-",
    "one-offs": "run-",
    "processes": "type-",
    "addons": "addon-",
}
"""Kind of names -> what their digests begin with. `dynos` are those of router lines; the last
four are of what the platform measures and says: see gauge_rows.py."""

LATEST = ":latest"
"""String: JSON of the latest values of a dyno or an add-on, behind its digest: see gauge_rows.py."""


def names(app: str, kind: str) -> str:
    """Sorted set: name -> when it was last seen, Unix s. See name_rows.lua."""
    return f"{PREFIX}{scope(app)}{NAMES}{kind}"


def name_digest(kind: str, name: str) -> str:
    """What stands for a name where a digest stands for a route: of DIGEST_CHARS characters. Of SHA-1, because
    a script can work out no other digest."""
    found = hashlib.sha1(name.encode("utf-8", "surrogateescape"), usedforsecurity=False)
    start = NAME_DIGESTS[kind]
    return start + found.hexdigest()[: DIGEST_CHARS - len(start)]


EVENTS = "events:"
"""Stands before the name of a table of events."""

EVENT_FACTS = ":facts"
"""Stands behind the key of a table of events."""


def events(app: str, table: str) -> str:
    """Sorted set: id of an event -> where it stands among the others of its table. See event_rows.py; "": of
    what came without an app's name."""
    return f"{PREFIX}{scope(app)}{EVENTS}{table}"


def event_facts(app: str, table: str) -> str:
    """Hash: id of an event -> what happened, and how often; and what the table takes."""
    return events(app, table) + EVENT_FACTS


def loss_window(length_s: int, start_s: int) -> str:
    """Hash of one time window: app -> messages lost."""
    return f"{LOSSES}:{length_s}:{start_s}"


def report_window(length_s: int, start_s: int) -> str:
    """Hash of one time window: `<kind> <app>` -> count."""
    return f"{REPORTS}:{length_s}:{start_s}"


FIGURES_PATTERN = re.compile(
    rb"(?:tailrace:)?app:(?P<app>[A-Za-z0-9_-]{1,64}):"
    rb"|[0-9a-f]{64}::|tailrace:(?:[0-9a-f]{64}|[0-9a-f]{16}|all|names|events"
    rb"|(?:dyno|host|gauge|run|type|addon)-[0-9a-f]{10,12}):"
)
"""Matches the beginning of a key that holds figures of a route, a dyno or a host, events, or what the
platform measured."""

SAMPLES_PATTERN = re.compile(rb"tailrace:(?:app:[^:]+:)?(?:[0-9a-f]{16}|all):samples:")
"""Matches the beginning of a key that holds samples; FIGURES_PATTERN matches it too."""

EVENTS_PATTERN = re.compile(rb"tailrace:(?:app:[^:]+:)?events:")
"""Matches the beginning of a key that holds events; FIGURES_PATTERN matches it too."""

ROUTES_PATTERN = re.compile(rb"(?:app:[A-Za-z0-9_-]{1,64}:)?routes")
"""Matches the name of a table of routes."""


# --- consumer groups -------------------------------------------------------------------------

WORKERS = PREFIX + "workers"
"""Hash: worker id -> JSON of WorkerStatus."""


def group(name: str) -> str:
    """Hash of a consumer group's totals: `messages`, `duplicates`, `lost`, `bad`, ..."""
    return f"{PREFIX}group:{name}"


def journal(group_name: str) -> str:
    """List of portions of rows that are settled and not yet added to the figures: see journal.py."""
    return f"{PREFIX}journal2:{group_name}"


def journal_part(group_name: str, part_id: str) -> str:
    """List of further portions of one batch; an entry `@<key>` of the journal stands for them."""
    return f"{journal(group_name)}:{part_id}"


def earlier_journal(group_name: str) -> str:
    """The same, of a version whose rows were of another form: see earlier_rows.lua."""
    return f"{PREFIX}journal:{group_name}"


def poison_counts(group_name: str) -> str:
    """Hash: key of a message -> how many workers hung or died on it."""
    return f"{PREFIX}held:{group_name}"


# --- the message log -------------------------------------------------------------------------


def log(topic: str) -> str:
    """Stream of frames, where the log is in Redis. What belongs to it has its name in front."""
    return f"{PREFIX}log:{topic}"


def log_meta(stream: str) -> str:
    """Hash of the log's own counts: `bytes`, `kept`, `added`, `trimmed`, `read:<group>`, ..."""
    return f"{stream}:meta"


def log_gone(stream: str, group_name: str) -> str:
    """Hash: entries that the bound trimmed while a worker of the group held them."""
    return f"{log_meta(stream)}:gone:{group_name}"


def log_settled(stream: str, group_name: str) -> str:
    """Sorted set of ids: all entries up to its first are settled by the group, and the others in it."""
    return f"{log_meta(stream)}:settled:{group_name}"


def log_lease(stream: str, group_name: str) -> str:
    """What stands in front of a consumer's name: string, there while it lives."""
    return f"{stream}:lease:{group_name}:"


def log_frames(stream: str) -> tuple[str, str]:
    """Sets of the frames that the log recognises, in two generations."""
    return f"{stream}:frames:new", f"{stream}:frames:old"


def log_probe(stream: str) -> str:
    """String that is written to see whether the log can be."""
    return f"{stream}:probe"


def positions(group_name: str) -> str:
    """Hash: partition of Kafka -> next offset. `group_name` as Kafka has it, with its prefix."""
    return f"{PREFIX}positions:{group_name}"


def seen(group_name: str, partition: int) -> str:
    """Hashes of a partition's frames that were counted, `:new` and `:old` behind it."""
    return f"{PREFIX}seen:{group_name}:{partition}"


# --- frame events ----------------------------------------------------------------------------

DEAD_LETTERS = PREFIX + "dead-letters"
"""Stream: see dead_letters.py."""

DEAD_LETTERS_ACCOUNT = DEAD_LETTERS + ":account"
"""Hash: what the letters take, `bytes`, `kept`, `upto`."""

FRAME_EVENTS = (PREFIX + "asides:new", PREFIX + "asides:old")
"""Sets of markers of the frames whose losses and dead letters are recorded, in two generations."""


# --- what is wrong with requests of senders --------------------------------------------------

SENDER_FAULTS = PREFIX + "sender-faults"
"""Hash: `<kind> <sender>` -> count; with `:at` behind it the last one's Unix s, with `:token` its digest."""

UNKNOWN_TOKENS = PREFIX + "unknown-tokens"
"""Hash: digest of a drain token -> frames refused, and with `:at` behind it the last one's Unix s."""


def sender_faults_window(length_s: int, start_s: int) -> str:
    """Hash of one time window: `<kind> <sender>` -> count."""
    return f"{SENDER_FAULTS}:{length_s}:{start_s}"


def sender_faults_taken(process: str) -> str:
    """String: the number of the last batch that was taken from this process of `web`."""
    return f"{SENDER_FAULTS}:taken:{process}"


# --- replay ----------------------------------------------------------------------------------

REPLAY_KEY = PREFIX + "replay:key"
"""String: the key that signs the ids of replayed requests, where REPLAY_KEY is unset. A secret."""

REPLAY_RUNS = PREFIX + "replay:runs"
"""Sorted set: run id by its last write, Unix s."""


def replay_run(run_id: str, *parts: str) -> str:
    """Of a run: a hash of replay.RUN_PARTS, the string `result`, `pairs` (see replay_resume.py), or a part of
    one route."""
    return ":".join((f"{PREFIX}replay:{run_id}", *parts))


# --- alerts ----------------------------------------------------------------------------------

ALERTS = PREFIX + "alerts:"

ALERT_LEASE = ALERTS + "lease"
"""String: the process that judges and sends, see alerts/redis/lease.py. It expires."""

ALERT_BOARD = ALERTS + "board"
"""Hash: `board`, `alert <key>` and `incident <id>` -> JSON, see alerts/redis/board.py."""

ALERT_BOARD_ITSELF = "board"
"""The field that holds what is no alert and no incident: `at_s` and the like."""

ALERTS_TOLD = ALERTS + "told"
"""Hash: id of an open incident -> JSON of the message that was made of it last."""

ALERT_HISTORY = ALERTS + "history"
"""Hash: id of an incident that ended -> JSON of it and its last message; and `bytes`, what these take."""

ALERT_HISTORY_ENDS = ALERT_HISTORY + ":ends"
"""Sorted set: id of an incident -> when it ended, Unix s."""

ALERT_OUTBOX = ALERTS + "outbox"
"""Hash: id of a delivery -> JSON of where it stands, see alerts/redis/outbox.py."""

ALERT_OUTBOX_MESSAGES = ALERT_OUTBOX + ":messages"
"""Hash: id of a delivery -> JSON of its message."""

ALERT_TARGETS = ALERTS + "targets"
"""Hash: name of a target -> JSON of how deliveries to it went."""

ALERT_SILENCES = ALERTS + "silences"
"""Hash: JSON of a rule's and an app's name -> until when, Unix s."""

ALERTS_PATTERN = re.compile(re.escape(ALERTS).encode())
"""Matches the beginning of a key of alerts."""
