"""The wheel in a fresh environment: the main job from another folder, the module on its own."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import ROOT, SPECS

SOURCES = ("symbp", "templates", "pyproject.toml", "README.md", "LICENSE")
OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


def started(*command: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of this environment."""
    known = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**known, "PYTHONIOENCODING": "utf-8", **env},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources, so that nothing is left beside them."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, the build back end, is missing")
    if importlib.util.find_spec("build") is None:
        tool = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", "dist", ".")
    else:
        tool = ("-m", "build", "--wheel", "--no-isolation", "-o", "dist", ".")
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    done = started(sys.executable, *tool, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install the wheel with what it depends on; give the folder of its commands."""
    folder = tmp_path_factory.mktemp("fresh")
    started(sys.executable, "-m", "venv", "env", cwd=folder).check_returncode()
    commands = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    done = started(commands / "python", "-m", "pip", "install", "-q", wheel, cwd=folder)
    if done.returncode:
        pytest.skip(f"its dependencies cannot be installed: {done.stderr.strip()[-200:]}")
    yield commands
    shutil.rmtree(folder, ignore_errors=True)


def test_the_wheel_holds_what_is_needed(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("symbp", "templates"):
        prefix = "" if folder == "symbp" else "symbp/"
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert prefix + path.relative_to(ROOT).as_posix() in names
    assert not any(name.startswith(("tests/", "specs/")) for name in names)


def test_the_main_job_from_another_folder(bin_folder: Path, tmp_path: Path) -> None:
    shutil.copy(SPECS / "mlp.symbp", tmp_path / "net.symbp")
    done = started(bin_folder / "symbp", "derive", "net.symbp", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Wrote generated/mlp.py\n")
    shown = started(bin_folder / "symbp", "show", "net.symbp", "--format", "latex", cwd=tmp_path)
    assert shown.stdout.rstrip().endswith("\\end{document}")

    lonely = [sys.executable, "-I", "-c"]  # isolated: neither this checkout nor any PYTHONPATH
    code = (
        "import sys; sys.path.insert(0, 'generated')\n"
        "class Nowhere:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('symbp', 'sympy'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, Nowhere())\n"
        "import numpy as np, mlp\n"
        "params, (x, y) = mlp.sample(np.random.default_rng(0), 3)\n"
        "loss, grad = mlp.loss_and_grad(params, x, y)\n"
        "assert grad.Omega_1.shape == params.Omega_1.shape\n"
        "assert mlp.check() and all(error <= bound for _, error, bound in mlp.check())\n"
        "print('checked')\n"
    )
    module = started(*lonely, code, cwd=tmp_path)
    assert module.stdout.endswith("checked\n"), module.stderr
    alone = started(sys.executable, "-I", "generated/mlp.py", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert "Omega_1" in alone.stdout
