"""A run that was interrupted ends as one that was not, to the last bit; or is refused."""

import io
import os
import zipfile

import numpy as np
import pytest
from runs import BITS, DATA, ready, spec

import symbp
from symbp.errors import SymbpError
from symbp.trainer import Files
from symbp.training.model import Model

OPTIONS = {"epochs": 12, "decay_every": 4, "holdout": 0.2, "seed": 5}


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """Interrupt the run in the middle of its sixth epoch; return the file of its state."""
    path = tmp_path / "run.npz"

    def interrupt(**options):
        calls, whole = 0, Model.loss_and_grad

        def once(self, theta, args):
            nonlocal calls
            calls += 1
            if calls == 5 * 8 + 4:  # 80 examples in batches of 10
                raise KeyboardInterrupt
            return whole(self, theta, args)

        with monkeypatch.context() as patch:
            patch.setattr(Model, "loss_and_grad", once)
            with pytest.raises(KeyboardInterrupt):
                ready(**OPTIONS, **options).run(files=Files(state=path))
        return path

    return interrupt


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_resumed_runs_are_the_same_to_the_last_bit(interrupted, optimizer, dtype):
    options = {"optimizer": optimizer, "dtype": dtype}
    path = interrupted(**options)
    resumed = ready(resume=path)
    assert resumed.state.epoch == 5
    mine, whole = resumed.run(), ready(**OPTIONS, **options).run()
    assert mine.history == whole.history
    assert np.array_equal(mine.gradients, whole.gradients)
    flat = whole.module.ravel
    assert flat(mine.params).tobytes() == flat(whole.params).tobytes()


def test_a_run_that_is_over_goes_on_with_more_epochs(tmp_path):
    path = tmp_path / "run.npz"
    symbp.train(spec("figure_7_8"), DATA, state=path, epochs=3)
    more = symbp.train(spec("figure_7_8"), DATA, resume=path, epochs=6)
    assert more.history == symbp.train(spec("figure_7_8"), DATA, epochs=6).history
    again = symbp.train(spec("figure_7_8"), DATA, resume=path)
    assert again.history == more.history


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"program": spec("mlp")}, "is the state of a run on another spec"),
        ({"data": {**DATA, "y": DATA["y"] + 1}}, "is the state of a run on other data"),
        ({"seed": 6}, "the run began with --seed 5, and cannot go on with 6"),
        ({"batch": 20}, "the run began with --batch 10"),
    ],
)
def test_a_state_of_another_run_is_refused(interrupted, more, message):
    with pytest.raises(SymbpError, match=message):
        ready(resume=interrupted(), **more)


def test_a_state_of_other_sizes_is_refused(tmp_path):
    text = "size n, m\ninput x : n\ntarget y\nparam W : m x n\nf = W @ x\nloss = norm2(f) + y\n"
    data, path = {"x": DATA["x"], "y": DATA["y"][:, 0]}, tmp_path / "run.npz"
    symbp.train(symbp.parse(text, sizes={"m": 3}), data, state=path, epochs=1)
    with pytest.raises(SymbpError, match="a run on parameters of other sizes"):
        symbp.train(symbp.parse(text, sizes={"m": 4}), data, resume=path)


def test_a_state_is_not_lost_to_a_new_run(interrupted):
    path = interrupted()
    before = path.read_bytes()
    with pytest.raises(SymbpError, match="holds the state of a run, which a new one would overwr"):
        symbp.train(spec("figure_7_8"), DATA, state=path)
    assert path.read_bytes() == before


def test_a_file_of_another_is_not_lost_to_a_state(tmp_path):
    path = tmp_path / "run.npz"
    np.savez(path, **DATA)
    with pytest.raises(SymbpError, match="was not written by symbp"):
        symbp.train(spec("figure_7_8"), DATA, state=path)


def test_a_state_that_cannot_be_written_leaves_the_last(interrupted, monkeypatch):
    path = interrupted()
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SymbpError, match="No space left"):
        ready(resume=path).run(files=Files(resume=path))
    assert (path.read_bytes(), [p.name for p in path.parent.iterdir()]) == (before, ["run.npz"])


@pytest.mark.parametrize(
    "change",
    [
        {"theta": None},
        {"rng": np.array("{}")},
        {"rng": np.array("no JSON")},
        {"options": np.array('{"epochs": 0}')},
        {"options": np.array('{"what": 0}')},
        {"history": np.array("[]")},
        {"history": np.array("{}")},
        {"epoch": np.array(99)},
        {"moment_0": np.zeros(3)},
        {"theta": np.zeros((3, 3))},
        {"gradients": np.full((5, 4), "1.0")},
    ],
)
def test_a_state_that_is_damaged(interrupted, change, tmp_path):
    arrays = {**dict(np.load(interrupted())), **change}
    kept = {name: array for name, array in arrays.items() if array is not None}
    np.savez(tmp_path / "bad.npz", **kept)
    with pytest.raises(SymbpError, match=r"holds no state of a run|--epochs must"):
        ready(resume=tmp_path / "bad.npz")


def test_a_state_holds_no_pickle_and_the_same_bytes(interrupted):
    content = interrupted().read_bytes()
    assert interrupted().read_bytes() == content
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.comment == b"Generated by symbp: the state of a run"
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_another_seed_is_another_run():
    runs = [ready(spec("problem_7_17"), BITS, epochs=1, seed=seed).run() for seed in (0, 1)]
    assert runs[0].history != runs[1].history
