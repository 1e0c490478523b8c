"""The input of networks: rows of any kind behind one protocol, and their targets."""

from pellucid.rows.base import Reader, Rows
from pellucid.rows.dense import FEW_ROWS, Dense, as_rows
from pellucid.rows.feed import Feed, MemoryFeed, Window
from pellucid.rows.order import InTurn, Order, placed
from pellucid.rows.pictures import DecodedPictures, Pictures
from pellucid.rows.sequences import Sequences
from pellucid.rows.store import Store, StoreWriter
from pellucid.rows.store_file import Stale, is_store
from pellucid.rows.targets import Examples, Targets, unit_mean
from pellucid.rows.windows import ScaledWindows

__all__ = [
    "FEW_ROWS",
    "DecodedPictures",
    "Dense",
    "Examples",
    "Feed",
    "InTurn",
    "MemoryFeed",
    "Order",
    "Pictures",
    "Reader",
    "Rows",
    "ScaledWindows",
    "Sequences",
    "Stale",
    "Store",
    "StoreWriter",
    "Targets",
    "Window",
    "as_rows",
    "is_store",
    "placed",
    "unit_mean",
]
