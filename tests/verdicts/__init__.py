"""Verdicts against truths that share no code with them: wrong answers, right answers and wrong oracles of every kind."""
