"""What the site is built and looked at with: formulas, links to files, and a browser that finds what is wrong."""

from __future__ import annotations

import pytest

from docs._build import look, mathematics, repository
from docs._build.markdown import docstring, escaped

MARKED = '<span class="arithmatex">\\({}\\)</span>'


def test_a_formula_becomes_mathml():
    page = mathematics.rendered(f"<p>{MARKED.format('x_i &lt; y')}</p>")
    assert "<msub><mi>x</mi><mi>i</mi></msub>" in page
    assert "arithmatex" not in page


@pytest.mark.parametrize("tex", [r"\nosuch{x}", r"\frac{1}{", r"\bigl\langle x"])
def test_a_wrong_formula_is_refused_with_its_text(tex):
    with pytest.raises(mathematics.BadFormula) as caught:
        mathematics.rendered(MARKED.format(tex))
    assert tex in str(caught.value)


def test_links_to_files_of_the_repository_become_pages():
    text = (
        "[code](../../solverkit/api.py#L12), [page](../README.md), [away](https://example.org), [none](../../none.py)"
    )
    assert repository.linked("how-to/a.md", text) == {"solverkit/api.py"}
    changed = repository.rewritten("how-to/a.md", text)
    assert changed.startswith("[code](../source/solverkit/api.py.md#line-0-12), [page](../README.md)")
    assert "def solve(" in repository.page("solverkit/api.py")


def test_texts_of_the_product_do_not_act_as_markup():
    assert escaped("a*b* `c|d` <x> $1") == r"a\*b\* `c\|d` \<x\> \$1"
    text = docstring("One.\n\n    y = A x\n\nname : what it is\n    goes on\nother : more")
    assert "```text\ny = A x\n```" in text
    assert "- `name`: what it is goes on\n- `other`: more" in text


GOOD = "<html lang=en><head><title>t</title></head><body><article><h1>T</h1>{}</article></body></html>"
BAD = {
    "wide": ("<div style='width:2000px'>wide</div>", "pixels wide in a window of"),
    "raw": ("<p>so $x_i^2$ is left</p>", "raw formula"),
    "formula": ("<p><math><mi>\\nosuch</mi></math></p>", "was not understood"),
    "link": ("<a href=none.html>x</a>", "link to no page: none.html"),
    "anchor": ("<a href=good.html#none>x</a>", "link to no place: good.html#none"),
    "picture": ("<img src=none.png alt=p>", "status 404"),
    "host": ("<img src=http://192.0.2.1/p.png alt=p>", "another host"),
    "script": ("<script>console.error('broken')</script>", "console: broken"),
    "title": ("<h1>second</h1>", "not exactly one title"),
    "level": ("<h3>third</h3>", "follows one of level 1"),
    "pale": ("<p style='color:#ccc'>pale</p>", "contrast"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A small site with one fault a page, looked at."""
    if look.browser_path() is None:
        pytest.skip("no Chromium is here")
    site = tmp_path_factory.mktemp("site")
    (site / "favicon.ico").write_bytes(b"")
    (site / "good.html").write_text(GOOD.format("<p>a <code>$x_i$</code></p><p><math><mi>x</mi></math></p>"))
    for name, (body, _) in BAD.items():
        (site / f"{name}.html").write_text(GOOD.format(body))
    return look.look(site)


def test_a_good_page_passes(report):
    assert "good.html" not in report.faults


@pytest.mark.parametrize("name", BAD)
def test_a_fault_is_found(name, report):
    assert any(BAD[name][1] in fault for fault in report.faults[f"{name}.html"])


def test_without_a_browser_it_says_how_to_get_one(monkeypatch, tmp_path, capsys):
    (tmp_path / "index.html").write_text(GOOD)
    monkeypatch.setattr(look, "browser_path", lambda: None)
    monkeypatch.setattr("sys.argv", ["look", "--site", str(tmp_path)])
    assert look.main() == 2
    assert "apt-get install chromium" in capsys.readouterr().err
