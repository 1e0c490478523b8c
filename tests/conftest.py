"""Options of the test suite, and fixtures of several files."""

import _thread
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("pellucid", deadline=None)  # a busy machine is no fault of an example
settings.load_profile("pellucid")


def pytest_addoption(parser):
    parser.addoption(
        "--every-float32",
        action="store_true",
        help="compare elementary functions over all 2^32 values (make check-all)",
    )


@pytest.fixture(autouse=True, scope="module")
def environment_as_before():
    """What a file's tests leave in the environment, as Dask does, which starts workers with it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


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


@pytest.fixture(scope="module")
def browser():
    """Chromium, of one file's tests: while it runs, no other event loop can."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("Chromium is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """Be in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def often(monkeypatch):
    """Write after each step, whatever it costs."""
    from pellucid.training import loop, slots

    monkeypatch.setattr(slots, "RARELY", 0)
    monkeypatch.setattr(loop, "CALL_SECONDS", 1e-9)


@pytest.fixture
def half_done(own_folder, often, monkeypatch):
    """The bytes of the newest file and of the one before, of a fit stopped after its 5th step."""
    from stopped_fits import OFTEN, Stopped, X, Y, classifier, stop_after

    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(Stopped):
            classifier().fit(X, Y, **OFTEN)
    return Path("run.ckpt").read_bytes(), Path("run.ckpt.before").read_bytes()
