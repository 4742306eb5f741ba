"""Verdicts against truths that share no code with them: wrong answers, right answers, wrong oracles."""
