"""What dynos and add-ons measure."""

# ruff: noqa: E501
# Lines stay as they were sent.
# fmt: off

from __future__ import annotations

from tests.support.platform_lines.forms import ignored, measured, of_addon

DYNO = "dyno=heroku.261104379.cd817c77-4f8e-4e68-b42a-3dea4e04d99c"
HEAD = f"source=web.1 {DYNO}"
LOADS = (("load_avg_1m", 2.46, ""), ("load_avg_5m", 1.06, ""), ("load_avg_15m", 0.99, ""))
MEMORY = (
    ("memory_total", 221.47, "MB"),
    ("memory_rss", 217.77, "MB"),
    ("memory_cache", 3.7, "MB"),
    ("memory_swap", 0.0, "MB"),
    ("memory_pgpgin", 149_293.0, "pages"),
    ("memory_pgpgout", 123_257.0, "pages"),
    ("memory_quota", 512.0, "MB"),
)
MEMORY_TEXT = "sample#memory_total=221.47MB sample#memory_rss=217.77MB sample#memory_cache=3.70MB sample#memory_swap=0.00MB sample#memory_pgpgin=149293pages sample#memory_pgpgout=123257pages sample#memory_quota=512.00MB"

OF_DYNOS = (
    measured("documented", f"{HEAD} sample#load_avg_1m=2.46 sample#load_avg_5m=1.06 sample#load_avg_15m=0.99", *LOADS),
    measured("documented", f"{HEAD} {MEMORY_TEXT}", *MEMORY),
    # Until 2015 there was no quota.
    measured("seen", f"{HEAD} {MEMORY_TEXT.rpartition(' ')[0]}\n", *MEMORY[:-1]),
    measured("seen", f"{HEAD} sample#load_avg_1m=0.00 sample#load_avg_5m=0.00", ("load_avg_1m", 0, ""), ("load_avg_5m", 0, "")),
    measured("seen", f"source=run.2660 {DYNO} sample#memory_total=481.50MB", ("memory_total", 481.5, "MB"), dyno="run.2660"),
    measured("guessed", f"{HEAD} {MEMORY_TEXT} sample#load_avg_1m=2.46", *MEMORY, LOADS[0]),
    measured("guessed", f"{HEAD} sample#memory_total=1.5GB", ("memory_total", 1.5, "GB"), dyno="web-7d9c5b8f6-x2x9k"),
    measured("guessed", f"{HEAD} sample#memory_total= sample#memory_rss=x sample#memory_swap=1.2.3MB sample#memory_cache=3MB", ("memory_cache", 3, "MB")),
    measured("guessed", f"{HEAD} sample#a=NaN sample#b=inf sample#c=1e999 sample#d=99999999999999999999 sample#=1 sample#e"),
    measured("guessed", "sample#a=1 sample#b=-3", ("a", 1, ""), ("b", -3, "")),
    measured("seen", "Process running mem=903M(176.1%)", ("memory_total", 903, "MB"), ("memory_quota", 512, "MB")),
    measured("documented", "Process running mem=1028MB(103.3%)", ("memory_total", 1028, "MB"), ("memory_quota", 995.16, "MB")),
    measured("guessed", "Process running mem=14500M(101.1%)", ("memory_total", 14_500, "MB"), ("memory_quota", 14_336, "MB")),
    measured("guessed", "Process running mem=100M(99999.0%)", ("memory_total", 100, "MB"), ("memory_quota", 0.1, "MB")),
    measured("guessed", "Process running mem=903M", ("memory_total", 903, "MB")),
    measured("guessed", "Process running mem=2G(200.0%)", ("memory_total", 2048, "MB"), ("memory_quota", 1024, "MB")),
    measured("guessed", "Process running mem=903M(0.0%)", ("memory_total", 903, "MB")),
)

OF_ADDONS = (
    of_addon(
        "seen",
        "heroku-postgres",
        "DATABASE",
        "postgresql-defined-24903",
        "source=DATABASE addon=postgresql-defined-24903 sample#current_transaction=122163235 sample#db_size=90755887bytes sample#tables=4 sample#active-connections=15 sample#waiting-connections=0 sample#index-cache-hit-rate=0.99997 sample#load-avg-1m=0.285 sample#read-iops=0 sample#write-iops=2.597 sample#memory-total=3944484kB sample#wal-percentage-used=0.06650",
        ("current_transaction", 122_163_235, ""),
        ("db_size", 90_755_887, "bytes"),
        ("tables", 4, ""),
        ("active-connections", 15, ""),
        ("waiting-connections", 0, ""),
        ("index-cache-hit-rate", 0.99997, ""),
        ("load-avg-1m", 0.285, ""),
        ("read-iops", 0, ""),
        ("write-iops", 2.597, ""),
        ("memory-total", 3_944_484, "kB"),
        ("wal-percentage-used", 0.0665, ""),
    ),
    of_addon(
        "seen",
        "heroku-postgres",
        "HEROKU_POSTGRESQL_PINK",
        "",
        "source=HEROKU_POSTGRESQL_PINK sample#db_size=247529644.0bytes sample#memory-total=3786332.0kB",
        ("db_size", 247_529_644, "bytes"),
        ("memory-total", 3_786_332, "kB"),
    ),
    of_addon(
        "seen",
        "heroku-redis",
        "REDIS",
        "redis-rugged-24473",
        "source=REDIS addon=redis-rugged-24473 sample#active-connections=4 sample#max-connections=18 sample#connection-percentage-used=0.22222 sample#memory-redis=5116080bytes sample#hit-rate=0.0013079 sample#evicted-keys=0",
        ("active-connections", 4, ""),
        ("max-connections", 18, ""),
        ("connection-percentage-used", 0.22222, ""),
        ("memory-redis", 5_116_080, "bytes"),
        ("hit-rate", 0.0013079, ""),
        ("evicted-keys", 0, ""),
    ),
    of_addon(
        "guessed",
        "other-addon",
        "THING",
        "thing-1",
        "source=THING addon=thing-1 sample#used=40% sample#tiny=6.4e-05 sample#big=1e+16 sample#drift=-0.5ms sample#rate=3kB/s",
        ("used", 40, "%"),
        ("tiny", 6.4e-05, ""),
        ("big", 1e16, ""),
        ("drift", -0.5, "ms"),
        ("rate", 3, "kB/s"),
    ),
    ignored("guessed", "web.1", "source=web.1 sample#memory_total=1MB"),
    ignored("guessed", "heroku-postgres", "sample#a=1"),
    ignored("guessed", "my-process", "source=x sample#a=1"),
)

SAMPLE_LINES = (*OF_DYNOS, *OF_ADDONS)
