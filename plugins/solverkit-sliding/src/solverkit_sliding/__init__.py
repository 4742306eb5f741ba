"""Gradient sliding for composite convex problems: few gradients of the smooth part."""
