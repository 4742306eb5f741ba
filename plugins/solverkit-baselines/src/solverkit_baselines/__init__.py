"""Peers wrapped as methods of SolverKit: the same counting, limits and certificates as every other method."""

__version__ = "0.1.0"
