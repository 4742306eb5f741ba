"""The toys of these tests are a module of their own, importable here and in child processes.

Tests that a shell starts in the background would ignore SIGINT, and wait for ever for what it should end.
"""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
signal.signal(signal.SIGINT, signal.default_int_handler)
