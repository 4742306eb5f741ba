"""Suites of problems and methods: plans, runs, records, profiles and reports."""
