"""Plugins as they are installed: found, refused with a sentence, and never in each other's way."""

from __future__ import annotations

import pytest

BAD_RECORDS = {
    "api": ('SolverSpec("m", "bilevel", "s", "a:B", "a:C", api=2)', "another plugin API (2; this core has 1)"),
    "old": ('SolverSpec("m", "bilevel", "s", "a:B", "a:C", api=0)', "an older plugin API (0; this core has 1)"),
    "name": (r'SolverSpec("m\x1b[31m", "bilevel", "s", "a:B", "a:C")', "a name is letters, digits"),
    "target": ('SolverSpec("m", "bilevel", "s", "a.B", "a:C")', "write 'package.module:Name'"),
    "requires": ('SolverSpec("m", "bilevel", "s", "a:B", "a:C", requires="hvp")', "a tuple of strings"),
    "summary": ('SolverSpec("m", "bilevel", None, "a:B", "a:C")', "summary is NoneType, a string is wanted"),
    "type": ('"m"', "returned a str instead of a SolverSpec"),
    "twice": ('*[SolverSpec("m", "bilevel", "s", "a:B", "a:C")] * 2', "is there twice"),
}

BROKEN = {
    "import": ("import no_such_library_at_all", "cannot be imported", "ModuleNotFoundError"),
    "syntax": ("def (", "SyntaxError", ""),
    "exit": ("raise SystemExit(3)", "SystemExit", ""),
    "hooks": ("def solverkit_solvers(): return []", "it implements no hook", "@hookimpl"),
    "typo": (
        "from solverkit.plugin import hookimpl\n@hookimpl\ndef solverkit_solver(): return []",
        "no hook is called 'solverkit_solver'",
        "solverkit_solvers",
    ),
    "argument": (
        "from solverkit.plugin import hookimpl\n@hookimpl\ndef solverkit_solvers(config): return []",
        "PluginValidationError",
        "config",
    ),
    "none": (
        "from solverkit.plugin import hookimpl\n@hookimpl\ndef solverkit_solvers(): return 3",
        "returned int",
        "",
    ),
    "raises": (
        "from solverkit.plugin import hookimpl\n@hookimpl\ndef solverkit_solvers(): raise OSError('\\x1b[2Jx')",
        "it raised OSError: ?[2Jx",
        "",
    ),
}


def test_a_good_plugin_is_found(site):
    site.good("solverkit-mine", "mine")
    record = site.plugins()["solverkit-mine"]
    assert record["status"] == "ok"
    assert record["methods"] == ["mine"]
    assert record["version"] == "1.0"
    assert record["file"].endswith("solverkit_mine.py")
    assert site.ask("r.method('mine').summary") == "One sentence."


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_a_record_and_the_rest_works(site, case):
    code, *texts = BROKEN[case]
    site.distribution("aaa-broken", entry="broken", code=code)
    site.good("solverkit-mine", "mine")
    records = site.plugins()
    assert records["aaa-broken"]["status"] == "broken"
    for text in texts:
        assert text in records["aaa-broken"]["error"]
    assert "pip install -U aaa-broken" in records["aaa-broken"]["remedy"]
    assert records["solverkit-mine"]["status"] == "ok"
    kind, message = site.ask("error(lambda: r.method('other'))")
    assert kind == "UsageError"
    assert "aaa-broken 1.0, which is broken" in message


@pytest.mark.parametrize("case", BAD_RECORDS)
def test_a_bad_record_is_refused_with_a_sentence(site, case):
    record, text = BAD_RECORDS[case]
    code = f"from solverkit.plugin import *\n@hookimpl\ndef solverkit_solvers(): return [{record}]"
    site.distribution("bad", entry="bad", code=code)
    found = site.plugins()["bad"]
    assert found["status"] == "broken"
    assert text in found["error"]
    assert site.methods() == []


@pytest.mark.parametrize(
    ("requires", "text"),
    [
        (None, "does not say which versions"),
        ("solverkit", "does not say which versions"),
        ("solverkit>=0.1; extra == 'all'", "does not say which versions"),
        ("solverkit>=0.2,<1", "it needs solverkit >=0.2,<1, and this is 0.1.0"),
        ("solverkit (<0.1)", "it needs solverkit <0.1"),
        ("solverkit~=0.2", "it needs solverkit ~=0.2"),
    ],
)
def test_a_plugin_for_another_core_is_refused_unimported(site, requires, text):
    site.distribution("bad", entry="bad", code="raise SystemError('imported')", requires=requires)
    record = site.plugins()["bad"]
    assert text in record["error"]
    assert "pip" in record["remedy"]


@pytest.mark.parametrize(
    "requires", ["solverkit>=0.1,<1", "SolverKit[casadi] (>=0.1)", "solverkit~=0.1", "solverkit==0.1"]
)
def test_ranges_that_hold(site, requires):
    site.good("solverkit-mine", "mine", requires=requires)
    assert site.plugins()["solverkit-mine"]["error"] == ""


def test_a_name_offered_twice_is_refused_for_both_and_the_rest_of_them_works(site):
    site.good("solverkit-one", "same")
    more = ')] + [SolverSpec("other", "bilevel", "s", "a:B", "a:C"'
    site.good("solverkit-two", "same", more=more)
    records = site.plugins()
    for name in ("solverkit-one", "solverkit-two"):
        assert records[name]["status"] == "partly"
        assert "'same' is offered by solverkit-one 1.0 and solverkit-two 1.0" in records[name]["error"]
        assert "pip uninstall solverkit-one | solverkit-two" in records[name]["remedy"]
    kind, message = site.ask("error(lambda: r.method('same'))")
    assert kind == "UsageError"
    assert "neither is used" in message
    assert site.methods() == ["other"]


def test_the_core_keeps_its_names_even_against_a_distribution_called_solverkit(site):
    code = (
        "from solverkit.plugin import *\n@hookimpl\ndef solverkit_problem_kinds():\n"
        "    return [KindSpec('bilevel', 'mine now', 'a:B')]\n"
        "@hookimpl\ndef solverkit_commands():\n    return [CommandSpec('solve', 'mine now', 'a:B')]\n"
    )
    module = site.distribution("evil", entry="evil", code=code)
    header = "Metadata-Version: 2.1\nName: solverkit\nVersion: 9\nRequires-Dist: solverkit>=0\n\n"
    (site.folder / f"{module}-1.0.dist-info" / "METADATA").write_text(header)
    assert site.ask("[k.target for k in r.kinds() if k.name == 'bilevel']") == [
        "solverkit.kinds.bilevel.kind:BilevelKind"
    ]
    assert site.ask("[c.target for c in r.commands() if c.name == 'solve']") == ["solverkit.cli.solve:command"]
    assert "belongs to the core" in site.plugins()["solverkit"]["error"]


def test_a_method_of_an_unknown_kind_is_refused(site):
    code = (
        "from solverkit.plugin import *\n@hookimpl\ndef solverkit_solvers():\n"
        "    return [SolverSpec('m', 'sudoku', 's', 'a:B', 'a:C')]"
    )
    site.distribution("bad", entry="bad", code=code)
    assert "kind 'sudoku', which no working plugin brings" in site.plugins()["bad"]["error"]
    assert "sudoku" in site.ask("error(lambda: r.method('m'))")[1]


def test_the_allow_list_imports_nothing_else(site):
    site.good("solverkit-one", "one")
    site.distribution("other", entry="two", code="raise SystemError('imported')")
    records = site.plugins(SOLVERKIT_PLUGINS_ONLY="one, solverkit_TWO")
    assert records["solverkit-one"]["status"] == "ok"
    assert records["other"]["status"] == "not allowed"
    assert "no such plugin is installed" in records["solverkit-two"]["error"]
    _, message = site.ask("error(lambda: r.method('two'))", SOLVERKIT_PLUGINS_ONLY="one")
    assert "left out by --plugins-only" in message


def test_a_missing_package_is_the_pip_line(site):
    site.good("solverkit-one", "one", more=", packages=('no_such_package_here', 'sklearn_not.x')")
    kind, message = site.ask("error(lambda: r.resolve(r.method('one')))")
    assert kind == "MissingPackage"
    assert message.endswith("Run: pip install no_such_package_here sklearn_not")


def test_an_undeclared_missing_package_is_mended_by_the_plugins_own_distribution(site):
    site.good("solverkit-one", "one")
    (site.folder / "solverkit_one_method.py").write_text("import no_such_package_here\n")
    kind, message = site.ask("error(lambda: r.resolve(r.method('one')))")
    assert kind == "MissingPackage"
    assert message.endswith("Run: pip install -U solverkit-one")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("", "AttributeError"),
        ("class Method: pass\nOpts = 3", "it is no Pydantic model"),
        ("import solverkit_one_method.deeper", "solverkit_one_method"),
    ],
)
def test_a_target_that_cannot_be_loaded_names_its_distribution(site, code, text):
    site.good("solverkit-one", "one")
    (site.folder / "solverkit_one_method.py").write_text(code)
    kind, message = site.ask("error(lambda: r.resolve(r.method('one')))")
    assert kind == "UsageError"
    assert "method 'one' of solverkit-one 1.0 cannot load" in message
    assert text in message


def test_other_layouts_are_read_by_importlib_metadata(site):
    site.good("solverkit-one", "one", suffix="egg-info")
    assert site.plugins()["solverkit-one"]["status"] == "ok"


def test_the_first_of_two_equal_distributions_counts(site, tmp_path):
    site.good("solverkit-one", "new")
    second = tmp_path / "second"
    second.mkdir()
    module = "solverkit_one"
    (site.folder / f"{module}-1.0.dist-info").rename(second / f"{module}-0.9.dist-info")
    info = site.folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: solverkit-one\nVersion: 1.0\n\n")
    code = "print([e.name for e in __import__('solverkit.registry.discovery').registry.discovery.entry_points()])"
    done = site.run("-c", f"import sys; sys.path.append({str(second)!r}); {code}")
    assert "one" not in done.stdout, done.stderr


def test_our_look_at_the_path_agrees_with_importlib_metadata():
    from importlib import metadata

    from solverkit.registry.discovery import _by_metadata, entry_points

    ours = {(entry.distribution, entry.name, entry.value, entry.version) for entry in entry_points()}
    theirs = {(entry.distribution, entry.name, entry.value, entry.version) for entry in _by_metadata()}
    assert ours == theirs
    assert len(theirs) == len(metadata.entry_points(group="solverkit"))
