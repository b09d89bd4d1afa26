"""What the tests of training train: the network of figure 7.8 on random data."""

from functools import cache

import numpy as np
from running import SPECS

import symbp
from symbp.trainer import prepare

RNG = np.random.default_rng(78)
DATA = {"x": RNG.standard_normal((100, 10)), "y": RNG.standard_normal((100, 5))}
BITS = {"x": DATA["x"], "y": (DATA["x"][:, 0] * DATA["x"][:, 1] > 0).astype(int)}

SMALL = """
size D, K = 3
input x : D
target y : one_hot K
param W[1..2] : D x D  init he
param V : K x D  init xavier
h[0] = x
for k in 1..2:
    h[k] = relu(W[k] @ h[k-1])
z = V @ h[2]
loss = softmax_cross_entropy(y, z)
"""


@cache
def spec(name):
    """Return the program of a spec."""
    return symbp.load(SPECS / f"{name}.symbp")


def ready(program=None, data=None, resume=None, **options):
    """Return a run that is ready."""
    found = spec("figure_7_8") if program is None else program
    return prepare(found, DATA if data is None else data, options, resume)
