"""The figures that the notes and docs quote: `make figures`, or `python -m tests.figures NAME ...` for some of them.

A name is a module here, or a folder of them.

Each module prints one table. Nothing here is a test: times depend on the machine, which the first line names.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = tuple(
    ".".join(path.relative_to(HERE).with_suffix("").parts)
    for path in sorted(HERE.rglob("*.py"))
    if not path.name.startswith("_") and "\ndef main(" in path.read_text()
)
"""Every module below this folder that has a `main`: `toy`, `nonlinear.rates`, ..."""


def main() -> int:
    asked = sys.argv[1:]
    names = [name for name in NAMES if not asked or name in asked or name.split(".")[0] in asked]
    for name in asked:
        if name not in NAMES and not any(known.startswith(f"{name}.") for known in NAMES):
            print(f"no figure {name!r} (figures here: {', '.join(NAMES)})", file=sys.stderr)
            return 2
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in names:
        module = importlib.import_module(f"tests.figures.{name}")
        print(f"\n## {name}: {(module.__doc__ or '').splitlines()[0]}\n", flush=True)
        module.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
