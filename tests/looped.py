"""Specs whose families have a symbolic length, and the lengths at which each is looked at."""

from pathlib import Path

LOOPED = {
    "deep": (Path(__file__).parents[1] / "specs" / "deep.symbp").read_text(encoding="utf-8"),
    "rnn": """\
size   T, D_i, D_h, D_o
input  x[1..T] : D_i
target y[1..T] : D_o
param  W : D_h x D_h   init orthogonal
param  U : D_h x D_i   init xavier
param  V : D_o x D_h   init xavier
param  b : D_h         init zero

h[0] = zeros(D_h)
for t in 1..T:
    a[t] = W @ h[t-1] + U @ x[t] + b
    h[t] = tanh(a[t])
    o[t] = V @ h[t]

output o[T]
loss = sum(norm2(o[t] - y[t])^2 for t in 1..T)
""",
    "rnn_last": """\
size   T, D_i, D_h, D_o
input  x[1..T] : D_i
target y : D_o
param  W : D_h x D_h   init orthogonal
param  U : D_h x D_i   init xavier
param  V : D_o x D_h   init xavier
param  c : D_h         init zero

h[0] = c
for t in 1..T:
    h[t] = tanh(W @ h[t-1] + U @ x[t])
    o[t] = V @ h[t]
loss = norm2(o[T] - y)^2
""",
    "two_step": """\
size   K, n
input  x : n
target y : n
param  W[2..K] : n x n   init xavier
param  V[2..K] : n x n   init xavier

h[0] = x
h[1] = tanh(x)
for k in 2..K:
    h[k] = tanh(W[k] @ h[k-1] + V[k] @ h[k-2])
loss = norm2(h[K] - y)^2
""",
    "skip": """\
size   K, n
input  x : n
target y : n
param  W[1..K] : n x n   init he
param  b[1..K] : n       init zero

u = tanh(x)
h[0] = u
for k in 1..K:
    f[k] = W[k] @ h[k-1] + b[k]
    h[k] = relu(f[k]) + u
loss = squared_error(y, h[K] + u)
""",
    "penalty": """\
size   K, D[0..K], n
const  c
input  x : D[0]
target y : D[K]
param  Omega[1..K] : D[k] x D[k-1]   init he

h[0] = x
for k in 1..K:
    h[k] = tanh(Omega[k] @ h[k-1])
loss = norm2(h[K] - y)^2 + c * sum(norm2(Omega[k])^2 / D[k] for k in 1..K)
""",
    "third": """\
size   K, n
input  x : n
target y : n
param  W[1..K] : n x n   init he

h[0] = x
for k in 1..K-1:
    h[k] = tanh(W[k] @ h[k-1])
f = W[K] @ h[K-1] + h[3]
loss = norm2(f - y)^2
""",
    "around": """\
size   L, T, n
input  x : n
target y : n
param  W[1..L] : n x n   init xavier
param  V[1..T] : n x n   init xavier

h[0] = x
for l in 1..L:
    a[l] = tanh(W[l] @ h[l-1])
    for t in 1..T:
        c[l,t] = tanh(V[t] @ a[l])
    h[l] = sum(c[l,t] for t in 1..T) + 2 * h[l-1]
loss = norm2(h[L] - y)^2
""",
    "grid": """\
size   L, T, D[0..L], n
input  x[1..T] : D[0]
target y : n
param  W[1..L] : D[l] x D[l]     init orthogonal
param  U[1..L] : D[l] x D[l-1]   init xavier
param  V : n x D[L]              init xavier

for t in 1..T:
    h[0,t] = x[t]
for l in 1..L:
    h[l,0] = zeros(D[l])
    for t in 1..T:
        a[l,t] = W[l] @ h[l,t-1] + U[l] @ h[l-1,t]
        h[l,t] = tanh(a[l,t])
    m[l] = sum(norm2(h[l,t])^2 for t in 1..T)
loss = norm2(V @ h[L,T] - y)^2 + sum(m[l] for l in 1..L) / T
""",
}
"""The specs by name; `deep` is that of specs/."""

LENGTHS = {
    "deep": [{"K": k} for k in (1, 2, 3, 4)],
    "rnn": [{"T": t} for t in (1, 2, 3, 4)],
    "rnn_last": [{"T": t} for t in (1, 2, 3, 4)],
    "two_step": [{"K": k} for k in (1, 2, 3, 4)],
    "skip": [{"K": k} for k in (1, 2, 3, 4)],
    "penalty": [{"K": k} for k in (1, 2, 3, 4)],
    "third": [{"K": k} for k in (4, 5)],
    "around": [{"L": at[0], "T": at[1]} for at in ((1, 1), (1, 3), (2, 1), (2, 3), (3, 2))],
    "grid": [{"L": at[0], "T": at[1]} for at in ((1, 1), (1, 3), (2, 1), (2, 3), (3, 2), (4, 4))],
}
"""The numbers of each spec's lengths at which its members are all there."""
