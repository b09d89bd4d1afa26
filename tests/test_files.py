"""Files: written whole or not at all, and never over one that is not ours."""

import os

import pytest

from symbp.errors import SymbpError
from symbp.files import MARK, write_whole


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "new" / "a.py"
    write_whole(path, f"# {MARK}\n")
    write_whole(path, f"# {MARK} again ✓\n")
    assert path.read_text(encoding="utf-8") == f"# {MARK} again ✓\n"
    assert [p.name for p in path.parent.iterdir()] == ["a.py"]


def test_a_file_of_someone_else_is_left_as_it_is(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("mine")
    with pytest.raises(SymbpError, match="was not written by symbp"):
        write_whole(path, "x")
    assert path.read_text() == "mine"
    write_whole(path, "x", force=True)
    assert path.read_text() == "x"


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(SymbpError, match="is a folder"):
        write_whole(tmp_path, "x", force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(SymbpError, match="is no folder"):
        write_whole(tmp_path / "file" / "a.py", "x")


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text(MARK)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SymbpError, match="No space left"):
        write_whole(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.py"]
    assert path.read_text() == MARK


def test_the_mark_may_stand_at_the_end(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"x" * (1 << 20) + MARK.encode())
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
