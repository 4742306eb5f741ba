"""Compiled loops over the factor of an order."""
