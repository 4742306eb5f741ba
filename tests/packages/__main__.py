"""`python -m tests.packages [STEP ...]`: what was found, a line each; exit code 1 where a step fails."""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
import time

from tests.packages import checks, first
from tests.packages.distributions import ROOT

STEPS = {
    "contents": checks.contents,
    "core": checks.core,
    "plugins": checks.plugins,
    "everything": checks.everything,
    "doctor": checks.doctor,
    "written": checks.written,
    "first": first.answers,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.packages", description=__doc__)
    parser.add_argument("steps", nargs="*", choices=[*STEPS, []], metavar="STEP", help=", ".join(STEPS))
    asked = parser.parse_args().steps or list(STEPS)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests of Ctrl-C run below, from a background job too
    (ROOT / "build").mkdir(exist_ok=True)
    lock = (ROOT / "build" / "packages.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # another run of this waits: both write build/dist
    failed = 0
    for name in dict.fromkeys(["contents", *asked]):
        print(f"{name}: {(STEPS[name].__doc__ or '').splitlines()[0]}", flush=True)
        begun = time.perf_counter()
        try:
            STEPS[name](lambda text: print(f"  {text}", flush=True))
        except AssertionError as error:
            print(f"  FAILED: {error}", flush=True)
            failed += 1
        print(f"  {time.perf_counter() - begun:.0f} s", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
