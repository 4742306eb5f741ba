"""Peers for structure learning: DAGMA, and BOSS and GES of causal-learn."""
