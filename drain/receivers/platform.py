"""Which messages the platform itself has sent: releases, states of dynos, measured values. Pure.

By APP-NAME and PROCID, as `heroku logs` shows them in `app[web.1]:`. Seen in logs that people published:
`heroku[web.1]` and `heroku[run.7699]` say what happens to a dyno, `app[api]` (until about 2016 `heroku[api]`)
what people do, `app[heroku-postgres]`, `app[heroku-redis]` and the like what an add-on measures, and
sometimes what it does (`Update DATABASE by ...`). Whether other add-ons send the same form under a name of
their own is not known, so their samples are known by their text.
"""

from __future__ import annotations

import re

PLATFORM = "heroku"
APP = "app"
API = "api"
HEROKU_ADD_ON = "heroku-"

# A dyno of Fir, such as `web-7d9c5b8f6-x2x9k`; all others have a dot, `web.1`.
_FIR_DYNO = re.compile(r".+-[a-z0-9]{6,10}-[a-z0-9]{5}")


def is_own_output(procid: str, known: set[str]) -> bool:
    """Whether messages of APP-NAME `app` with this PROCID are all the app's own output, because it is a
    dyno's. `known` collects these: nearly every message of a body is of one of them."""
    if "." in procid or (not procid.startswith(HEROKU_ADD_ON) and _FIR_DYNO.fullmatch(procid)):
        known.add(procid)
        return True
    return False


def is_of_platform(app: str, procid: str, text: str) -> bool:
    """Whether the platform has sent a message, with this text, that is neither a dyno's own output, nor the
    router's, nor a notice.

    An add-on other than Heroku's own is known by what all samples of Heroku's have (l2met's convention):
    an app itself could say the same only under a PROCID that is no dyno's.
    """
    if app == PLATFORM:
        return procid != "" and procid.isascii()
    if app != APP or not procid.isascii():
        return False
    return (
        procid == API
        or procid.startswith(HEROKU_ADD_ON)
        or (text.startswith("source=") and " sample#" in text)
    )
