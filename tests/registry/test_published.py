"""What is said of distributions that are not installed agrees with what they bring."""

from __future__ import annotations

import pytest

from solverkit.errors import MissingPackage, UsageError
from solverkit.registry import published, registry
from solverkit.registry.catalogue import Registry


def test_the_methods_are_those_of_the_distributions():
    found: dict[str, dict[str, list[str]]] = {}
    for spec in registry.methods():
        distribution = registry.origin(spec).distribution
        if distribution in published.DISTRIBUTIONS:
            found.setdefault(distribution, {}).setdefault(spec.kind, []).append(spec.name)
    sorted_ = {name: {kind: tuple(sorted(names)) for kind, names in kinds.items()} for name, kinds in found.items()}
    assert sorted_ == published.METHODS


def test_a_method_that_is_not_installed_is_named_with_its_distribution(monkeypatch):
    monkeypatch.setattr("solverkit.registry.discovery.entry_points", list)
    with pytest.raises(MissingPackage, match=r"comes with solverkit-bilevel\. Run: pip install solverkit-bilevel"):
        Registry().method("lv-hba")


def test_a_method_that_is_left_out_is_not_asked_for_again():
    try:
        registry.only(["solverkit-sor"])
        with pytest.raises(UsageError, match=r"unknown method 'lv-hba'(.|\n)*left out by --plugins-only"):
            registry.method("lv-hba")
    finally:
        registry.only(None)


def test_distributions_for_a_kind_name_the_peers_last():
    assert published.with_kind("nonlinear") == ["solverkit-sketched-newton", "solverkit-baselines"]
    assert published.with_kind("unheard-of") == []
