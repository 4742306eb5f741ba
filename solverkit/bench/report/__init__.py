"""The report of a suite: records in; a table for the terminal, a page, CSV and JSON out.

    report = summarize(runs.records, runs.environments, runs.suite)
    sections(report)      the terminal: headings and lines
    page(report)          one HTML file that needs nothing else
    csv(report)           a line a run, safe to open in a spreadsheet
    document(report)      the summary as JSON's own types

A report needs neither the problems nor the methods. Everything that a file could have named is cleaned or escaped.
"""

from solverkit.bench.profiles import plot_profile
from solverkit.bench.report.exports import csv, document
from solverkit.bench.report.page import page
from solverkit.bench.report.summary import Report, summarize
from solverkit.bench.report.terminal import sections

__all__ = ["Report", "csv", "document", "page", "plot_profile", "sections", "summarize"]
