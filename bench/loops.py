"""What a loop costs: a module for any depth beside the same network written out, and memory.

`python bench/loops.py` prints medians in one run, rounds interleaved, on one thread:

1. loss_and_grad of specs/deep.symbp at 50 layers of width 100, 128 examples: the module with loops
   over the module with the loops written out.
2. its peak memory with every 10th turn stored, over what `peak_numbers` predicts, and over storing
   all.
3. seconds to parse, derive and emit 100 and 1,000 layers written out.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported

import time
import tracemalloc
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import symbp

SPEC = (Path(__file__).parents[1] / "specs" / "deep.symbp").read_text(encoding="utf-8")
LAYERS, WIDTH, EXAMPLES = 50, 100, 128
ROUNDS, BURST = 20, 20


def module(**more: Any) -> ModuleType:
    """Return the module of the spec, with numbers for its sizes or what else is asked for."""
    derivation = symbp.derive(symbp.parse(SPEC, sizes=more.pop("sizes", None)))
    return symbp.compile(derivation, **more)


def data(like: ModuleType, dtype: type) -> tuple[Any, ...]:
    """Return parameters, inputs and targets."""
    rng, widths = np.random.default_rng(0), (WIDTH,) * (LAYERS + 1)
    x, y = (rng.standard_normal((EXAMPLES, WIDTH)).astype(dtype) for _ in range(2))
    return like.init_params(rng, dtype, D=widths), x, y


def burst(judged: ModuleType, args: tuple[Any, ...]) -> list[float]:
    """Return the seconds of some calls."""
    found = []
    for _ in range(BURST):
        start = time.perf_counter()
        judged.loss_and_grad(*args)
        found.append(time.perf_counter() - start)
    return found


def speed() -> None:
    """Print the time of a module with loops over that of one written out."""
    looped = module()
    plain = module(sizes={"K": LAYERS, "D": (WIDTH,) * (LAYERS + 1)})
    args = data(looped, np.float32)
    times: dict[str, list[float]] = {"looped": [], "plain": []}
    for _ in range(ROUNDS):
        times["looped"] += burst(looped, args)
        times["plain"] += burst(plain, args)
    one, other = (float(np.median(times[key])) for key in ("looped", "plain"))
    print(f"loops over written out: {one / other:.3f}  ({one * 1e3:.1f} ms, {other * 1e3:.1f} ms)")


def peak(judged: ModuleType, args: tuple[Any, ...]) -> int:
    """Return the bytes that a call holds at most, its arguments not counted."""
    judged.loss_and_grad(*args)
    tracemalloc.start()
    judged.loss_and_grad(*args)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def memory() -> None:
    """Print the peak of a module that stores every 10th turn, predicted and against storing all."""
    stored = module(wanted=symbp.Wanted(checkpoint=10))
    args = data(stored, np.float64)
    held, all_ = peak(stored, args), peak(module(), args)
    predicted = 8 * stored.peak_numbers(EXAMPLES, D=(WIDTH,) * (LAYERS + 1))
    print(f"peak, every 10th turn stored: {held / predicted:.3f} of the prediction, "
          f"{held / all_:.3f} of storing all")  # fmt: skip


def derivation() -> None:
    """Print the seconds of parsing, deriving and emitting layers that are written out."""
    seconds = {}
    for layers in (100, 1000):
        start = time.process_time()
        sizes = {"K": layers, "D": [4] * (layers + 1)}
        symbp.emit(symbp.derive(symbp.parse(SPEC, sizes=sizes)))
        seconds[layers] = time.process_time() - start
    ratio = seconds[1000] / seconds[100]
    print(f"layers written out, CPU seconds: {seconds[100]:.1f} at 100, {seconds[1000]:.1f} at "
          f"1,000: {ratio:.1f} times")  # fmt: skip


if __name__ == "__main__":
    speed()
    memory()
    derivation()
