"""The loop against one in plain NumPy, written out by hand; and runs that are no descent."""

from itertools import pairwise

import numpy as np
import pytest
from runs import BITS, DATA, SMALL, ready, spec

import symbp
from symbp.errors import SymbpError
from symbp.training.loop import Diverged


def reference(x, y, rate, momentum):
    """Yield parameters and loss after each epoch of figure 7.8, in plain NumPy.

    The random numbers are drawn in the run's order: the parameters, then a permutation an epoch.
    """
    rng = np.random.default_rng(0)
    widths = (10, 40, 40, 5)
    weights, biases = [], []
    for fan_in, fan_out in pairwise(widths):
        weights.append(rng.standard_normal((fan_out, fan_in)) * np.sqrt(2 / fan_in))
        biases.append(np.zeros(fan_out))
    speeds = [0.0] * 6
    for epoch in range(100):
        order, losses = rng.permutation(len(x)), []
        for start in range(0, len(x), 10):
            rows = order[start : start + 10]
            h = [x[rows]]
            for W, b in zip(weights, biases, strict=True):
                h.append(h[-1] @ W.T + b)
                if len(h) < 4:
                    h[-1] = np.where(h[-1] > 0, h[-1], 0)
            residual = h[3] - y[rows]
            losses.append(np.mean(residual**2))  # MSELoss: over examples and outputs
            delta, grads = 2 * residual / residual.size, []
            for k in (2, 1, 0):
                grads = [delta.T @ h[k], delta.sum(axis=0), *grads]
                delta = (delta @ weights[k]) * (h[k] > 0)
            speeds = [momentum * v + g for v, g in zip(speeds, grads, strict=True)]
            for k in range(3):
                weights[k] = weights[k] - rate * speeds[2 * k]
                biases[k] = biases[k] - rate * speeds[2 * k + 1]
        if epoch % 10 == 9:
            rate /= 2
        pairs = zip(weights, biases, strict=True)
        yield np.concatenate([np.ravel(part) for pair in pairs for part in pair]), np.mean(losses)


def test_figure_7_8_follows_the_reference():
    epochs = list(ready().loop.epochs(ready().state))
    assert len(epochs) == 100
    for state, (theta, loss) in zip(epochs, reference(**DATA, rate=0.1, momentum=0.9), strict=True):
        assert np.abs(state.point.theta - theta).max() <= 1e-10, state.epoch
        assert abs(state.history["training"][-1] - loss) <= 1e-10, state.epoch


def test_a_short_last_batch_is_kept_and_weighs_less():
    training = ready(epochs=1, batch=30, rate=1e-300)
    run = training.run()
    whole = training.loop.model.loss(training.state.point.theta, training.loop.data)
    assert run.history["training"][0] == pytest.approx(whole, rel=1e-12)
    rms = run.gradients[0]
    assert rms.shape == (6,)
    assert (rms > 0).all()


def test_losses_are_those_of_one_example_where_the_spec_adds_them():
    mean, summed = (ready(spec(name), epochs=1, rate=1e-300) for name in ("figure_7_8", "mlp"))
    assert summed.run().history["training"][0] == pytest.approx(
        5 * mean.run().history["training"][0]
    )


def test_what_is_measured_on_classes():
    run = ready(symbp.parse(SMALL), {**DATA, "y": BITS["y"]}, holdout=0.2, epochs=40).run()
    names = ["training", "holdout", "training accuracy", "holdout accuracy"]
    assert list(run.history) == names
    out = run.module.forward(run.params, DATA["x"])
    right = np.mean(out.argmax(axis=1) == BITS["y"])
    accuracy = 0.8 * run.history[names[2]][-1] + 0.2 * run.history[names[3]][-1]
    assert accuracy == pytest.approx(right)
    assert run.history[names[2]][-1] > 0.9


def test_binary_classes():
    run = ready(spec("problem_7_17"), BITS).run()
    probabilities = run.module.forward(run.params, BITS["x"])
    assert run.history["training accuracy"][-1] == np.mean((probabilities > 0.5) == BITS["y"])
    assert run.history["training accuracy"][-1] > 0.95


def test_a_target_between_the_classes_has_no_accuracy():
    run = ready(spec("problem_7_17"), {**BITS, "y": 0.5 * BITS["y"]}, epochs=1).run()
    assert list(run.history) == ["training"]


def test_float32_stays_float32():
    state = list(ready(epochs=2, dtype="float32").loop.epochs(ready(dtype="float32").state))[-1]
    assert {a.dtype for a in (state.point.theta, *state.point.moments)} == {np.dtype("float32")}


def test_frozen_parameters_stay():
    text = "input x\ntarget y\nparam a, b  init normal(1)\nf = a * x + b\nloss = (f - y)^2\nwrt a\n"
    training = ready(symbp.parse(text), {"x": np.arange(20.0) / 10, "y": np.ones(20)})
    before = training.loop.model.params(training.state.point.theta)
    after = training.run().params
    assert (before.b, before.a == after.a) == (after.b, False)


def test_a_symmetric_matrix_stays_symmetric():
    given = "size n = 5\ninput x : n\ntarget y : n\nparam S : n x n symmetric\n"
    text = f"{given}loss = norm2(S @ x - y)^2\n"
    x = np.random.default_rng(0).standard_normal((200, 5))
    S = np.array([[1.0 + i + j for i in range(5)] for j in range(5)])
    run = ready(symbp.parse(text), {"x": x, "y": x @ S}, rate=0.01).run()
    assert np.array_equal(run.params.S, run.params.S.T)
    assert np.allclose(run.params.S, S)


def test_without_examples_a_step_is_an_epoch():
    Y = np.outer([1.0, 2, 3, 4, 5], [1.0, -1, 2, 0])
    run = ready(
        spec("matrix_factorisation"), {"Y": Y}, rate=0.003, decay_every=0, epochs=1500
    ).run()
    assert run.history["training"][-1] < 1e-8
    with pytest.raises(SymbpError, match="leaves none"):
        ready(spec("matrix_factorisation"), {"Y": Y}, holdout=0.2)


def test_a_loss_that_is_no_number_stops_the_run():
    with pytest.raises(Diverged) as caught:
        ready(rate=1e3).run()
    assert str(caught.value).startswith("error: in epoch 1 the loss is ")
    assert "the gradient of Omega_0 is the first that is not finite" in str(caught.value)
    assert "help: try a smaller rate than 1000, or `init auto`" in str(caught.value)


def test_gradients_that_vanish_are_said():
    run = ready(spec("kinks"), {"x": np.ones((20, 4)), "y": np.ones(20)}, rate=0.01, epochs=3).run()
    assert len(run.warnings) == 1
    assert run.warnings[0].startswith("the gradient vanishes on its way to Omega_0")


def test_gradients_that_explode_are_said():
    text = "input x\ntarget y\nparam w  init normal(1)\nf = w * x\nloss = (f - y)^2\n"
    data = {"x": np.ones(10), "y": np.ones(10)}
    found = []
    ready(symbp.parse(text), data, rate=50, momentum=0, epochs=6, decay_every=0).run(
        lambda state, warnings: found.append(warnings)
    )
    assert sum(map(len, found)) == 1  # the gradient grows by |1 − 2 · 50| an epoch: 99⁴ > 10⁶
    assert found[5 - 1][0].startswith("the gradient of w explodes")
