"""The report in every form, with texts that would like to be something else."""

from __future__ import annotations

import csv as reader
import dataclasses
import itertools
import json
import math
import re
import time
from html.parser import HTMLParser

import pytest
from synthetic import ENVIRONMENTS, HOSTILE, SUITE, records

from solverkit.bench.report import csv, document, page, sections, summarize
from solverkit.bench.report.exports import guard
from solverkit.bench.report.scales import Scale
from solverkit.bench.report.style import DARK, LIGHT
from solverkit.bench.report.terminal import columns

ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
FORMULAS = ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", " =1", "\t=1", "＝1", "'=1", '"=1', "|x", "%0A=1"]
VOID = {"meta", "path", "circle"}
ELEMENTS = """html head meta title style body main h1 h2 h3 h4 p ul li div figure figcaption svg desc path circle text
table thead tbody tr th td span details summary"""
ATTRIBUTES = """lang charset http-equiv content name class viewbox role aria-labelledby aria-label aria-hidden id d x y
cx cy r textlength lengthadjust text-anchor transform scope colspan tabindex open"""


def hostile():
    """Every text of the records, the suite and the environments is hostile."""
    turn = itertools.count()
    texts = {}

    def name(text):
        return texts.setdefault(text, f"{HOSTILE[next(turn) % len(HOSTILE)]}{text[-9:]}") if text else ""

    runs = records(len(HOSTILE), 5, 1, 2, rows=10, name=name)
    fields = ("suite", "method", "termination", "point_status", "worker")
    changes = {field: name(field) for field in fields} | {"environment": HOSTILE[0], "counts": {name("f"): 3}}
    runs = [dataclasses.replace(run, **changes) for run in runs]
    facts = {text: {text: [text, 1.0]} for text in HOSTILE}
    return summarize(runs, {HOSTILE[0]: facts}, {"name": HOSTILE[0], "description": HOSTILE[1]})


def plain():
    return summarize(records(6, 4), ENVIRONMENTS, SUITE, skipped_lines=2)


class Structure(HTMLParser):
    """Elements, attributes and texts; every element closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.ids, self.open, self.references = set(), set(), [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {key for key, _ in attrs}
        found = dict(attrs)
        if "id" in found:
            self.ids.append(found["id"])
        self.references += found.get("aria-labelledby", "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {key for key, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("report", [plain, hostile, lambda: summarize([])])
def test_the_page_holds_nothing_but_its_own_elements(report):
    text = page(report())
    found = Structure(text)
    assert found.elements <= set(ELEMENTS.split())
    assert found.attributes <= set(ATTRIBUTES.split())
    assert len(found.ids) == len(set(found.ids))
    assert set(found.references) == set(found.ids)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert not re.search(r"url\(|@import|<[^>]*(https?:)?//", text)
    assert not ACTS.search(text)


def test_every_figure_has_words():
    text = page(plain())
    figures = re.findall(r'<svg viewBox="0 0 360.*?</svg>', text, re.S)
    assert len(figures) == 3 + 2 * 6
    assert all("<title" in figure and "<desc" in figure and 'role="img"' in figure for figure in figures)
    assert "nan" not in "".join(figures).lower()


def test_the_page_is_the_same_for_the_same_records():
    runs = records(6, 4)
    assert page(summarize(runs)) == page(summarize(runs[::-1]))


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("report", [plain, hostile, lambda: summarize([])])
def test_the_table_fits_the_terminal(report, width):
    for section in sections(report(), width):
        for line in (section.heading, *section.lines):
            assert not ACTS.search(line)
            assert "\n" not in line
            wide = columns(line) - len(line)
            assert len(line) <= width or wide == 0 or columns(line) <= width
            assert columns(line) <= width + (wide if "宽" in line else 0)


@pytest.mark.parametrize("text", [*FORMULAS, *HOSTILE])
def test_no_text_is_a_formula(text):
    guarded = guard(text)
    assert not guarded.lstrip(' "').startswith(tuple("=+-@|%＝"))
    assert not ACTS.search(guarded)


def test_the_csv_reads_back():
    report = hostile()
    lines = list(reader.DictReader(csv(report).splitlines()))
    assert len(lines) == len(report.records)
    for line, run in zip(lines, report.records, strict=True):
        assert float(line["calls"]) == run.calls
        assert line["outcome"] == run.outcome.name.lower()
        assert None not in line.values()
    strange = dataclasses.replace(report.records[0], objective=math.nan, time=math.inf, expected=-2.5)
    line = next(reader.DictReader(csv(summarize([strange])).splitlines()))
    assert (line["objective"], line["time"], line["expected"]) == ("", "", "-2.5")


def test_the_json_has_json_types_only():
    for report in (plain(), hostile(), summarize([])):
        assert not ACTS.search(json.dumps(document(report)["kinds"], ensure_ascii=False))


def test_ten_thousand_records_in_ten_seconds():
    runs = records(50, 8, 5, 5, rows=200)
    assert len(runs) == 10_000
    start = time.process_time()
    report = summarize(runs, ENVIRONMENTS, SUITE)
    size = len(page(report))
    assert sections(report)
    assert csv(report)
    assert document(report)
    assert time.process_time() - start < 10
    assert size < 5_000_000


def luminance(colour):
    """Relative luminance, WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("colours", "back"), [(LIGHT, "#ffffff"), (DARK, "#15171a")])
def test_lines_stand_out_from_their_ground(colours, back):
    for colour in colours:
        low, high = sorted([luminance(colour), luminance(back)])
        assert (high + 0.05) / (low + 0.05) >= 3, colour


@pytest.mark.parametrize("log", [False, True])
def test_ticks_are_few_round_and_on_the_scale(log):
    for low, span in itertools.product((1e-9, 0.003, 1.0, 7.0, 1e4), (1 + 1e-7, 1.01, 1.6, 3, 12, 70, 300, 1e5, 1e14)):
        scale = Scale.of([low, low * span], log)
        ticks = scale.ticks()
        assert 2 <= len(ticks) <= 9, (low, span, ticks)
        values = [value for value, _ in ticks]
        assert values == sorted(values)
        assert len({label for _, label in ticks}) == len(ticks)
        assert all(scale.low * 0.999 <= value <= scale.high * 1.001 for value in values)


def test_scales_of_nothing_and_of_strange_numbers():
    for values in ([], [0.0], [math.nan, math.inf], [-1.0, -1.0], [0.0, 5.0], [1e308, 1e-308], [-1.7e308, 1.7e308]):
        for log in (False, True):
            scale = Scale.of(values, log)
            assert scale.low < scale.high
            assert all(0 <= scale.place(value) <= 1 for value in (-1e308, 0.0, 1.0, 1e308))
            assert scale.ticks()
