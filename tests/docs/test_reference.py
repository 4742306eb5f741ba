"""The generated reference is complete: what a user can name has a place in it, and a sentence."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import click
import pytest

import solverkit as sk
from docs._build import explanations, reference
from solverkit import plugin
from solverkit.cli.app import app
from solverkit.engine.status import PointStatus, Termination
from solverkit.registry import registry

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pages():
    return reference.pages()


def headings(page):
    """Headings without their marks -> the text below each."""
    parts = re.split(r"^#+ (.*)$", page, flags=re.MULTILINE)
    return {head.replace("`", ""): text for head, text in zip(parts[1::2], parts[2::2], strict=True)}


def explained(text):
    """Whether there is more below a heading than its signature."""
    return bool(re.sub(r"^```py\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).strip())


@pytest.mark.parametrize("spec", registry.methods(), ids=lambda spec: spec.name)
def test_a_method_and_its_options(spec, pages):
    page = pages[f"reference/methods/{spec.name}.md"]
    sections = headings(page)
    assert spec.pays
    assert spec.avoid
    for sentence in (spec.summary, spec.pays, spec.avoid):
        assert re.sub(r"\W", "", sentence) in re.sub(r"\W", "", page.replace("&amp;", "&"))
    for name, field in registry.options(spec).model_fields.items():
        assert field.description
        assert name in sections
    assert f"({spec.name}.md)" in pages["reference/methods/index.md"]


@pytest.mark.parametrize("spec", registry.methods(), ids=lambda spec: spec.name)
def test_a_method_has_a_page_that_explains_it(spec):
    where = explanations.of_method(spec.name)
    assert where
    assert (DOCS / where.partition("#")[0]).is_file()


@pytest.mark.parametrize("spec", registry.kinds(), ids=lambda spec: spec.name)
def test_a_kind_has_keys_builders_and_a_certificate_with_formulas(spec, pages):
    assert spec.name in headings(pages["reference/kinds.md"])
    assert f"reference/files/{spec.name}.md" in pages
    keys = pages[f"reference/files/{spec.name}.md"]
    for key in registry.kind(spec.name).schema.model_fields:
        assert f"| `{key}` |" in keys
    certificate = (DOCS / explanations.of_kind(spec.name)).read_text()
    assert len(re.findall(r"\$[^$]+\$", certificate)) >= 5
    package = import_module(type(registry.kind(spec.name)).__module__.rpartition(".")[0])
    assert set(package.__all__) <= set(headings(pages["reference/python-problems.md"]))


def test_generators_and_their_arguments(pages):
    sections = headings(pages["reference/sources.md"])
    for spec in registry.sources():
        assert spec.summary
        assert spec.name in sections
        arguments = inspect.signature(registry.source(spec.name)).parameters
        assert all(f"| `{argument}` |" in sections[spec.name] for argument in arguments)


def test_status_members_and_exit_codes(pages):
    page = pages["reference/status.md"]
    for member in (*PointStatus, *Termination):
        row = re.search(rf"^\| `{member.name}` \| (.+) \|$", page, re.MULTILINE)
        assert row
        assert len(row[1]) > 20
    assert all(re.search(rf"\b{code}\b", page) for code in (0, 1, 2, 3, 4, 5, 130))


def test_commands_and_their_options(pages):
    sections = headings(pages["reference/command-line.md"])
    context = click.Context(app)
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help
                assert all(option in sections[name] for option in parameter.opts)


@pytest.mark.parametrize(("page", "module"), [("python", sk), ("python-plugin", plugin)], ids=["solverkit", "plugin"])
def test_public_names_of_python(page, module, pages):
    sections = headings(pages[f"reference/{page}.md"])
    assert {name for name in module.__all__ if name != "__version__"} <= set(sections)


@pytest.mark.parametrize("page", ["python", "python-plugin", "python-problems"])
def test_every_name_of_python_is_explained(page, pages):
    sections = headings(pages[f"reference/{page}.md"])
    assert [head for head, text in sections.items() if not explained(text)] == []
