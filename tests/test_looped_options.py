"""Programs with loops from the command line: what works, and what is refused before writing."""

import pytest
from click.testing import CliRunner
from looped import LOOPED

import symbp
from symbp.cli import main

HEAD = "size K, n\ninput x : n\ntarget y : n\n"
LINES = "h[0] = x\nfor k in 1..K:\n    h[k] = tanh({} @ h[k-1])\nloss = norm2(h[K] - y)^2\n"

SPECS = {
    "deep": LOOPED["deep"],
    "shared": HEAD + "param W : n x n\n" + LINES.format("W"),
    "axis": HEAD + "param W : n x n\nparam a : K\n" + LINES.format("W") + "wrt W\n",
    "identity": HEAD + "const W[1..K] : n x n\n" + LINES.format("W[k]") + "wrt x\n",
    "output": (
        "size K, n\ninput x : n\nparam W[1..K] : n x n\nh[0] = x\n"
        "for k in 1..K:\n    h[k] = tanh(W[k] @ h[k-1])\noutput h[K]\n"
    ),
    "symmetric": HEAD + "param S[1..K] : n x n symmetric\n" + LINES.format("S[k]"),
    "labels": """\
size   T, n, m, D
input  x[1..T] : n
target y[1..T] : one_hot D
param  W : m x m   init orthogonal
param  U : m x n   init xavier
param  V : D x m
h[0] = zeros(m)
for t in 1..T:
    h[t] = tanh(W @ h[t-1] + U @ x[t])
    z[t] = V @ h[t]
output z[T]
loss = sum(softmax_cross_entropy(y[t], z[t]) for t in 1..T)
""",
    "inits": HEAD
    + "".join(
        f"param {name}[1..K] : {shape}   init {kind}\n"
        for name, shape, kind in (
            ("A", "n x n", "he"),
            ("B", "n x n", "xavier"),
            ("C", "n x n", "lecun"),
            ("E", "n x n", "orthogonal"),
            ("F", "n x n", "normal(0.1)"),
            ("z", "n", "zero"),
        )
    )
    + LINES.format("(A[k] @ B[k] @ C[k] + E[k] + F[k])").replace("h[k-1])", "h[k-1] + z[k])"),
    "kinks": HEAD
    + "param W[1..K] : n x n\n"
    + LINES.format("W[k]").replace("tanh", "abs").replace("norm2(h[K] - y)^2", "norm1(h[K] - y)"),
    "flat": HEAD + "param W[1..K] : n x n\n" + LINES.format("W[k]").replace("tanh", "heaviside"),
}


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """Return what runs a command line in a folder with the specs."""
    monkeypatch.chdir(tmp_path)
    for name, text in SPECS.items():
        (tmp_path / f"{name}.symbp").write_text(text, encoding="utf-8")
    (tmp_path / "made.py").write_text('import symbp\nprogram = symbp.load("deep.symbp")\n')
    return lambda line: CliRunner().invoke(main, line.split(), catch_exceptions=False)


WORKS = (
    "derive symmetric.symbp -o out",
    "derive labels.symbp -o out",
    "derive inits.symbp -o out",
    "derive kinks.symbp -o out",
    "derive flat.symbp -o out",
    "derive output.symbp -o out",
    "derive deep.symbp -o out --wrt Omega",
    "derive deep.symbp -o out --wrt beta",
    "derive deep.symbp -o out --wrt x",
    "derive deep.symbp -o out --closed-form --name other",
    "derive made.py:program -o out --name other",
    "derive shared.symbp -o out --set K=3",
    "show identity.symbp --closed-form",
    "check deep.symbp",
)


@pytest.mark.parametrize("line", WORKS)
def test_it_works(cli, line, tmp_path):
    found = cli(line)
    assert found.exit_code == 0, found.output
    if "-o" in line:
        words = line.split()
        stem = "other" if "other" in words else words[1].partition(".")[0]
        assert (tmp_path / "out" / f"{stem}.py").exists()


def test_a_module_with_loops_is_judged_from_its_file(cli):
    assert cli("derive deep.symbp -o out").exit_code == 0
    assert cli("check out/deep.py").exit_code == 0


REFUSED = {
    "derive deep.symbp -o out --hessian": "--hessian is for loops of known length",
    "derive deep.symbp -o out --hvp": "`hvp` is in the module without being asked for",
    "derive output.symbp -o out --jacobian": "--jacobian is for loops of known length",
    "show output.symbp --jacobian": "give a number: `--set K=3`",
    "show deep.symbp --hessian": "K is a symbol",
    "derive deep.symbp -o out --proof": "--proof is for loops of known length",
    "derive identity.symbp -o out": "identity has loops and no `param`",
    "derive shared.symbp -o out": "K cannot be read off any argument",
    "derive axis.symbp -o out": "declare a family of K members",
    "check shared.symbp": "K cannot be read off any argument",
}


@pytest.mark.parametrize("line", REFUSED)
def test_it_is_refused_before_anything_is_written(cli, line, tmp_path):
    found = cli(line)
    assert found.exit_code == 2
    assert REFUSED[line] in found.output
    assert not (tmp_path / "out").exists()


def test_an_emitter_that_is_called_refuses_too():
    derivation = symbp.derive(symbp.parse(SPECS["shared"]))
    with pytest.raises(symbp.SymbpError, match="K cannot be read off"):
        symbp.emit(derivation)
    with pytest.raises(symbp.SymbpError, match="--hessian is for loops of known length"):
        derivation.unicode(wanted=symbp.Wanted(hessian=True))


def test_the_classes_of_labels_are_no_axis_of_theirs():
    module = symbp.compile(symbp.derive(symbp.parse(SPECS["labels"])))
    assert symbp.certify(module).ok


def test_a_gradient_of_zero_speaks_of_the_family():
    page = symbp.derive(symbp.parse(SPECS["flat"])).unicode()
    assert "Zero everywhere: the gradient with respect to W." in page
