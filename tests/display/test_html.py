"""What notebooks show: complete, and nothing that a hostile name could add."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

import solverkit as sk
from solverkit.kinds.base import Term

GAME = "problems/inclusion/rock-paper-scissors/problem.yaml"
HOSTILE = "\x1b[31m<script>alert(1)</script>\u202e' onload='x"


class Elements(HTMLParser):
    """Names of elements and of attributes, and the text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.words = set(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.words.append(data)


def shown(thing):
    page = Elements(thing._repr_html_())
    assert page.elements <= {"p", "strong", "table", "tr", "th", "td"}
    assert page.attributes <= {"style"}
    text = " ".join(page.words)
    assert all(letter.isprintable() for letter in text)
    return text


@pytest.fixture(scope="module")
def problem():
    return sk.load(GAME)


def test_a_problem(problem):
    text = shown(problem)
    for words in ("rock-paper-scissors", "inclusion problem", "x 3", "bilinear", problem.fingerprint()[:16]):
        assert words in text
    assert "alert" in shown(replace(problem, name=HOSTILE))


def test_a_result_says_what_its_text_says(problem):
    result = sk.solve(problem, "extragradient")
    text = shown(result)
    for words in ("CERTIFIED", "extragradient", *(term.name for term in result.certificate.terms)):
        assert words in text
        assert words in str(result)
    shown(sk.Result(result | {"problem": HOSTILE, "notes": [HOSTILE], "method": HOSTILE}))


def test_a_certificate():
    terms = (Term(HOSTILE, 1.0, 1e-6, note=HOSTILE), Term("gap", 0.0, 1e-6))
    text = shown(sk.Certificate(terms, {HOSTILE: HOSTILE}))
    assert "FEASIBLE" in text
    assert " no " in text
    assert "because" in shown(sk.Certificate((), unverified="because"))


def test_methods(problem):
    methods = sk.methods(problem)
    text = shown(methods)
    assert all(fit.spec.name in text for fit in methods)
    assert "lower level" in shown(next(fit for fit in methods if fit.spec.name == "lv-hba"))
    one = shown(next(fit for fit in methods if fit.spec.name == "halpern"))
    assert "option" in one
    assert isinstance(methods, list)
