"""Mutants of the code that decides: each is one small change, and some test must fail on it.

`make mutants` draws a sample from each area of `tests.branches` and prints the survivors. Those that change
nothing are in `judged.toml` with the reason.
"""
