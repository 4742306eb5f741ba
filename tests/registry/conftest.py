"""A folder of fake installed distributions, looked at by a Python of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

GOOD = """
from solverkit.plugin import SolverSpec, hookimpl

@hookimpl
def solverkit_solvers():
    return [SolverSpec({name!r}, "bilevel", "One sentence.", "{module}_method:Method", "{module}_method:Opts"{more})]
"""


class Site:
    """Distributions as pip leaves them: a dist-info folder and a module each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.distribution("solverkit", "0.1.0", requires=None)

    def distribution(
        self,
        name: str,
        version: str = "1.0",
        requires: str | None = "solverkit>=0.1,<1",
        entry: str = "",
        code: str | None = None,
        suffix: str = "dist-info",
    ) -> str:
        """Install one; `entry` is its entry point's name, `code` the text of its module. Returns the module's name."""
        module = name.replace("-", "_")
        info = self.folder / f"{module}-{version}.{suffix}"
        info.mkdir(parents=True)
        header = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        header += f"Requires-Dist: {requires}\n" if requires is not None else ""
        (info / ("METADATA" if suffix == "dist-info" else "PKG-INFO")).write_text(header + "\nA description: long.\n")
        if entry:
            lines = f"[console_scripts]\n{entry} = os:getcwd\n\n[solverkit]\n{entry} = {module}\n"
            (info / "entry_points.txt").write_text(lines)
        if code is not None:
            (self.folder / f"{module}.py").write_text(code)
        return module

    def good(self, name: str, method: str, more: str = "", **keywords: Any) -> str:
        """A plugin that works, with one bilevel method."""
        code = GOOD.format(name=method, module=name.replace("-", "_"), more=more)
        return self.distribution(name, entry=name.removeprefix("solverkit-"), code=code, **keywords)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Python with these arguments, seeing the site."""
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        env = {**os.environ, "PYTHONPATH": path, "COLUMNS": "80", **environment}
        command, pipe = [sys.executable, *arguments], subprocess.PIPE
        return subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True, cwd=self.folder)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The same, waited for."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def methods(self, **environment: str) -> list[str]:
        """Names of the methods that come from this site, whatever else is installed."""
        mine = f"r.origin(m).file.startswith({os.fspath(self.folder)!r})"
        return self.ask(f"[m.name for m in r.methods() if {mine}]", **environment)

    def ask(self, expression: str, **environment: str) -> Any:
        """The JSON value of an expression of `r`, the registry of a fresh Python."""
        code = (
            "import json, sys\nfrom solverkit.errors import SolverKitError\n"
            "from solverkit.registry import registry as r\n"
            "def error(call):\n"
            "    try: return ['no error', str(call())]\n"
            "    except SolverKitError as e: return [type(e).__name__, str(e)]\n"
            f"print(json.dumps({expression}))"
        )
        done = self.run("-c", code, **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def plugins(self, **environment: str) -> dict[str, dict[str, Any]]:
        """The plugins of a fresh Python by distribution."""
        fields = (
            "dict(status=p.status, error=p.error, remedy=p.remedy, methods=p.methods, file=p.file, version=p.version)"
        )
        return self.ask(f"{{p.distribution or p.name: {fields} for p in r.plugins()}}", **environment)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty site, but for the core."""
    return Site(tmp_path / "site")
