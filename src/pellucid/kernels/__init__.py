"""Compiled kernels: the formulas in float32 and float64.

Each file's operations bear their formula's name and begin with the same four lines: formula,
shapes, what is read and written, source. What their arguments are stands in ``operations``.
"""
