"""Halpern iterations for monotone inclusions, saddle points, games and linear programs."""
