"""What a linear layer needs besides its products.

formula   W^T in panels from W in panels
shapes    W (positions I, H) packed, its transposes (H, I) packed
reads     W
writes    the transpose
source    ``pellucid.formulas.linear``
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from pellucid.kernels.intrinsics import WORD, address, share
from pellucid.kernels.panels import HALF_PANEL_BYTES, PANEL_BYTES
from pellucid.kernels.vectors import VECTOR_BYTES, load, store


@intrinsic
def _transpose_block(typingctx, dtype, source, row, rows, to, to_row, to_rows):
    """A square of as many rows and columns as a vector has lanes, transposed in registers.

    Rows from `rows` on are read as zeros; rows from `to_rows` on are not written. Each of the
    log2(lanes) rounds interleaves vector i with vector i + lanes / 2.
    """

    def generate(context, builder, signature, arguments):
        _, source, row, rows, to, to_row, to_rows = arguments
        scalar = context.get_value_type(dtype.instance_type)
        itemsize = context.get_abi_sizeof(scalar)
        lanes = VECTOR_BYTES // itemsize
        vector, index = ir.VectorType(scalar, lanes), ir.IntType(32)
        zeros = ir.Constant(vector, None)

        def place(base, stride, r):
            return builder.add(base, builder.mul(stride, WORD(r)))

        block = []
        for r in range(lanes):
            inside = builder.icmp_signed("<", WORD(r), rows)
            at = builder.select(inside, place(source, row, r), source)
            loaded = load(builder, at, vector, itemsize)
            block.append(builder.select(inside, loaded, zeros))
        half = lanes // 2
        masks = [
            ir.Constant(
                ir.VectorType(index, lanes),
                [side * half + i // 2 + lanes * (i % 2) for i in range(lanes)],
            )
            for side in (0, 1)
        ]
        for _ in range(lanes.bit_length() - 1):
            block = [
                builder.shuffle_vector(block[i], block[i + half], mask)
                for i in range(half)
                for mask in masks
            ]
        for r in range(lanes):
            with builder.if_then(builder.icmp_signed("<", WORD(r), to_rows)):
                store(builder, block[r], place(to, to_row, r), itemsize)
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 6)), generate


def transpose_panels(part, parts, step, first, rows, dtype, a):
    """``wt[q] = W[q]^T`` for each window position q (a linear layer has one), packed in panels."""
    inputs, outputs, size = a.inputs, a.outputs, a.w.itemsize
    panel, half, lanes = PANEL_BYTES // size, HALF_PANEL_BYTES // size, VECTOR_BYTES // size
    stored = (inputs + half - 1) // half * half
    blocks = (inputs + lanes - 1) // lanes
    begin, end = share(a.positions * blocks, part, parts)
    for unit in range(begin, end):
        position = unit // blocks
        i = (unit - position * blocks) * lanes
        q = i // panel
        to_width = panel if inputs - q * panel > half else half
        to = position * stored * outputs + q * panel * outputs + i - q * panel
        j = 0
        while j < outputs:
            p = j // panel
            width = panel if outputs - p * panel > half else half
            row = position * inputs + i
            at = p * panel * a.positions * inputs + row * width + j - p * panel
            _transpose_block(
                dtype, address(a.w, at), width * size, inputs - i,
                address(a.wt, to + j * to_width), to_width * size, outputs - j,
            )  # fmt: skip
            j += lanes
