"""What the API says about an app."""

# ruff: noqa: E501
# Lines stay as they were sent.
# fmt: off

from __future__ import annotations

from tests.support.platform_lines.forms import USER, ignored, of_app

OLD_USER = "m@example.com"
SHA = "0123456789abcdef0123456789abcdef01234567"
FAILED = "Build failed -- check your build output: https://dashboard.heroku.com/apps/85ff57a3-3ac1-4bea-b9af-39de1c96f208/activity/builds/16091d3a"
PROVISIONED = "@ref:postgresql-flat-02648 completed provisioning, setting DATABASE_URL."

RELEASES = (
    of_app("seen", "release", "Release v48 created", version=48),
    of_app("seen", "release", "Release v1 created", version=1),
    of_app("documented", "release", "Release v1 created", f"Release v1 created by {OLD_USER}", version=1, user=OLD_USER),
    *(
        of_app("guessed", "release", "Release v48 created", f"Release v48 created{by}", version=48)
        for by in (" by user", " by user ", " by", "")
    ),
    of_app("guessed", "release", "Release v48 created", "Release v48 created by user ****", version=48, user="****"),
    of_app("seen", "command", "Running release v3 commands", version=3, state="started"),
    of_app("seen", "command", "Running release v5 commands", f"Running release v5 commands by {OLD_USER}", version=5, state="started", user=OLD_USER),
    of_app("seen", "command", "Release v3 command failed", version=3, state="failed"),
    of_app("guessed", "command", "Release v3 command succeeded", version=3, state="succeeded"),
)

CAUSES = (
    of_app("seen", "deploy", "Deploy 9154a1d2", commit="9154a1d2"),
    of_app("documented", "deploy", "Deploy de63889", commit="de63889"),
    of_app("seen", "deploy", "Deploy 6933f9b", f"Deploy 6933f9b by {OLD_USER}", commit="6933f9b", user=OLD_USER),
    of_app("guessed", "deploy", "Deploy 6933f9b", "Deploy 6933f9b by user", commit="6933f9b"),
    of_app("guessed", "deploy", f"Deploy {SHA}", commit=SHA),
    of_app("seen", "deploy", "Deploy 0.0.1-SNAPSHOT"),
    of_app("seen", "deploy", "Deployed web (85aa64b988cf)"),
    of_app("guessed", "deploy", "Deployed web, worker (85aa64b988cf, 2ef8bad7ccfa)"),
    of_app("documented", "deploy", "Promote shop-staging v44 06a1a1f1", commit="06a1a1f1"),
    of_app("seen", "rollback", "Rollback to v7", version=7),
    of_app("seen", "config", "Set CRON_ENABLED config vars", names=("CRON_ENABLED",)),
    of_app("seen", "config", "Set LANG, RACK_ENV, SECRET_KEY_BASE config vars", names=("LANG", "RACK_ENV", "SECRET_KEY_BASE")),
    of_app("seen", "config", "Set NODE_ENV config vars", f"Set NODE_ENV config vars by {OLD_USER}", names=("NODE_ENV",), user=OLD_USER),
    of_app("seen", "config", "Remove FOO config vars", names=("FOO",)),
    of_app("guessed", "config", "Set FOO config vars", "Set FOO config var by user", names=("FOO",)),
    of_app("guessed", "config", "Unset FOO config vars", names=("FOO",)),
    of_app("documented", "config", "Add EXAMPLE config vars", f"Config add EXAMPLE by {OLD_USER}", names=("EXAMPLE",), user=OLD_USER),
    of_app("guessed", "config", "Set FOO, BAR config vars", "Set FOO=secret, BAR=hunter2 config vars by user", names=("FOO", "BAR")),
    of_app("seen", "add-on", "Attach DATABASE (@ref:postgresql-flat-02648)", names=("DATABASE", "postgresql-flat-02648")),
    of_app("tools", "add-on", "Detach LOGDNA (@ref:logdna-deep-31633)", names=("LOGDNA", "logdna-deep-31633")),
    of_app("tools", "add-on", "Update DATABASE2_URL", names=("DATABASE2_URL",)),
    of_app("seen", "add-on", PROVISIONED, names=("postgresql-flat-02648", "DATABASE_URL")),
    of_app("tools", "add-on", "@ref:searchbox-tapered-14398 completed provisioning", names=("searchbox-tapered-14398",)),
    of_app("guessed", "add-on", "Provisioning addon heroku-redis"),
    of_app("guessed", "add-on", "Promote DATABASE", names=("DATABASE",)),
    of_app("guessed", "add-on", "Add heroku-postgresql:dev add-on"),
)

OTHERS = (
    of_app("seen", "scale", "Scaled to web@3:Performance-L mailer@1:Standard-2X", names=("web@3:Performance-L", "mailer@1:Standard-2X")),
    of_app("seen", "scale", "Scaled to web@0:Free", names=("web@0:Free",)),
    of_app("seen", "scale", "Scale to clock=1, web=3", f"Scale to clock=1, web=3 by {OLD_USER}", names=("clock=1", "web=3"), user=OLD_USER),
    of_app("seen", "scale", "Scaling dynos mailer=1 web=3", "Scaling dynos mailer=1 web=3 by foo@bar", names=("mailer=1", "web=3"), user="foo@bar"),
    of_app("seen", "build", "Build started", state="started"),
    of_app("seen", "build", "Build succeeded", "Build succeeded", state="succeeded"),
    of_app("seen", "build", FAILED, FAILED, state="failed"),
    of_app("guessed", "build", "Build failed", state="failed"),
    of_app("seen", "other", "Initial release"),
    of_app("seen", "other", "Enable Logplex"),
    of_app("seen", "other", "Upgrade stack to heroku-20"),
    of_app("seen", "other", "Stack changed from heroku-22 to heroku-20"),
    *(
        of_app("guessed", "other", text)
        for text in (
            "Maintenance mode on",
            "Add domain www.example.com",
            "Remove domain www.example.com",
            "Transfer app to team-a",
            "Restart web.1",
            "Update buildpacks",
            "Scaled to nothing that is known",
            "Build canceled",
            "Release something else",
        )
    ),
)

NOT_KEPT = (
    ignored("seen", "api", f"Starting process with command `bundle exec rake db:migrate TOKEN=x` by user {USER}"),
    ignored("seen", "api", f"Starting process with command `/bin/sh -c 'if curl $URL; then\n chmod u+x\nfi'` by user {USER}"),
    ignored("seen", "api", "chmod u+x /tmp/log-stream"),
    ignored("seen", "api", "/tmp/log-stream /bin/sh -c 'python manage.py db upgrade'"),
    ignored("seen", "api", f"fi'` by user {USER}"),
    ignored("guessed", "api", "DATABASE_URL=postgres://u:p@h/d rake db:migrate"),
    ignored("seen", "api", f"Log session created by user {USER}"),
    ignored("guessed", "api", ""),
)

APP_LINES = (*RELEASES, *CAUSES, *OTHERS, *NOT_KEPT)
