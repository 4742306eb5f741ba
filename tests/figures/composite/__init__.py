"""Figures of the kind composite and its methods."""
