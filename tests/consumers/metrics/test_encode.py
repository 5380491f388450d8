"""Messages on the log: what is written is read back, and what is no message is refused."""

from __future__ import annotations
