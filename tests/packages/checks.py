"""What must hold in each environment: one function a step of `python -m tests.packages`."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.packages.distributions import CORE, DIST, EXAMPLES, PLUGINS, ROOT, Distribution, build, defects
from tests.packages.environment import EVERYTHING, TEST_PACKAGES, Environment, environment, with_extras

Say = Callable[[str], None]

PROBLEMS = {
    "solverkit-baselines": "nonlinear/hs71",
    "solverkit-bilevel": "bilevel/bard-1988-ex1",
    "solverkit-dag": "dag/gram-d10",
    "solverkit-halpern": "inclusion/rock-paper-scissors",
    "solverkit-sketched-newton": "nonlinear/hs71",
    "solverkit-sliding": "composite/fused-lasso",
    "solverkit-sor": "linear-sequence/spring-chain",
}
"""A problem for each plugin that it solves by default."""

KINDS = ("bilevel", "composite", "dag", "inclusion", "linear-sequence", "nonlinear")
"""Kinds for which a plugin is generated."""

NEEDED = {
    "solverkit-baselines": ("casadi",),
    "solverkit-sketched-newton": ("casadi",),
    "solverkit-sliding": ("casadi",),
}
"""Optional packages without which the plugin solves nothing of the repository's own problems."""


def contents(say: Say) -> None:
    """Build all distributions, and look into them."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir(parents=True)
    found = []
    for distribution in (*EVERYTHING, *EXAMPLES):
        build(distribution)
        found += [f"{distribution.name}: {defect}" for defect in defects(distribution)]
        size = distribution.wheel.stat().st_size / 1024
        say(f"{distribution.wheel.name}: {size:.0f} KB")
    assert not found, "\n".join(found)


def core(say: Say) -> None:
    """The core alone: it starts, says what is missing, and its own tests pass or are skipped by name."""
    with environment(CORE, *TEST_PACKAGES) as env:
        assert env.run("solverkit", "--version").stdout.split()[-1] == CORE.project["version"]
        env.run("solverkit", "--help")
        env.run("python", "-m", "pip", "check")
        assert "No methods are installed" in env.run("solverkit", "methods").stdout
        said = env.run("solverkit", "solve", _copied(env, "inclusion/rock-paper-scissors"), code=2).stderr
        assert "pip install solverkit-halpern" in _line(said), said
        env.lay_out()
        say(env.test("tests"))


def plugins(say: Say) -> None:
    """The core and one plugin, for each: a certified answer, the plugin's own tests, and nothing left behind."""
    with environment(CORE, *TEST_PACKAGES) as env:
        before = env.frozen()
        env.lay_out()
        for plugin in PLUGINS:
            seconds = env.install(plugin, *NEEDED.get(plugin.name, ()))
            env.run("python", "-m", "pip", "check")
            answer = json.loads(env.run("solverkit", "solve", _copied(env, PROBLEMS[plugin.name]), "--json").stdout)
            assert answer["point_status"] == "CERTIFIED", answer
            listed = json.loads(env.run("solverkit", "plugins", "--json").stdout)
            assert {record["distribution"] for record in listed} == {plugin.name}, listed
            assert plugin.project["version"] in str(listed)
            tests = env.test(f"plugins/{plugin.folder.name}/tests")
            say(f"{plugin.name}: installed in {seconds:.0f} s, {answer['method']} certified; {tests}")
            env.uninstall(sorted(env.frozen() - before))
            assert "No methods are installed" in env.run("solverkit", "methods").stdout


def everything(say: Say) -> None:
    """All distributions with their extras: the whole suite."""
    with environment() as env:
        seconds = env.install(*(with_extras(each) for each in EVERYTHING), *TEST_PACKAGES)
        env.run("python", "-m", "pip", "check")
        said = env.run("solverkit", "doctor", code=2).stdout.partition("attention")[2]
        assert set(re.findall(r"pip install (\S+)", said)) == {"causal-learn", "dagma"}, said  # see `with_extras`
        methods = json.loads(env.run("solverkit", "methods", "--json").stdout)
        say(f"installed in {seconds:.0f} s, {len(methods)} methods")
        env.lay_out()
        say(env.test("tests", "plugins"))


def doctor(say: Say) -> None:
    """What is missing or broken in an installation, and what the user is told."""
    with environment(CORE) as env:
        said = _line(env.run("solverkit", "doctor", code=2).stdout)
        assert "no method is installed: pip install one or more of solverkit-baselines" in said, said
        site = next((env.folder / "venv" / "lib").glob("python*/site-packages"))
        for plugin in PLUGINS:
            env.run("python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(plugin.wheel))
        _plugin(site, "its-core-is-old", "import solverkit", requires="solverkit>=99")
        _plugin(site, "broken", "import no_such_library")
        shutil.copytree(site / "solverkit", env.folder / "other" / "solverkit")
        said = _line(env.run("solverkit", "doctor", code=2, PYTHONPATH=str(env.folder / "other")).stdout)
        for text in (
            "method sor-tuner needs numba: pip install numba",
            "method ipopt needs casadi: pip install casadi",
            "plugin its-core-is-old 1: it needs solverkit >=99, and this is",
            "plugin broken 1: it cannot be imported: ModuleNotFoundError",
            "and there is another solverkit at",
        ):
            assert text in said, f"{text}: {said}"
            say(f"doctor: {text}")
        chain = _copied(env, "linear-sequence/spring-chain")
        said = _line(env.run("solverkit", "solve", chain, "--method", "sor-tuner", code=2).stderr)
        assert "pip install numba" in said, said
        env.install("casadi", "numba")
        env.uninstall(["solverkit-bilevel"])
        file = _copied(env, "bilevel/bard-1988-ex1")
        said = _line(env.run("solverkit", "solve", file, "--method", "lv-hba", code=2).stderr)
        assert "comes with solverkit-bilevel. Run: pip install solverkit-bilevel" in said, said
        say(f"solve: {said}")
        _read_only(env, say)


def _read_only(env: Environment, say: Say) -> None:
    """A user who can write neither to the installation nor to a home folder."""
    home = env.folder / "home"
    home.mkdir()
    for place in (home, *(env.folder / "venv").rglob("*")):
        if not place.is_symlink():
            place.chmod(place.stat().st_mode & ~0o222)
    unprivileged = ("setpriv", "--inh-caps=-all", "--bounding-set=-all") if os.geteuid() == 0 else ()
    said = _line(env.run("solverkit", "doctor", code=2, prefix=unprivileged, HOME=str(home)).stdout)
    assert "set NUMBA_CACHE_DIR" in said, said
    line = ("solve", _copied(env, "linear-sequence/spring-chain"), "--method", "sor-tuner", "--json")
    answer = env.run("solverkit", *line, prefix=unprivileged, HOME=str(home)).stdout
    assert json.loads(answer)["point_status"] == "CERTIFIED"
    say("a read-only installation and home: certified, and doctor names NUMBA_CACHE_DIR")


def _plugin(site: Path, name: str, code: str, requires: str = "solverkit>=0.1") -> None:
    """A distribution of one module, as pip would have laid it down."""
    module = name.replace("-", "_")
    (site / f"{module}.py").write_text(code)
    info = site / f"{module}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\nRequires-Dist: {requires}\n")
    (info / "entry_points.txt").write_text(f"[solverkit]\n{name} = {module}\n")


def written(say: Say) -> None:
    """A generated plugin and the examples of the docs: built, installed, tested unmodified, used, removed."""
    with environment(with_extras(CORE, "casadi"), "setuptools>=77", *TEST_PACKAGES) as env:
        for kind in KINDS:
            name = f"mine-{kind}"
            env.run("solverkit", "new-plugin", name, "--kind", kind, "--out", str(env.folder / "written"))
            _third_party(env, Distribution(_folder_of(env.folder / "written", name)), say)
        for example in EXAMPLES:
            _third_party(env, example, say)
        _third_party(env, _tutorial(env.folder / "tutorial"), say)


def _tutorial(folder: Path) -> Distribution:
    """The package that a reader of the tutorial has made."""
    folder.mkdir()
    text = (ROOT / "docs" / "tutorial" / "plugin.md").read_text()
    blocks = re.findall(r"(?ms)^```(?:toml|py|yaml)\n(.*?)^```", text)
    assert sum(len(block.strip().splitlines()) for block in blocks[:3]) < 80
    names = ("pyproject.toml", "barzilai_options.py", "barzilai.py", "problem.yaml", "test_barzilai.py")
    for name, block in zip(names, blocks, strict=True):
        (folder / name).write_text(block)
    return Distribution(folder)


def _third_party(env: Environment, plugin: Distribution, say: Say) -> None:
    """One plugin's life in an environment that has only the core; the examples that it needs come with it."""
    before = env.frozen()
    wheels = env.folder / "wheels" / plugin.name
    asked = str(plugin.project)
    needed = [example.folder for example in EXAMPLES if example.name in asked and example.name != plugin.name]
    for folder in (*needed, plugin.folder):
        copy = env.folder / "built" / folder.name  # setuptools leaves its own files where it builds
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        line = ("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(copy))
        env.run("python", "-m", "pip", *line)
    env.install(*map(str, wheels.glob("*.whl")))
    env.run("python", "-m", "pip", "check")
    listed = {each["distribution"]: each for each in json.loads(env.run("solverkit", "plugins", "--json").stdout)}
    assert listed[plugin.name]["status"] == "ok", listed
    tests = env.run("python", "-m", "pytest", cwd=plugin.folder).stdout.strip().splitlines()[-1].strip("= ")
    solved = []
    for file in sorted(plugin.folder.rglob("problem*.yaml")):
        answer = json.loads(env.run("solverkit", "solve", str(file), "--json").stdout)
        assert answer["point_status"] == "CERTIFIED", answer
        solved.append(answer["method"])
    env.uninstall(sorted(env.frozen() - before))
    assert plugin.name not in env.run("solverkit", "plugins", "--json").stdout
    say(f"{plugin.name}: {tests}; certified by {', '.join(solved) or 'nothing to solve'}; gone after pip uninstall")


def _copied(env: Environment, problem: str) -> str:
    """The path of a copy of a shipped problem."""
    place = env.folder / "problems" / problem
    if not place.exists():
        shutil.copytree(ROOT / "problems" / problem, place)
    return str(place / "problem.yaml")


def _folder_of(out: Path, name: str) -> Path:
    """Where the generated project lies."""
    return next(path.parent for path in out.rglob("pyproject.toml") if name in path.parent.name)


def _line(text: str) -> str:
    """Text as one line, however it was wrapped."""
    return " ".join(text.split())
