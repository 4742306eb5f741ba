"""Completion as a user meets it: a real shell, the printed script, a line with the cursor at its end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from solverkit.cli.candidates import kind_of
from solverkit.cli.run import run
from solverkit.registry import registry

BIN = Path(sys.executable).parent

BASH = """
source <(solverkit completion bash)
# Only a line that is being edited can be given options of its own: here they are written down.
compopt() { printf 'option\\t%s\\n' "$*"; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_solverkit_completion solverkit
printf 'found\\t%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def folder(tmp_path):
    """Two problems, a suite, a folder, and a file that is none of them."""
    (tmp_path / "game.yaml").write_text("solverkit: 1\nkind: inclusion\nname: game\n")
    (tmp_path / "graph.yml").write_text("# a comment\nsolverkit: 1\nkind: 'dag'\n")
    (tmp_path / "model.nl").write_text("")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "with space.yaml").write_text("kind: composite\n")
    (tmp_path / "results").mkdir()
    return tmp_path


@pytest.fixture
def bash(folder):
    """What bash 4.4 or later offers after some words, and the options of the shell's own completion."""

    def complete(*words):
        done = subprocess.run(
            ["bash", "--norc", "-c", BASH, "bash", "solverkit", *words],
            cwd=folder,
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        lines = [line.split("\t", 1) for line in done.stdout.splitlines()]
        found = [text for what, text in lines if what == "found" and text]
        return found, " ".join(text for what, text in lines if what == "option")

    return complete


def test_commands(bash):
    assert bash("")[0][:2] == ["solve", "resume"]
    assert bash("de") == (["describe"], "")


def test_options_of_a_command(bash):
    found, _ = bash("solve", "game.yaml", "--max")
    assert found == ["--max-time", "--max-iter", "--max-calls"]


def test_methods_and_those_of_the_kind_of_the_file(bash):
    methods = {spec.name: spec.kind for spec in registry.methods()}
    assert set(bash("describe", "")[0]) == set(methods)
    assert set(bash("solve", "graph.yml", "--method", "")[0]) == {n for n, kind in methods.items() if kind == "dag"}
    assert bash("solve", r"with\ space.yaml", "-m", "cv")[0] == ["cvxpy-clarabel", "cvxpy-scs"]


def test_options_of_a_method(bash):
    found, shell = bash("solve", "game.yaml", "--method", "halpern", "--set", "res")
    assert found
    assert all(name.startswith("res") and name.endswith("=") for name in found)
    assert "nospace" in shell


def test_files_by_their_sort(bash):
    found, shell = bash("solve", "")
    assert set(found) == {"game.yaml", "graph.yml", "model.nl", "with space.yaml"}
    assert "plusdirs" in shell
    assert set(bash("bench", "g")[0]) == {"game.yaml", "graph.yml"}
    assert bash("report", "") == ([], "-o filenames -o dirnames")


def test_kinds_and_plugins(bash):
    assert bash("methods", "--kind", "b")[0] == ["bilevel"]
    assert bash("--plugins-only", "solverkit-dag,solverkit-h")[0] == ["solverkit-dag,solverkit-halpern"]


def test_a_broken_file_offers_every_method(bash, folder):
    (folder / "broken.yaml").write_bytes(b"\xff\x00 kind")
    assert set(bash("solve", "broken.yaml", "-m", "")[0]) == {spec.name for spec in registry.methods()}


def test_what_a_file_says_of_its_kind(folder):
    assert kind_of(str(folder / "graph.yml")) == "dag"
    assert kind_of(str(folder / "absent.yaml")) is None
    assert kind_of(str(folder / "model.nl")) is None
    assert kind_of(None) is None


def test_an_answer_imports_no_library_of_numbers(folder):
    """What makes it fast: about 0.1 s of processor time, nearly all of it Python's own start."""
    env = {**os.environ, "COMP_WORDS": "solverkit solve game.yaml -m ", "COMP_CWORD": "4"}
    env["_SOLVERKIT_COMPLETE"] = "bash_complete"
    command = [sys.executable, "-X", "importtime", "-m", "solverkit"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert "plain\thalpern\t" in done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert {"solverkit", "click"} <= imported
    assert not imported & {"numpy", "scipy", "torch", "casadi", "pydantic", "ruamel", "rich", "numba", "yaml"}


def test_an_unknown_instruction_is_refused(monkeypatch):
    monkeypatch.setenv("_SOLVERKIT_COMPLETE", "tcsh_complete")
    assert run([]) == 1


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("solverkit descr", "describe "),
        ("solverkit solve graph.yml -m not", "notears "),
        ("solverkit solve gra", "graph.yml "),
    ],
)
def test_zsh(line, found, folder):
    code = (
        "zmodload zsh/zpty\nzpty z zsh -f -i\n"
        "zpty -w z 'PS1=; autoload -U compinit; compinit -u -D; source <(solverkit completion zsh)'\n"
        f"zpty -w z 'print -r READY'\nzpty -r z out '*READY*READY*'\nzpty -w -n z '{line}'$'\\t'\n"
        "sleep 1.5\nzpty -w -n z $'\\C-a print -r -- \"<\"\\C-e\">\"\\n'\nzpty -r z out '*<*>*'\nprint -r -- $out\n"
    )
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}
    done = subprocess.run(["zsh", "-f", "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert found in done.stdout


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("solverkit descr", {"describe"}),
        ("solverkit solve graph.yml -m not", {"notears"}),
        ("solverkit solve g", {"game.yaml", "graph.yml"}),
        ("solverkit report ", {"results/"}),
    ],
)
def test_fish(line, found, folder):
    code = f"solverkit completion fish | source; complete --do-complete '{line}'"
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder / "results")}
    done = subprocess.run(["fish", "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert {row.split("\t")[0] for row in done.stdout.splitlines()} == found
