"""What a run depends on: problem, method, options and seed, and no state that threads share."""
