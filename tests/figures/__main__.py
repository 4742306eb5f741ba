"""The figures that the notes and docs quote: `make figures`, or `python -m tests.figures NAME ...` for some of them.

Each module prints one table. Nothing here is a test: times depend on the machine, which the first line names.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys

NAMES = (
    "toy",
    "strongly_convex",
    "literature",
    "svm",
    "throughput",
    "startup",
    "resume",
    "bad_input",
    "bench_overhead",
)


def main() -> int:
    names = sys.argv[1:] or NAMES
    for name in names:
        if name not in NAMES:
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
