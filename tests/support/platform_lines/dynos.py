"""What the platform says about a dyno, and lines that look like it."""

# ruff: noqa: E501
# Lines stay as they were sent.
# fmt: off

from __future__ import annotations

from app.platform.facts import Event
from tests.support.platform_lines.forms import AT_MS, USER, PlatformLine, ignored, of_dyno

R17 = "Error R17 (Checksum error) -> Checksum does match expected value. Expected: SHA256:ed5718e83475c780145609cbb2e4f77ec8076f6f59ebc8a916fb790fbdb1ae64 Actual: SHA256:9ca15af16e06625dfd123ebc3472afb0c5091645512b31ac3dd355f0d8cc42c1"

STATES = (
    *(
        of_dyno(source, "state", f"State changed from {old} to {new}", state=new)
        for source, old, new in (
            ("documented", "created", "starting"),
            ("documented", "provisioning", "starting"),
            ("documented", "down", "starting"),
            ("documented", "starting", "crashed"),
            ("documented", "starting", "up"),
            ("seen", "up", "starting"),
            ("seen", "up", "down"),
            ("seen", "up", "crashed"),
            ("seen", "crashed", "starting"),
            ("seen", "crashed", "down"),
            ("seen", "created", "down"),
        )
    ),
    of_dyno("seen", "state", "State changed from up to complete", dyno="run.7699", state="complete"),
    of_dyno("seen", "state", "State changed from up to complete", dyno="release.9811", state="complete"),
    of_dyno("seen", "state", "State changed from starting to up", dyno="scheduler.7625", state="up"),
    of_dyno("seen", "state", "State changed from starting to up", dyno="normal_worker.1", state="up"),
    of_dyno("tools", "state", "State changed from starting to up", dyno="web-abc-123", state="up"),
    of_dyno("guessed", "state", "State changed from starting to up", dyno="web-7d9c5b8f6-x2x9k", state="up"),
    of_dyno("tools", "state", "State changed from up to down", "State changed from up to down \u2014 extra trailing text", state="down"),
)

LIFE = (
    of_dyno("seen", "other", "Starting process", "Starting process with command `SECRET=x npm start`"),
    of_dyno("documented", "other", "Starting process", "Starting process with command: `thin -p 22020 -e production`"),
    of_dyno("seen", "other", "Starting process", "Starting process with command `curl https://x?Signature=y; then\nfi`", dyno="run.1234"),
    of_dyno("seen", "restart", "Restarting"),
    of_dyno("documented", "restart", "Cycling"),
    of_dyno("seen", "idle", "Idling"),
    of_dyno("seen", "idle", "Unidling"),
    of_dyno("guessed", "idle", "Idling because quota is exhausted"),
    of_dyno("seen", "other", "Stopping all processes with SIGTERM"),
    of_dyno("documented", "other", "Stopping process with SIGKILL"),
    of_dyno("seen", "other", "Stopping process with SIGKILL", "- Stopping process with SIGKILL"),
    of_dyno("guessed", "other", "Stopping remaining processes with SIGKILL"),
    of_dyno("documented", "other", "Awaiting client", dyno="run.3"),
    of_dyno("documented", "other", "Client connection closed. Sending SIGHUP to all processes", dyno="run.3"),
    of_dyno("seen", "exit", "Process exited with status 143", status=143),
    of_dyno("seen", "exit", "Process exited with status 0", dyno="run.9633", status=0),
    of_dyno("documented", "exit", "Process exited"),
    of_dyno("guessed", "other", "Something new"),
)

ERRORS = (
    *(
        of_dyno(source, "error", text, code=text[6:9])
        for source, text in (
            ("documented", "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch"),
            ("guessed", "Error R11 (Bad bind) -> Process bound to wrong port"),
            ("documented", "Error R12 (Exit timeout) -> Process failed to exit within 30 seconds of SIGTERM"),
            ("documented", "Error R13 (Attach error) -> Failed to attach to process"),
            ("documented", "Error R14 (Memory quota exceeded)"),
            ("documented", "Error R15 (Memory quota vastly exceeded)"),
            ("documented", "Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external connection was closed."),
            ("seen", "Error R99 (Platform error) -> Failed to launch the dyno within 10 seconds"),
            ("guessed", "Error R99 (Platform error)"),
            ("guessed", "Error R10"),
        )
    ),
    of_dyno("documented", "error", R17[:199] + "\u2026", R17, code="R17"),
)

OTHER_PROCIDS = (
    PlatformLine("seen", "slug-compiler", "Slug compilation started", Event("build", AT_MS, "Slug compilation started", state="started")),
    PlatformLine("seen", "slugc", "Slug compilation finished", Event("build", AT_MS, "Slug compilation finished", state="succeeded")),
    ignored("guessed", "slug-compiler", "anything else", "heroku"),
    PlatformLine("tools", "heroku-postgres", f"Update DATABASE by {USER}", Event("add-on", AT_MS, "Update DATABASE", names=("DATABASE",), user=USER), "app"),
    ignored("guessed", "heroku-postgres", "checkpoint starting: time"),
    ignored("seen", "router", "at=info method=GET path=/", "heroku"),
    ignored("documented", "logplex", "Error L10 (output buffer overflow): 1 messages dropped since 2014-11-07T23:29:45+00:00.", "heroku"),
    ignored("seen", "postgres.1262692", "[DATABASE] [9-1]  sql_error_code = 28000 FATAL:  no pg_hba.conf entry"),
    # An app's own process can write whatever it likes.
    ignored("guessed", "web.1", "State changed from starting to up"),
    ignored("guessed", "web-7d9c5b8f6-x2x9k", "Error R14 (Memory quota exceeded)"),
    ignored("guessed", "web.1", "", "heroku"),
)

DYNO_LINES = (*STATES, *LIFE, *ERRORS, *OTHER_PROCIDS)
