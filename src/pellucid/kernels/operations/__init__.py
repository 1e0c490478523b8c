"""The signature of each operation, in a file of its kernel's name; it becomes a named tuple.

It is what a layer fills in by keyword, and what its kernel reads as ``a``. Nothing here needs a
compiler, so a process that finds its kernels in the cache never imports Numba.
"""
