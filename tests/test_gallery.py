"""The gallery: each command prints what is shown, and draws the figure that is committed."""

from importlib import util
from pathlib import Path

import pytest
from running import ROOT
from test_figures import words
from test_readme import Example, blocks, examples, missing, started, workplace

GALLERY = ROOT / "docs" / "gallery"
TEXT = (GALLERY / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    example
    for block in blocks(TEXT, "console")
    for example in examples(block)
    if example.command.startswith("symbp")
]
LIMIT = 100_000  # bytes of a figure in the repository


@pytest.mark.skipif(
    util.find_spec("matplotlib") is None, reason="matplotlib, the extra `plot`, is missing"
)
@pytest.mark.parametrize("example", COMMANDS, ids=lambda example: example.command[:60])
def test_a_command_draws_what_is_committed(example: Example, tmp_path: Path) -> None:
    folder = workplace(tmp_path)
    drawn = folder / "docs" / "gallery"
    drawn.mkdir(parents=True)
    done = started(example.command, folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert missing(example.shown, done.stdout) == []
    (figure,) = drawn.iterdir()
    assert words(figure.read_bytes()) == words((GALLERY / figure.name).read_bytes())


def test_every_figure_is_shown_and_small() -> None:
    figures = [path for path in GALLERY.iterdir() if path.name != "README.md"]
    assert figures
    for path in figures:
        assert f"]({path.name})" in TEXT
        assert f"--plot docs/gallery/{path.name}" in TEXT.replace("\\\n", " ")
        assert path.stat().st_size < LIMIT
