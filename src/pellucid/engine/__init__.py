"""What runs the kernels: the catalogue, the compiler and its cache, programs, threads.

Nothing here imports Numba until something has to be compiled.
"""

from pellucid.engine import elementary
from pellucid.engine.arguments import Operation, operation
from pellucid.engine.cache import folder as cache_folder
from pellucid.engine.control import halt_word, new_control
from pellucid.engine.crew import Crew
from pellucid.engine.float_state import plain_float_state
from pellucid.engine.library import announced, compile_all, uncompiled
from pellucid.engine.limit import measure_limit
from pellucid.engine.program import Program, execute
from pellucid.engine.threads import available as available_threads
from pellucid.engine.threads import held_across_forks, processors

__all__ = [
    "Crew",
    "Operation",
    "Program",
    "announced",
    "available_threads",
    "cache_folder",
    "compile_all",
    "elementary",
    "execute",
    "halt_word",
    "held_across_forks",
    "measure_limit",
    "uncompiled",
    "new_control",
    "operation",
    "processors",
    "plain_float_state",
]
