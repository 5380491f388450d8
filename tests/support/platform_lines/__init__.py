"""Sentences of the platform as they were sent, with their sources, and the fact that each tells."""

from __future__ import annotations

from tests.support.platform_lines.apps import APP_LINES
from tests.support.platform_lines.dynos import DYNO_LINES
from tests.support.platform_lines.samples import SAMPLE_LINES

LINES = (*APP_LINES, *DYNO_LINES, *SAMPLE_LINES)
