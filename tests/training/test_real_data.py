"""Real data: as far as scikit-learn's networks of the same sizes come, within noise.

Over eight seeds, which split the data, draw the parameters and the order anew, the mean test scores
are compared.  The margins are four standard errors of the mean difference: over 24 seeds it was
0.000 of the digits, with a standard deviation of 0.010, and −0.014 of the variance of the measure
of diabetes, with 0.033.
"""

import numpy as np
import pytest
from runs import ready

import symbp

datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is in the extra `test`")
networks = pytest.importorskip("sklearn.neural_network")

SEEDS = range(8)
SHARED = {"batch_size": 50, "alpha": 0, "tol": 0, "n_iter_no_change": 1000}

CLASSES = """
size   D_i, D_h = 32, D_o = 10
input  x : D_i
target y : one_hot D_o
param  W_1 : D_h x D_i   init xavier
param  b_1 : D_h         init zero
param  W_2 : D_o x D_h   init xavier
param  b_2 : D_o         init zero
h = relu(W_1 @ x + b_1)
z = W_2 @ h + b_2
loss = softmax_cross_entropy(y, z)
"""

NUMBERS = """
size   D_i, D_h = 32
input  x : D_i
target y
param  W_1 : D_h x D_i   init xavier
param  b_1 : D_h         init zero
param  w_2 : D_h         init xavier
param  b_2               init zero
h = relu(W_1 @ x + b_1)
f = dot(w_2, h) + b_2
loss = (f - y)^2
"""


def parts(x, y, seed):
    """Return three quarters of the examples to train on, and a quarter to test on."""
    order = np.random.default_rng((9, seed)).permutation(len(x))
    cut = 3 * len(x) // 4
    return x[order[:cut]], y[order[:cut]], x[order[cut:]], y[order[cut:]]


def trained(text, x, y, seed, epochs):
    """Return the prediction of our network, as a function of inputs."""
    options = {"optimizer": "adam", "batch": 50, "epochs": epochs, "seed": seed}
    run = ready(symbp.parse(text), {"x": x, "y": y}, **options).run()
    assert run.warnings == ()
    return lambda inputs: run.module.forward(run.params, inputs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_digits():
    digits, ours, theirs = datasets.load_digits(), [], []
    for seed in SEEDS:
        x, y, x_test, y_test = parts(digits.data / 16, digits.target, seed)
        forward = trained(CLASSES, x, y, seed, 30)
        ours.append(np.mean(forward(x_test).argmax(axis=1) == y_test))
        network = networks.MLPClassifier((32,), max_iter=30, random_state=seed, **SHARED)
        theirs.append(network.fit(x, y).score(x_test, y_test))
    assert np.mean(ours) > 0.93
    assert abs(np.mean(ours) - np.mean(theirs)) < 0.015, (ours, theirs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_diabetes():
    sugar, ours, theirs = datasets.load_diabetes(), [], []
    data = sugar.data / sugar.data.std(axis=0)
    target = (sugar.target - sugar.target.mean()) / sugar.target.std()
    for seed in SEEDS:
        x, y, x_test, y_test = parts(data, target, seed)
        forward = trained(NUMBERS, x, y, seed, 40)
        ours.append(np.mean((forward(x_test) - y_test) ** 2))
        shape = {"hidden_layer_sizes": (32,), "max_iter": 40, "random_state": seed}
        network = networks.MLPRegressor(**shape, **SHARED).fit(x, y)
        theirs.append(np.mean((network.predict(x_test) - y_test) ** 2))
    assert np.mean(ours) < 0.65  # of the variance; the mean alone leaves 1
    assert abs(np.mean(ours) - np.mean(theirs)) < 0.05, (ours, theirs)
