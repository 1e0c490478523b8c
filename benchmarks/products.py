"""A convolution's three products by themselves: forward, to the weights, to the input.

``python -m benchmarks.products pellucid`` prints GFLOP/s as JSON; ``torch_eager`` tries both of its
memory formats. Each product is checked first, on a few pictures, against NumPy in float64.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks.check import TOLERANCE, WrongStepError
from benchmarks.machine import usable_threads
from benchmarks.workloads import WORKLOADS, Array

LIBRARIES = ("pellucid", "torch_eager")
PRODUCTS = ("forward", "to the weights", "to the input")
CHECKED = 3  # pictures
COUNTS, SECONDS = 10, 0.05  # timings, of which the best counts, and the length of each


class Convolution(NamedTuple):
    """A 3 x 3 convolution without padding of a workload."""

    batch: int
    height: int
    width: int
    inputs: int
    outputs: int
    first: bool  # nobody wants the gradient of the data

    @property
    def products(self) -> tuple[str, ...]:
        """Those that a training step computes."""
        return PRODUCTS[:2] if self.first else PRODUCTS

    @property
    def flops(self) -> int:
        """Floating-point operations of each of the three products."""
        return 18 * self.batch * (self.height - 2) * (self.width - 2) * self.inputs * self.outputs

    def describe(self) -> str:
        return f"{self.height}x{self.width}x{self.inputs} to {self.outputs}, batch {self.batch}"


CONVOLUTIONS = tuple(
    Convolution(workload.batch, *shape, outputs, first=place == 0)
    for workload in WORKLOADS.values()
    for place, (shape, outputs) in enumerate(zip(workload.maps, workload.channels, strict=False))
)


def data(case: Convolution, batch: int) -> tuple[Array, Array, Array]:
    """x (B, H, W, C), weight (3, 3, C, OC), dy (B, H - 2, W - 2, OC)."""
    rng = np.random.default_rng(0)
    shapes = (
        (batch, case.height, case.width, case.inputs),
        (3, 3, case.inputs, case.outputs),
        (batch, case.height - 2, case.width - 2, case.outputs),
    )
    x, weight, dy = (rng.standard_normal(shape, dtype=np.float32) for shape in shapes)
    return x, weight, dy


def truth(x: Array, weight: Array, dy: Array) -> list[np.ndarray]:
    """The three products in float64."""
    seen = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), axis=(1, 2))
    y = np.einsum("bijckl,klco->bijo", seen, weight, optimize=True)
    dW = np.einsum("bijckl,bijo->klco", seen, dy, optimize=True)
    dx = np.zeros(x.shape)
    height, width = dy.shape[1:3]
    for k in range(3):
        for m in range(3):
            dx[:, k : k + height, m : m + width] += dy @ weight[k, m].T.astype(np.float64)
    return [y, dW, dx]


Way = tuple[list[Callable[[int], Any]], Callable[[], list[np.ndarray]]]
"""A library's way to compute: for each product a call that repeats it, and one that gives all."""


def pellucid(case: Convolution, batch: int, threads: int) -> list[Way]:
    from pellucid import Network
    from pellucid.engine import Program
    from pellucid.kernels.panels import aligned, unpack
    from pellucid.layers import Conv2d
    from pellucid.layers.stage import Batch
    from pellucid.network.layout import lay_out

    x, weight, dy = data(case, batch)
    # a layer below, so that the gradient to the input is wanted
    network = Network([Conv2d(case.inputs, 1, bias=False), Conv2d(case.outputs, 3, bias=False)])
    network.build(x.shape[1:], random_state=0).set_parameters({"1.weight": weight})
    gradients, held = aligned(network.values.size, np.float32), network.held
    shared = Batch(
        batch, np.dtype(np.float32), np.zeros(0, np.int64), training=True,
        clock=np.zeros(3, np.int64), weight=np.ones(batch, np.float32), order=np.arange(batch),
        slices=network.chain.slices, parts=threads,
    )  # fmt: skip
    layout = lay_out(network.chain, shared, held.views(held.values), held.views(gradients))
    stage = layout.stages[1]

    def places(grid: Any) -> np.ndarray:
        """Where the picture's own numbers lie in padded rows."""
        return (grid.pixels[:, None] + np.arange(grid.channels)).reshape(-1)

    stage.x[:, places(stage.x_grid)] = x.reshape(batch, -1)
    stage.dy[:, places(stage.y_grid)] = dy.reshape(batch, -1)
    layer = network.layers[1]
    sums = {"convolution_backward_weight", "convolution_backward_weight_by_rows", "sum_groups"}
    to_weights = [each for each in layer.backward(stage) if each.name in sums]
    to_input = [each for each in layer.backward(stage) if each.name not in sums]
    operations = [layer.forward(stage, True), to_weights, to_input]

    def repeat(kernels: Any) -> Callable[[int], Any]:
        kernels = [replace(each, meets=True) for each in kernels]  # what stood between is gone
        program = Program(kernels, np.float32, slices=network.chain.slices)
        return lambda times: program.run(0, times, batch, batch * times, threads)

    def results() -> list[np.ndarray]:
        for run in runs:
            run(1)
        dW = unpack(stage.gradients["weight"], 9 * case.inputs, case.outputs)
        y, dx = stage.y[:, places(stage.y_grid)], stage.dx[:, places(stage.x_grid)]
        return [y.reshape(dy.shape), dW.reshape(weight.shape), dx.reshape(x.shape)]

    runs = [repeat(each) for each in operations]
    return [(runs, results)]


def torch_eager(case: Convolution, batch: int, threads: int) -> list[Way]:
    import torch

    torch.set_num_threads(threads)
    formats = (torch.contiguous_format, torch.channels_last)
    return [_torch_way(data(case, batch), form) for form in formats]


def _torch_way(arrays: tuple[Array, Array, Array], form: Any) -> Way:
    """PyTorch in one of its memory formats."""
    import torch

    axes = ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))  # theirs
    x, weight, dy = (
        torch.from_numpy(each.transpose(order)).contiguous(memory_format=form)
        for each, order in zip(arrays, axes, strict=True)
    )

    def forward() -> Any:
        return torch.conv2d(x, weight)

    def backward(which: int) -> Any:
        mask = [which == 0, which == 1, False]
        return torch.ops.aten.convolution_backward(
            dy, x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, mask
        )[which]

    calls = [forward, partial(backward, 1), partial(backward, 0)]

    def repeat(call: Callable[[], Any], times: int) -> None:
        for _ in range(times):
            call()

    def results() -> list[np.ndarray]:
        y, dW, dx = (call().numpy() for call in calls)
        return [y.transpose(0, 2, 3, 1), dW.transpose(2, 3, 1, 0), dx.transpose(0, 2, 3, 1)]

    return [partial(repeat, call) for call in calls], results


def measure(library: str, threads: int) -> dict[str, dict[str, float]]:
    """GFLOP/s of each product of each convolution, of the library's fastest way."""
    build = {"pellucid": pellucid, "torch_eager": torch_eager}[library]
    found: dict[str, dict[str, float]] = {}
    for case in CONVOLUTIONS:
        for _, results in build(case, CHECKED, threads):
            expected = truth(*data(case, CHECKED))
            for name, given, true in zip(PRODUCTS, results(), expected, strict=True):
                error = float(np.abs(given - true).max() / np.abs(true).max())
                if not error <= TOLERANCE:
                    raise WrongStepError(f"{library}, {case.describe()}, {name}: error {error:.1e}")
        found[case.describe()] = dict.fromkeys(case.products, 0.0)
        for runs, _ in build(case, case.batch, threads):
            for name, run in zip(case.products, runs, strict=False):
                run(3)
                begin = perf_counter()
                run(3)
                times = max(3, int(SECONDS / max((perf_counter() - begin) / 3, 1e-9)))
                for _ in range(COUNTS):
                    begin = perf_counter()
                    run(times)
                    speed = case.flops * times / (perf_counter() - begin) / 1e9
                    found[case.describe()][name] = max(found[case.describe()][name], speed)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("--threads", type=int, default=usable_threads())
    given = parser.parse_args()
    print(json.dumps(measure(given.library, given.threads)))


if __name__ == "__main__":
    main()
