"""Extragradient, forward-reflected-backward, and their variance-reduced forms: the house's baselines for inclusions."""
