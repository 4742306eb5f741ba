"""Torch modules as lower models."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from solverkit.errors import InvalidProblem  # noqa: E402
from solverkit.kinds.bilevel.build import bilevel  # noqa: E402
from solverkit.kinds.bilevel.modules import Stateless  # noqa: E402

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(12, 1, 4, 4))
LABELS = RNG.integers(0, 3, 12)


def network(*more):
    torch.manual_seed(1)
    layers = (torch.nn.Conv2d(1, 2, 3), torch.nn.Tanh(), torch.nn.Flatten(), *more, torch.nn.Linear(8, 3))
    return torch.nn.Sequential(*layers).double()


def upper(net, images, labels):
    return torch.nn.functional.cross_entropy(net(images), labels)


def lower(x, net, images, labels):
    each = torch.nn.functional.cross_entropy(net(images), labels, reduction="none")
    return (torch.sigmoid(x) * each).mean() + 1e-2 * (net.flat**2).sum() + 1e-2 * net.parameters["0.bias"].sum()


def problem(net):
    return bilevel(
        {"variables": {"x": {"shape": 12}}, "minimize": upper, "samples": ["images", "labels"]},
        {"module": net, "minimize": lower, "samples": ["images", "labels", "x"]},
        data={"images": IMAGES, "labels": LABELS},
    )


def test_parameters_are_one_flat_block():
    net = network()
    made = problem(net)
    block = made.lower_blocks[0]
    flat = np.concatenate([value.detach().numpy().ravel() for value in net.parameters()])
    assert block.name == "net"
    assert np.array_equal(block.start, flat)
    inputs, labels = torch.tensor(IMAGES), torch.tensor(LABELS)
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(net(inputs), labels).item()
        first = torch.nn.functional.cross_entropy(net(inputs[:3]), labels[:3]).item()
    z = made.flat(made.start(RNG))
    assert made.upper(z) == pytest.approx(expected, rel=1e-13)
    assert made.upper_batch(z, np.arange(3)) == pytest.approx(first, rel=1e-13)


def test_derivatives_against_differences():
    made = problem(network())
    rng, samples = np.random.default_rng(1), np.array([0, 5, 5, 11])
    z = made.flat(made.start(rng)) + 0.1 * rng.normal(size=made.n + made.m)
    direction, h = rng.normal(size=len(z)), 1e-5
    ahead, behind = z + h * direction, z - h * direction
    slope = (made.lower_batch(ahead, samples) - made.lower_batch(behind, samples)) / (2 * h)
    assert made.lower_batch_gradient(z, samples) @ direction == pytest.approx(slope, rel=1e-7)
    bend = (made.lower_batch_gradient(ahead, samples) - made.lower_batch_gradient(behind, samples)) / (2 * h)
    assert np.allclose(made.lower_batch_hvp(z, direction, samples), bend, atol=1e-7)
    bend = (made.lower_gradient(ahead) - made.lower_gradient(behind)) / (2 * h)
    assert np.allclose(made.lower_hvp(z, direction), bend, atol=1e-7)


def test_the_module_is_copied_and_its_buffers_are_frozen():
    norm = torch.nn.BatchNorm1d(8).double()
    norm.running_mean += 0.3
    net = network(norm).eval()
    made = bilevel(
        {"variables": {"x": {"shape": 12}}, "minimize": upper, "samples": ["images", "labels"]},
        {"module": net, "minimize": lambda x, net: (net.flat**2).sum() + x.sum()},
        data={"images": IMAGES, "labels": LABELS},
    )
    z = made.flat(made.start(RNG))
    before, name = made.upper(z), made.fingerprint()
    with torch.no_grad():
        norm.running_mean += 1.0
        for value in net.parameters():
            value.zero_()
    assert made.upper(z) == before
    single = made.to("cpu", "float32")
    assert single.upper(z) == pytest.approx(before, rel=1e-5)
    with torch.no_grad():
        changed = Stateless(net).digest()
    assert changed != Stateless(network(torch.nn.BatchNorm1d(8).double()).eval()).digest()
    assert made.fingerprint() == name


def test_pickle():
    made = problem(network())
    again = pickle.loads(pickle.dumps(made))
    z = made.flat(made.start(RNG))
    assert again.fingerprint() == made.fingerprint()
    assert np.array_equal(again.lower_batch_gradient(z, np.arange(4)), made.lower_batch_gradient(z, np.arange(4)))


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: network(torch.nn.Dropout(0.5)), r"'3' \(Dropout\) is in training mode.*\.eval\(\)"),
        (lambda: network(torch.nn.BatchNorm1d(8).double()), r"\(BatchNorm1d\) is in training mode"),
        (
            lambda: network(torch.nn.BatchNorm1d(8, track_running_stats=False).double()).eval(),
            "normalizes by the batch",
        ),
        (lambda: torch.nn.Tanh(), "has no parameters"),
        (lambda: 3, "needs a torch module, not int"),
    ],
)
def test_modules_that_are_no_model(module, message):
    with pytest.raises(InvalidProblem, match=message):
        problem(module())


def test_dropout_in_evaluation_is_nothing():
    assert problem(network(torch.nn.Dropout(0.5)).eval()).m == problem(network()).m
