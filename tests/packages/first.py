"""From an empty folder to a first certified answer: the lines of the docs' page, run as they stand, and timed."""

from __future__ import annotations

import os
import re
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.packages.distributions import CORE, DIST, PLUGINS, ROOT
from tests.packages.environment import CONSTRAINTS, Environment, folder

PAGE = ROOT / "docs" / "how-to" / "install.md"
NAMES = {"python": "first.py", "yaml": "first.yaml", "text": "first.mps"}


@dataclass(frozen=True)
class Way:
    """One section of the page."""

    title: str
    files: dict[str, str]  # name -> content
    lines: list[str]  # of the console, in order


def ways() -> list[Way]:
    """The sections whose title begins with "For users of"."""
    found = []
    for title, text in re.findall(
        r"^## (For users of .+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    ):
        blocks = re.findall(r"(?ms)^```(\w+)\n(.*?)^```", text)
        files = {NAMES[language]: block for language, block in blocks if language in NAMES}
        lines = [
            line for language, block in blocks if language == "console" for line in re.findall(r"^\$ (.+)", block, re.M)
        ]
        found.append(Way(title, files, lines))
    return found


def answers(say: Callable[[str], None]) -> None:
    """Time and commands from an empty folder to a first certified answer, by Python and by the command line."""
    for way in ways():
        with folder() as place:
            env = Environment(place)
            ours = "".join(f"{each.name}=={each.project['version']}\n" for each in (CORE, *PLUGINS))
            limits = place / "constraints.txt"
            limits.write_text(CONSTRAINTS.read_text() + ours)
            found = {
                "PIP_CONSTRAINT": limits.as_uri(),
                "PIP_FIND_LINKS": f"{os.environ.get('PIP_FIND_LINKS', '')} {DIST.as_uri()}",
                "PIP_ONLY_BINARY": ":all:",
                "PIP_QUIET": "2",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            }
            for name, content in way.files.items():
                (place / name).write_text(content)
            seconds = {"install": 0.0, "Python": 0.0, "command line": 0.0}
            for commands, line in enumerate(way.lines, start=1):
                begun = time.perf_counter()
                done = subprocess.run(
                    ["bash", "-c", line],
                    cwd=place,
                    env=env.variables(**found),
                    capture_output=True,
                    text=True,
                )
                took = time.perf_counter() - begun
                assert done.returncode == 0, f"{line}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
                kind = _kind(line)
                seconds[kind] += took
                if kind == "install":
                    _is_ours(place)
                if kind != "install" and " -c " not in line:
                    assert "CERTIFIED" in done.stdout, done.stdout
                    say(f"{way.title}: by {kind} after {commands} commands: {_words(seconds)}")


def _is_ours(place: Path) -> None:
    """What pip installed is what was built here, and no stranger of the same name and version."""
    with zipfile.ZipFile(CORE.wheel) as wheel:
        for installed in place.glob("venv/lib/python*/site-packages/solverkit/registry/builtin.py"):
            assert installed.read_bytes() == wheel.read("solverkit/registry/builtin.py")


def _kind(line: str) -> str:
    if "pip install" in line or "-m venv" in line:
        return "install"
    return "Python" if "bin/python first.py" in line else "command line"


def _words(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items() if value)
