"""The register tile: ``C = C0 + A B`` on a few rows times two vectors, in LLVM IR.

formula   c[r, j] = c0[r, j] + sum over k of a[r, k] b[k, j], k in ascending order, one FMA each
shapes    a (rows, K) at any two strides; b (K, width) with contiguous rows; c, c0 (rows, width)
reads     a, b, c0 (its row stride may be 0, so that one bias row starts every row)
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

from pellucid.kernels.panels import HALF_PANEL_BYTES
from pellucid.kernels.target import target

VECTOR_BYTES = target().vector_bytes
# 16 registers hold 6 x 2 sums, two vectors of b and one of a; 32 registers hold 8 x 2 and more
TILE_ROWS = 8 if VECTOR_BYTES == 64 else 6
WORD = ir.IntType(64)


def _emit_tile(builder, scalar, itemsize, height, vectors, arguments):
    """One tile of `height` rows and `vectors` vectors; sums stay in registers over all k."""
    a, a_row, a_k, b, b_k, start, start_row, c, c_row, depth = arguments
    lanes = VECTOR_BYTES // itemsize
    vector = ir.VectorType(scalar, lanes)
    fma = builder.module.declare_intrinsic(
        f"llvm.fma.v{lanes}f{8 * itemsize}", fnty=ir.FunctionType(vector, [vector] * 3)
    )
    zero = ir.Constant(WORD, 0)

    def load_vector(address, v):
        place = builder.add(address, ir.Constant(WORD, v * VECTOR_BYTES))
        return builder.load(builder.inttoptr(place, ir.PointerType()), typ=vector, align=itemsize)

    def row_address(base, stride, r):
        return builder.add(base, builder.mul(stride, ir.Constant(WORD, r)))

    def broadcast(value):
        first = ir.Constant(ir.IntType(32), 0)
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, first)
        mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), mask)

    sums = [
        [load_vector(row_address(start, start_row, r), v) for v in range(vectors)]
        for r in range(height)
    ]
    row_offsets = [builder.mul(a_row, ir.Constant(WORD, r)) for r in range(height)]
    before = builder.block
    loop = builder.append_basic_block("k")
    done = builder.append_basic_block("k.end")
    builder.cbranch(builder.icmp_signed(">", depth, zero), loop, done)

    builder.position_at_end(loop)
    k = builder.phi(WORD)
    a_now = builder.phi(WORD)
    b_now = builder.phi(WORD)
    now = [[builder.phi(vector) for _ in range(vectors)] for _ in range(height)]
    b_row = [load_vector(b_now, v) for v in range(vectors)]
    following = []
    for r in range(height):
        place = builder.inttoptr(builder.add(a_now, row_offsets[r]), ir.PointerType())
        factor = broadcast(builder.load(place, typ=scalar, align=itemsize))
        following.append([builder.call(fma, [factor, b_row[v], now[r][v]]) for v in range(vectors)])
    k_next = builder.add(k, ir.Constant(WORD, 1))
    a_next, b_next = builder.add(a_now, a_k), builder.add(b_now, b_k)
    for phi, first, then in ((k, zero, k_next), (a_now, a, a_next), (b_now, b, b_next)):
        phi.add_incoming(first, before)
        phi.add_incoming(then, loop)
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
            place = builder.add(row_address(c, c_row, r), ir.Constant(WORD, v * VECTOR_BYTES))
            builder.store(sums[r][v], builder.inttoptr(place, ir.PointerType()), align=itemsize)


@intrinsic
def tile(typingctx, dtype, height, wide, a, a_row, a_k, b, b_k, start, start_row, c, c_row, depth):
    """``c = start + a b`` on a tile of `height` rows, two vectors wide or one.

    Addresses and strides are in bytes. `height` is between 1 and ``TILE_ROWS``; `wide` is 1 for
    two vectors and 0 for one.
    """
    scalar_type = dtype.instance_type

    def generate(context, builder, signature, arguments):
        scalar = context.get_value_type(scalar_type)
        itemsize = context.get_abi_sizeof(scalar)
        height, wide = arguments[1], arguments[2]
        end = builder.append_basic_block("tile.end")
        shape = builder.add(builder.mul(height, ir.Constant(WORD, 2)), wide)
        switch = builder.switch(shape, end)
        widths = (1, 2) if VECTOR_BYTES == HALF_PANEL_BYTES else (2,)
        for rows in range(1, TILE_ROWS + 1):
            for vectors in widths:
                block = builder.append_basic_block(f"tile.{rows}x{vectors}")
                switch.add_case(ir.Constant(WORD, rows * 2 + vectors - 1), block)
                builder.position_at_end(block)
                _emit_tile(builder, scalar, itemsize, rows, vectors, arguments[3:])
                builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return types.void(dtype, *([types.intp] * 12)), generate
