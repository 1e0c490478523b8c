"""Options of the test suite, and a fixture of several files."""

import _thread
import time

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--every-float32",
        action="store_true",
        help="compare elementary functions over all 2^32 values (make check-all)",
    )


@pytest.fixture
def none_left():
    """All threads that a test started have ended; a bounded wait, since they say so just before."""
    before = _thread._count()
    yield
    for _ in range(1000):
        if _thread._count() <= before:
            return
        time.sleep(0.01)
    raise AssertionError("threads are left")
