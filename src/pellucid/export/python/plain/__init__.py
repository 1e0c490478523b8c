"""Functions of plain NumPy that a model written as Python takes along, as they stand here.

Their source is copied into the file that :func:`pellucid.export.python.source.to_python` writes,
with what they use and nothing else. So they import NumPy and the standard library alone.
"""
