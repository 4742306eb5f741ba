"""Formulas become MathML while the site is built, so that a page shows them without a script."""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

MARKED = re.compile(
    r'<(span|div) class="arithmatex">(?:\\\((?P<inline>.*?)\\\)|\\\[(?P<block>.*?)\\\])</\1>', re.DOTALL
)
"""What the Markdown extension arithmatex makes of `$...$` and `$$...$$`."""


LONG = 40
"""Letters of TeX from which a formula within a line may be wider than a telephone, and scrolls in itself."""


PRIME = re.compile(r"<msup>(<m[ion]>[^<]*</m[ion]>)<m[io]>&#x02032;</m[io]></msup>")
"""A letter with a prime. The sign is small and high already; as an exponent it would be so twice."""


class BadFormula(ValueError):
    """A formula with a command that the converter does not know."""


def rendered(page: str) -> str:
    """The HTML of a page with its formulas as MathML. Raises BadFormula with the text of the formula."""
    return MARKED.sub(_formula, page)


def mathml(tex: str, block: bool) -> str:
    """One formula. Raises BadFormula for a command that is not known."""
    try:
        found = convert(tex.strip(), display="block" if block else "inline")
    except Exception as error:
        raise BadFormula(f"{tex.strip()}: {type(error).__name__}: {error}") from error
    found = PRIME.sub(r"\1<mo>&#x02032;</mo>", found)
    if unknown := re.search(r"\\[A-Za-z]+", re.sub(r"<[^>]*>", " ", html.unescape(found))):
        raise BadFormula(f"{tex.strip()}: {unknown[0]} is not known")
    return found


def _formula(found: re.Match[str]) -> str:
    if found["block"] is not None:
        return f'<div class="formula" tabindex="0">{mathml(html.unescape(found["block"]), True)}</div>'
    formula = mathml(html.unescape(found["inline"]), False)
    return formula if len(found["inline"]) < LONG else f'<span class="long formula" tabindex="0">{formula}</span>'
