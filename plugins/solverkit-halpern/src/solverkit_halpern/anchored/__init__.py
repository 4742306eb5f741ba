"""Anchored (Halpern) iterations for any monotone inclusion with a resolvent."""
