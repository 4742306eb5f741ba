"""Whatever happens, the command line ends in one message and the right code, and nothing acts on the terminal."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import click
import pytest

from solverkit.cli import main, output
from solverkit.cli.run import run
from solverkit.errors import CheckpointError, UsageError
from solverkit.plugin import CommandSpec, SolverSpec, hookimpl
from solverkit.registry import registry

HOSTILE = [
    "\x1b]0;owned\x07",
    "\x1b[31mred\x1b[0m",
    "\x9b2J",
    "a\rb",
    "a\x00b",
    "\u202egnp.exe",
    "\u2066x",
    "\x08\x08rm",
    "\x7f",
    "[link=file:///etc/passwd]x[/link]",
]
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@click.command()
@click.argument("what")
def fails(what):
    """Raise what the test asks for."""
    if what == "pipe":
        raise BrokenPipeError
    errors = {
        "usage": UsageError("first line\n\x1b[2Jsecond"),
        "checkpoint": CheckpointError("damaged"),
        "bug": ZeroDivisionError("\x1b]0;x\x07"),
        "interrupt": KeyboardInterrupt(),
        "abort": click.Abort(),
    }
    raise errors[what]


not_a_command = 3


class Plugin:
    """Commands of a plugin, and a method with hostile texts."""

    @hookimpl
    def solverkit_commands(self):
        return [
            CommandSpec("fails", "Fail \x1b[31mred.", f"{__name__}:fails"),
            CommandSpec("wrong", "Not a command.", f"{__name__}:not_a_command"),
            CommandSpec("absent", "Not there.", f"{__name__}:nothing"),
        ]

    @hookimpl
    def solverkit_solvers(self):
        text = " ".join(HOSTILE)
        return [SolverSpec("hostile", "bilevel", text, "a:B", f"{__name__}:Opts", paper=text, pays=text, avoid=text)]


@pytest.fixture
def plugin(monkeypatch):
    """The plugin, registered for one test; its targets are in this module."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules[fails.callback.__module__])
    with registry.using(Plugin(), "cli"):
        yield


@pytest.mark.parametrize(
    ("what", "code", "text"),
    [
        ("usage", 2, "solverkit: first line\n?[2Jsecond\n"),
        ("checkpoint", 2, "solverkit: damaged\n"),
        ("bug", 1, "solverkit: internal error: ZeroDivisionError: ?]0;x?\n"),
        ("interrupt", 130, "interrupted"),
        ("abort", 130, "interrupted"),
    ],
)
def test_errors_end_in_a_message_and_a_code(plugin, capsys, what, code, text):
    assert run(["fails", what]) == code
    out, err = capsys.readouterr()
    assert text in err
    assert "Traceback" not in err
    assert out == ""
    assert not ACTS.search(err)


def test_a_bug_shows_its_traceback_where_it_is_asked_for(plugin, monkeypatch):
    monkeypatch.setenv("SOLVERKIT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(["fails", "bug"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["slove"], "no command 'slove' (did you mean 'solve'?)"),
        (["\x1b[31m"], "no command '?[31m'"),
        (["solve"], "Missing argument 'FILE'"),
        (["solve", "\x1b]0;x\x07.yaml"], "?]0;x?.yaml does not exist"),
        (["solve", "."], ". is a folder"),
        (["solve", "x", "--no-such"], "No such option"),
        (["describe", "\x1b[2J"], "unknown method '?[2J'"),
        (["methods", "--kind", "sudoku"], "no methods for kind 'sudoku'"),
        (["resume", "nowhere"], "nowhere is not a folder"),
        (["verify", "nowhere", "x"], "nowhere is not a folder"),
        (["--plugins-only", " ", "methods"], "name at least one plugin"),
        (["wrong"], "is no click command"),
        (["absent"], "cannot load"),
    ],
)
def test_usage_errors(plugin, capsys, arguments, text):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert text in err
    assert "Traceback" not in err
    assert out == ""
    assert not ACTS.search(err)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["methods"], ["methods", "--json"], ["plugins"], ["plugins", "--json"]]
)
def test_hostile_texts_are_shown_and_do_not_act(plugin, capsys, arguments):
    assert run(arguments) == 0
    out, _ = capsys.readouterr()
    assert out
    assert not ACTS.search(out)


def test_plugin_commands_come_last_in_help(plugin, capsys):
    assert run(["--help"]) == 0
    out, _ = capsys.readouterr()
    assert re.search(r"fails +Fail \?\[31mred\.", out)
    assert out.index("doctor") < out.index("absent")


def test_the_allow_list_ends_with_the_call(capsys):
    assert run(["--plugins-only", "nobody-at-all", "plugins"]) == 0
    assert "no such plugin is installed" in " ".join(capsys.readouterr().out.split())
    assert run(["plugins"]) == 0
    assert "nobody-at-all" not in capsys.readouterr().out


def test_doctor_names_what_is_missing(capsys):
    code = run(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == (2 if found["attention"] else 0)
    assert found["system"]["python"].startswith(sys.version.split()[0])
    assert set(found) == {"system", "packages", "devices", "threads", "plugins", "attention"}


def test_doctor_sees_a_second_core_and_a_cache_that_cannot_be_kept(capsys, monkeypatch, tmp_path):
    (tmp_path / "solverkit").mkdir()
    (tmp_path / "solverkit" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("solverkit.kernels.cacheable", lambda _: False)
    assert run(["doctor", "--json"]) == 2
    attention = json.loads(capsys.readouterr().out)["attention"]
    assert any(f"another solverkit at {tmp_path / 'solverkit'}" in line for line in attention)
    assert any("NUMBA_CACHE_DIR" in line for line in attention)


def test_doctor_of_the_core_alone_names_the_distributions(capsys):
    assert run(["--plugins-only", "nobody-at-all", "doctor", "--json"]) == 2
    attention = json.loads(capsys.readouterr().out)["attention"]
    assert any("no method is installed: pip install" in line and "solverkit-halpern" in line for line in attention)


# -- output


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("text", ["word " * 60, *HOSTILE, "", "long" * 40])
def test_pairs_and_tables_stay_within_the_line(capsys, monkeypatch, columns, text):
    monkeypatch.setenv("COLUMNS", str(columns))
    output.pairs([("name", text), ("a-long-name-of-an-option", text)])
    output.table(("condition", "value", "tolerance"), [(text, "1.0e+00", "1e-6"), ("short", "2", "3")])
    lines = capsys.readouterr().out.splitlines()
    assert not any(ACTS.search(line) for line in lines)
    if max(map(len, text.split()), default=0) < 12:  # words are not torn: a path has to be copied
        assert max(map(len, lines)) <= columns


def test_json_has_no_numbers_that_json_lacks(capsys):
    output.as_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": "\x1b[31m\u202e"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": "\x1b[31m\u202e"}
    assert not ACTS.search(text)


# -- processes


def test_a_closed_pipe_is_silent():
    python = shlex.quote(sys.executable)
    code = f"{python} -c 'import time; time.sleep(0.3)'"
    command = f"({code}; exec {python} -m solverkit --help) | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_terminal_without_unicode_is_no_reason_to_fail(tmp_path):
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    arguments = [sys.executable, "-m", "solverkit", "solve", "größe.yaml"]
    done = subprocess.run(arguments, env=env, capture_output=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2
    assert b"does not exist" in done.stderr


def test_ctrl_c_before_any_work_is_130():
    code = (
        "import time\nfrom solverkit.cli import run\nrun.app.invoke = lambda context: time.sleep(30)\n"
        "print('up', flush=True)\nraise SystemExit(run.run(['plugins']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "solverkit: interrupted\n"


def test_the_shell_can_ask_for_completions():
    env = {**os.environ, "_SOLVERKIT_COMPLETE": "bash_complete", "COMP_WORDS": "solverkit desc", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-m", "solverkit"], env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout == "plain\tdescribe\tExplain a method: what it needs, when it pays, its options.\n"


@pytest.mark.parametrize("name", ["model.lp", "model.MPS", "problem.yaml"])
def test_describe_of_a_file_says_which_command_is_meant(name, capsys):
    assert run(["describe", name]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"solverkit methods --for {name}" in said
    assert f"solverkit check {name}" in said


class Importing:
    """Stands for a module whose import Ctrl-C ends."""

    def __getattr__(self, name):
        raise KeyboardInterrupt


def test_ctrl_c_during_imports_is_no_traceback(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "solverkit.cli.run", Importing())
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    former = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as end:
            main()
    finally:
        signal.signal(signal.SIGINT, former)
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "solverkit: interrupted\n")
