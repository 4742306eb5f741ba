"""Methods against traps: what they claim, what is true, and what the core says of the same answer."""
