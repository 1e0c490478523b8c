"""The mathematics of every operation: float64 NumPy that reads like the textbook.

Each function shows its formula, its shapes and its source, and its examples run as tests. The
formulas are the truth of this library: their gradients agree with finite differences, and the
compiled kernels agree with them. They are made to be read and compared with, not to be fast.

>>> from pellucid import formulas
>>> formulas.softmax([0.0, 0.0, 0.0, 0.0])
array([0.25, 0.25, 0.25, 0.25])
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING

__all__: list[str] = []
for _file in pkgutil.iter_modules(__path__):  # what each file makes public; a new one is in no list
    if not _file.name.startswith("_"):
        _module = importlib.import_module(f"{__name__}.{_file.name}")
        __all__ += _module.__all__
        globals().update({name: getattr(_module, name) for name in _module.__all__})

if TYPE_CHECKING:  # what editors and type checkers know of those that are there
    from pellucid.formulas.activations import *
    from pellucid.formulas.convolution import *
    from pellucid.formulas.dropout import *
    from pellucid.formulas.embedding import *
    from pellucid.formulas.gru import *
    from pellucid.formulas.layer_normalization import *
    from pellucid.formulas.linear import *
    from pellucid.formulas.losses import *
    from pellucid.formulas.lstm import *
    from pellucid.formulas.normalization import *
    from pellucid.formulas.optimizers import *
    from pellucid.formulas.pooling import *
    from pellucid.formulas.residual import *
    from pellucid.formulas.ridge import *
    from pellucid.formulas.rnn import *
    from pellucid.formulas.softmax import *
