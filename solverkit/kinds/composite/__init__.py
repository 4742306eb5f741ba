"""Composite convex problems: f smooth, plus h nonsmooth, plus chi simple."""
