"""Peers for bilevel problems: `kkt-ipopt` and `nested`."""
