"""The register tile: ``C = C0 + A B`` on a few rows times two vectors, in LLVM IR.

formula   c[r, j] = c0[r, j] + sum over k of a[r, k] b[k, j], k in ascending order, one FMA each
shapes    a (rows, K); b (K, width) and c, c0 (rows, width) with contiguous rows
reads     a, b, c0, and tables of where each row and each term lies: a[r, k] is the number at
          ``a_rows[r] + a_terms[k]``. So one tile serves matrices either way round, and the
          windows of a picture as they lie in it.
writes    c, which may be c0
source    Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008), the
          inner kernel; here nothing is packed but the weights, once a step.

An element's bits depend on its own row of `a` and column of `b` alone: neither the height of the
tile, nor the vector's width, nor the thread shows.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from pellucid.kernels.intrinsics import WORD
from pellucid.kernels.panels import HALF_PANEL_BYTES, PANEL_BYTES, TILE_ROWS
from pellucid.kernels.vectors import VECTOR_BYTES, broadcast, entry, load, store


def _emit_tile(builder, scalar, itemsize, height, vectors, arguments, panel_step=None):
    """One tile of `height` rows and `vectors` vectors; sums stay in registers over all k.

    With a `panel_step`, the bytes from one panel of b to the next, it is several panels wide.
    """
    a, a_rows, a_terms, b, b_terms, b_scale, start, start_scale, c, c_rows, c_scale, depth = (
        arguments
    )
    lanes = VECTOR_BYTES // itemsize
    vector = ir.VectorType(scalar, lanes)
    fma = builder.module.declare_intrinsic(
        f"llvm.fma.v{lanes}f{8 * itemsize}", fnty=ir.FunctionType(vector, [vector] * 3)
    )
    zero, size = WORD(0), WORD(itemsize)

    def load_vector(address, v):
        return load(builder, builder.add(address, WORD(v * VECTOR_BYTES)), vector, itemsize)

    def scaled(table, index, scale):
        return builder.mul(entry(builder, table, index), scale)

    row_numbers = [WORD(r) for r in range(height)]
    sums = [
        [load_vector(builder.add(start, scaled(c_rows, r, start_scale)), v) for v in range(vectors)]
        for r in row_numbers
    ]
    a_row = [builder.add(a, scaled(a_rows, r, size)) for r in row_numbers]
    before = builder.block
    loop = builder.append_basic_block("k")
    done = builder.append_basic_block("k.end")
    builder.cbranch(builder.icmp_signed(">", depth, zero), loop, done)

    builder.position_at_end(loop)
    k = builder.phi(WORD)
    now = [[builder.phi(vector) for _ in range(vectors)] for _ in range(height)]
    a_term = scaled(a_terms, k, size)
    b_term = builder.add(b, scaled(b_terms, k, b_scale))
    if panel_step is None:
        b_row = [load_vector(b_term, v) for v in range(vectors)]
    else:
        of_panel = PANEL_BYTES // VECTOR_BYTES
        steps = [builder.mul(panel_step, WORD(p)) for p in range(vectors // of_panel)]
        b_row = [
            load_vector(builder.add(b_term, steps[v // of_panel]), v % of_panel)
            for v in range(vectors)
        ]
    following = []
    for r in range(height):
        number = load(builder, builder.add(a_row[r], a_term), scalar, itemsize)
        factor = broadcast(builder, number, lanes)
        following.append([builder.call(fma, [factor, b_row[v], now[r][v]]) for v in range(vectors)])
    k_next = builder.add(k, WORD(1))
    k.add_incoming(zero, before)
    k.add_incoming(k_next, loop)
    for r in range(height):
        for v in range(vectors):
            now[r][v].add_incoming(sums[r][v], before)
            now[r][v].add_incoming(following[r][v], loop)
    builder.cbranch(builder.icmp_signed("<", k_next, depth), loop, done)

    builder.position_at_end(done)
    for r in range(height):
        for v in range(vectors):
            total = builder.phi(vector)
            total.add_incoming(sums[r][v], before)
            total.add_incoming(following[r][v], loop)
            sums[r][v] = total
    for r in range(height):
        for v in range(vectors):
            row = builder.add(c, scaled(c_rows, row_numbers[r], c_scale))
            store(builder, sums[r][v], builder.add(row, WORD(v * VECTOR_BYTES)), itemsize)


# One row has but two sums a panel, each of which waits for the one before it.
ROW_PANELS = 8 * VECTOR_BYTES // PANEL_BYTES


@intrinsic
def row_tile(
    typingctx, dtype, a, a_row, a_terms, b, b_terms, b_scale, panel_step, start, c, c_row, depth
):
    """``c = start + a b`` for one row and ``ROW_PANELS`` whole panels of b side by side.

    As :func:`tile` has it; panels lie `panel_step` bytes apart.
    """
    scalar_type = dtype.instance_type

    def generate(context, builder, signature, arguments):
        scalar = context.get_value_type(scalar_type)
        itemsize = context.get_abi_sizeof(scalar)
        _, a, a_row, a_terms, b, b_terms, b_scale, panel_step, start, c, c_row, depth = arguments
        zero = WORD(0)
        given = (
            a, a_row, a_terms, b, b_terms, b_scale, start, zero, c, c_row, WORD(itemsize), depth
        )  # fmt: skip
        vectors = ROW_PANELS * PANEL_BYTES // VECTOR_BYTES
        _emit_tile(builder, scalar, itemsize, 1, vectors, given, panel_step)
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 11)), generate


@intrinsic
def tile(
    typingctx, dtype, height, wide,
    a, a_rows, a_terms, b, b_terms, b_scale, start, start_scale, c, c_rows, c_scale, depth,
):  # fmt: skip
    """``c = start + a b`` on a tile of `height` rows, two vectors wide or one.

    Tables count elements of a row of `a`; those of b and c are multiplied by `b_scale` and
    `c_scale` bytes. `start_scale` of 0 starts every row from one, `height` is between 1 and
    ``TILE_ROWS``, and `wide` is 1 for two vectors and 0 for one.
    """
    scalar_type = dtype.instance_type

    def generate(context, builder, signature, arguments):
        scalar = context.get_value_type(scalar_type)
        itemsize = context.get_abi_sizeof(scalar)
        height, wide = arguments[1], arguments[2]
        end = builder.append_basic_block("tile.end")
        shape = builder.add(builder.mul(height, WORD(2)), wide)
        switch = builder.switch(shape, end)
        widths = (1, 2) if VECTOR_BYTES == HALF_PANEL_BYTES else (2,)
        for rows in range(1, TILE_ROWS + 1):
            for vectors in widths:
                block = builder.append_basic_block(f"tile.{rows}x{vectors}")
                switch.add_case(WORD(rows * 2 + vectors - 1), block)
                builder.position_at_end(block)
                _emit_tile(builder, scalar, itemsize, rows, vectors, arguments[3:])
                builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 14)), generate
