"""One HTML page that holds the whole report: no script, no network, nothing beside it.

Texts from records pass `escape` on their way in; the policy in the head forbids the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import solverkit
from solverkit.bench.profiles import Profile
from solverkit.bench.record import Outcome
from solverkit.bench.report import tables, words
from solverkit.bench.report.figures import convergence_plot, profile_plot, representatives
from solverkit.bench.report.style import sheet
from solverkit.bench.report.summary import Group, Report
from solverkit.bench.report.svg import draw, escape, legend

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

DRAWN = 60
"""Problems of a kind whose convergence is drawn."""

ENVIRONMENTS = 20
"""Environments whose facts are shown."""

READING = {
    ("performance", "calls"): (
        "Oracle calls",
        "How to read it: at 2, the height is the share that a method solved with at most twice the calls of the best "
        "method there. Higher is better; the left end is how often it was the best, the right end how much it solved.",
    ),
    ("performance", "time"): ("Time", "The same in seconds, which depend on the machine."),
    ("data", "calls"): (
        "Budget of calls",
        "How to read it: with a budget of so many oracle calls, per variable of the problem plus one, the height is "
        "the share that a method has solved. Higher is better.",
    ),
}

CONVERGENCE = (
    "How to read it: the best merit so far, a method's own measure of what is left to do, as the run went on; lower is "
    "better. A dot ends a certified run, a cross any other. Compare how the lines fall rather than their heights: two "
    "methods may measure merit differently. One run a method, the one with the median time among its certified runs."
)


def page(report: Report) -> str:
    """The page, as text to be written in UTF-8."""
    title = f"Benchmark: {escape(report.name, 120)}"
    body = [f"<h1>{title}</h1>", *_opening(report)]
    for number, group in enumerate(report.groups):
        body += _group(group, f"g{number}", len(report.groups) > 1)
    body += _environments(report.environments)
    body.append(
        f'<p class="soft small">Made by solverkit {escape(solverkit.__version__)} report. Profiles after Dolan and '
        "Moré (2002) and Moré and Wild (2009).</p>"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{title}</title><style>{sheet()}</style></head>\n'
        f"<body><main>{chr(10).join(body)}</main></body></html>\n"
    )


def _opening(report: Report) -> list[str]:
    parts = []
    if description := report.suite.get("description"):
        parts.append(f"<p>{escape(description, 1000)}</p>")
    parts += ["<h2>What was run</h2>", *(f"<p>{escape(text, 2000)}</p>" for text in words.run_sentences(report))]
    if cautions := words.cautions(report):
        parts.append(f'<div class="caution">{_said(cautions)}</div>')
    return parts


def _said(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text, 3000)}</li>" for text in sentences)
    return f'<ul class="said">{items}</ul>'


def _group(group: Group, key: str, several: bool) -> list[str]:
    plots = "".join(_profile(profile, f"{key}-p{number}") for number, profile in enumerate(group.profiles))
    of = f": {escape(group.kind, 80)} problems" if several else ""
    parts = [
        f"<h2>Who solved what{of}</h2>",
        _said(words.solved_sentences(group)),
        tables.standings(group),
        f"<h2>Profiles{of}</h2>",
        f"<p>The whole suite at a glance, over {escape(words.unit(group, group.units))}.</p>",
        legend(group.labels),
        f'<div class="plots">{plots}</div>',
        f"<h2>Problem by problem{of}</h2>",
        tables.problems(group),
        *_convergence(group, key, of),
        f"<h2>What was not solved, and why{of}</h2>",
        *_failures(group),
    ]
    return parts


def _profile(profile: Profile, key: str) -> str:
    heading, reading = READING[profile.name, profile.cost]
    drawn = draw(profile_plot(profile, key))
    return f"<figure><h3>{heading}</h3>{drawn}<figcaption>{reading}</figcaption></figure>"


def _convergence(group: Group, key: str, of: str) -> list[str]:
    chosen = list(representatives(group).items())
    parts = []
    for axis, heading in (("calls", "Against oracle calls"), ("time", "Against time")):
        figures = []
        for number, (problem, runs) in enumerate(chosen[:DRAWN]):
            plot = convergence_plot(problem, runs, axis, f"{key}-{axis}{number}")
            if plot is not None:
                figures.append(f"<figure><h4>{escape(problem, 80)}</h4>{draw(plot)}</figure>")
        if figures:
            parts.append(f'<h3>{heading}</h3><div class="plots">{"".join(figures)}</div>')
    if not parts:
        return []
    if len(chosen) > DRAWN:
        parts.append(f'<p class="soft">The first {DRAWN} of {len(chosen)} problems are drawn.</p>')
    return [f"<h2>How they converged{of}</h2>", f'<p class="soft">{CONVERGENCE}</p>', legend(group.labels), *parts]


def _failures(group: Group) -> list[str]:
    if not group.failures:
        return ["<p>Every run was solved.</p>"]
    met = {failure.outcome for failure in group.failures}
    meanings = [f"{words.SHORT[outcome]}: {outcome.value}" for outcome in Outcome if outcome in met]
    return [_said(meanings), tables.failures(group.failures)]


def _environments(environments: Mapping[str, Mapping[str, Any]]) -> list[str]:
    parts = ["<h2>Where it ran</h2>"]
    if not environments:
        return [*parts, "<p>The run folder says nothing about machine and versions.</p>"]
    for number, (key, facts) in enumerate(environments.items()):
        if number == ENVIRONMENTS:
            parts.append(f'<p class="soft">and {len(environments) - ENVIRONMENTS} more.</p>')
            break
        shown = "" if number else " open"
        parts.append(f"<details{shown}><summary>{escape(key, 80)}</summary>{tables.facts(facts)}</details>")
    return parts
