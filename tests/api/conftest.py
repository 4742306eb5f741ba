"""The toys of these tests are a module of their own, importable here and in child processes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
