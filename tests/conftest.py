"""SIGINT as at a terminal: tests that a shell starts in the background ignore it, and so would all that they start."""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
