"""Solvers that learn their parameters along a sequence of linear systems."""
