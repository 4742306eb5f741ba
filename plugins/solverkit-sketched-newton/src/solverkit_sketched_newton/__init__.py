"""Constrained nonlinear optimization: inexact Newton steps, exact augmented Lagrangian, randomized preconditioners."""
