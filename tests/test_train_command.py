"""`symbp train`, as a user meets it: what is printed, what is written, how it ends."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from running import ROOT, SPECS, files, run

from symbp.training.model import Model

FIGURE = SPECS / "figure_7_8.symbp"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Stand in a folder with data of figure 7.8, and of problem 7.17."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 10))
    np.savez("d.npz", x=x, y=rng.standard_normal((100, 5)))
    np.savez("b.npz", x=x, y=x[:, 0] > 0)
    return tmp_path


def trained(*arguments):
    """Return what a run that succeeds prints."""
    result = run("train", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_figure_7_8_is_one_command(folder):
    lines = trained(FIGURE, "d.npz").splitlines()
    assert lines[0] == (
        "sgd, rate 0.1 times 0.5 every 10 epochs, momentum 0.9; batches of 10; seed 0; float64; "
        "2,285 numbers, 100 examples"
    )
    shown = [
        int(found[1]) for line in lines if (found := re.match(r"epoch +(\d+)  training", line))
    ]
    assert shown == [1, *range(10, 101, 10)]
    assert lines[-1] == "Wrote figure_7_8.params.npz"
    with np.load("figure_7_8.params.npz", allow_pickle=False) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "Omega_0": (40, 10), "beta_0": (40,), "Omega_1": (40, 40), "beta_1": (40,),
            "Omega_2": (5, 40), "beta_2": (5,),
        }  # fmt: skip
    assert len(files(folder)) == 3


def test_the_same_command_writes_the_same(folder):
    trained(FIGURE, "d.npz", "--epochs", 3)
    before = files(folder)
    trained(FIGURE, "d.npz", "--epochs", 3)
    assert files(folder) == before


def test_classes_and_a_share_held_back():
    text = trained(SPECS / "problem_7_17.symbp", "b.npz", "--holdout", 0.2, "--epochs", 5)
    assert "80 examples, 20 held back" in text
    assert re.search(r"epoch 5  training loss .*  holdout accuracy [\d.]+ %", text)


def test_sizes_are_set_or_read_off_the_data():
    deep = SPECS / "deep.symbp"
    assert "485 numbers" in trained(deep, "d.npz", "--set", "D=10,30,5", "--rate", 0.01)
    Path("free.symbp").write_text(
        "size n, m, h = 7\ninput x : n\ntarget y : m\nparam V : m x h  init xavier\n"
        "param W : h x n  init xavier\nf = V @ tanh(W @ x)\nloss = norm2(f - y)^2\n"
    )
    assert "105 numbers" in trained("free.symbp", "d.npz", "--rate", 0.01, "--epochs", 2)


def test_the_losses_are_drawn():
    pytest.importorskip("matplotlib", reason="matplotlib is in the extra `plot`")
    assert trained(FIGURE, "d.npz", "--epochs", 2, "--plot", "l.svg").endswith("Wrote l.svg\n")
    assert "<svg" in Path("l.svg").read_text(encoding="utf-8")


def test_float32():
    trained(FIGURE, "d.npz", "--dtype", "float32", "--epochs", 1, "-o", "p.npz")
    with np.load("p.npz") as arrays:
        assert {arrays[name].dtype for name in arrays} == {np.dtype("float32")}


def test_adam():
    first = trained(FIGURE, "d.npz", "--optimizer", "adam", "--epochs", 1).splitlines()[0]
    assert first.startswith("adam, rate 0.001; batches of 10")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{figure} no.npz", "no file no.npz"),
        ("{figure} b.npz", "`y` must have shape (N, 5), got (100,)"),
        ("{figure} d.npz --set D_i=9", "`x` must have shape (N, 9), got (100, 10)"),
        ("{figure} d.npz --epochs 0", "--epochs must be a whole number from 1"),
        ("{figure} d.npz --batch 101", "100 examples to train on are fewer than a batch of 101"),
        ("{figure} d.npz --batch 90 --holdout 0.2", "80 examples to train on are fewer"),
        ("{figure} d.npz -o d.npz", "d.npz is read by this run"),
        ("{figure} d.npz -o d.npz --force", "d.npz is read by this run"),
        ("{figure} d.npz --state d.npz", "d.npz is read by this run"),
        ("{figure} d.npz -o b.npz", "b.npz was not written by symbp"),
        ("{figure} d.npz -o a.npz --state a.npz", "a.npz cannot hold both"),
        ("{figure} d.npz -o d.npz/p.npz", "d.npz is no folder"),
        ("{figure} d.npz --resume d.npz", "d.npz is read by this run"),
        ("{figure} d.npz --resume b.npz", "b.npz holds no state of a run"),
        ("{figure} d.npz --plot l.jpg", "l.jpg is neither SVG nor PNG"),
        ("{figure} --random 5 --seed -1", "--seed must be a whole number from 0, got -1"),
        ("{figure} --random 1000000000000", "random examples do not fit into memory"),
        ("{figure} d.npz --rate 1000", "in epoch 1 the loss is"),
        ("{specs}/two_paths.symbp d.npz", "two_paths has no loss to lower"),
        ("{specs}/dag.symbp d.npz", "dag has no loss to lower"),
        ("{specs}/deep.symbp d.npz", "`x` has a size D[0] without a number"),
        ("{specs}/deep.symbp d.npz --set K=2", "the size D_1 has no number, and the data"),
        ("{specs}/toy.symbp d.npz", "`x` must have shape (N,), got (100, 10)"),
        ("{specs}/leaky.symbp d.npz", "the data have no array `alpha`"),
        ("rnn.symbp d.npz", "`x` is a family of any length, which training does not take"),
        ("no_param.symbp d.npz", "no_param has no parameter to train"),
    ],
)
def test_it_is_refused_and_nothing_is_written(line, message, folder):
    Path("rnn.symbp").write_text(
        "size T, n = 10\ninput x[1..T] : n\ntarget y\nparam w : n\n"
        "loss = sum((dot(w, x[t]) - y)^2 for t in 1..T)\n"
    )
    Path("no_param.symbp").write_text("input x\ntarget y\nloss = (x - y)^2\n")
    before = files(folder)
    result = run("train", *line.format(figure=FIGURE, specs=SPECS).split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert files(folder) == before


def test_warnings_go_to_the_other_stream():
    np.savez("k.npz", x=np.ones((20, 4)), y=np.ones(20))
    result = run("train", SPECS / "kinks.symbp", "k.npz", "--rate", 0.01, "--epochs", 30)
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "warning: the gradient vanishes on its way to Omega_0: its root"
    )
    assert result.stderr.count("\n") == 1


def interrupted(monkeypatch, *arguments):
    """Return the result of a run that is interrupted in its third epoch."""
    calls, whole = [], Model.loss_and_grad

    def once(self, theta, args):
        calls.append(args)
        if len(calls) == 25:
            raise KeyboardInterrupt
        return whole(self, theta, args)

    with monkeypatch.context() as patch:
        patch.setattr(Model, "loss_and_grad", once)
        return run("train", FIGURE, "d.npz", "--epochs", 12, *arguments)


@pytest.mark.parametrize("state", [["--state", "run.npz"], []])
def test_an_interrupted_run_goes_on(state, monkeypatch):
    name = (state or ["", "figure_7_8.state.npz"])[1]
    result = interrupted(monkeypatch, *state)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:2] == [
        f"interrupted in epoch 3; {name} holds the whole ones",
        f"help: `--resume {name}` goes on with it",
    ]
    assert "from epoch 3 on" in trained(FIGURE, "d.npz", "--resume", name)
    resumed = Path("figure_7_8.params.npz").read_bytes()
    trained(FIGURE, "d.npz", "--epochs", 12)
    assert Path("figure_7_8.params.npz").read_bytes() == resumed


def test_an_interrupt_never_costs_another_run(monkeypatch, folder):
    interrupted(monkeypatch)
    before = files(folder)
    result = interrupted(monkeypatch, "--seed", 5)
    assert "interrupted in epoch 3, and nothing is kept" in result.stderr
    assert files(folder) == before


def test_a_state_is_kept_unless_forced(folder):
    trained(FIGURE, "d.npz", "--epochs", 2, "--state", "run.npz")
    before = files(folder)
    refused = run("train", FIGURE, "d.npz", "--epochs", 2, "--state", "run.npz")
    assert "holds the state of a run, which a new one would overwrite" in refused.stderr
    refused = run("train", FIGURE, "d.npz", "--epochs", 2, "-o", "run.npz")
    assert "run.npz does not hold parameters and is left as it is" in refused.stderr
    assert files(folder) == before
    trained(FIGURE, "d.npz", "--epochs", 2, "--state", "run.npz", "--force")
    assert files(folder) == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_signal_in_a_process_of_its_own(folder):
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "symbp", "train", str(FIGURE), "d.npz", "--epochs", "100000",
         "--state", "run.npz"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    for _ in range(3):  # until the tenth epoch
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.match(r"interrupted in epoch \d+; run.npz holds the whole ones\n", errors)
    assert "Traceback" not in errors
    assert sorted(files(folder)) == ["b.npz", "d.npz", "run.npz"]
