"""A network that cannot fit into memory is refused in one sentence, before it is allocated."""

import subprocess
import sys

import numpy as np
import pytest

from pellucid import FCNNClassifier, Network, memory
from pellucid.layers import AvgPool2d, Conv2d, Flatten, GlobalAvgPool, Linear, MaxPool2d


@pytest.mark.parametrize(
    ("layers", "shape", "what"),
    [
        ([Linear(10**12)], (15,), "one row on its way through the layers of Network"),
        ([Linear(10**40)], (15,), "one row on its way through the layers of Network"),
        ([Linear(10**6), Linear(10**9, bias=False), Linear(3)], (4,), "the parameters of Network"),
        ([Conv2d(1, 3, padding=10**6)], (8, 8, 1), "one row on its way through the layers"),
        # few outputs, but a wide border of zeros around the input
        ([Conv2d(1, 3, 10**7, padding=10**7), Flatten()], (8, 8, 1), "one row on its way"),
    ],
)
def test_what_does_not_fit_is_refused(layers, shape, what):
    with pytest.raises(MemoryError, match=rf"^{what}.* must fit into the memory of .* Use smaller"):
        Network(layers).build(shape)


@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
def test_tables_of_windows_are_bounded(pool):
    layers = [pool(500, stride=1), GlobalAvgPool()]
    match = "must see at most 268,435,456 pixels of a map. Got 501 x 501 windows of 500 x 500"
    with pytest.raises(ValueError, match=match):
        Network(layers).build((1000, 1000, 1))


def test_a_batch_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "memory_limit", lambda: 100e6)
    X, y = np.zeros((2000, 3), np.float32), np.arange(2000) % 2
    model = FCNNClassifier(20_000, num_layers=1, batch_size="full", max_epochs=1, verbose=0)
    with pytest.raises(MemoryError, match="^a batch of 2,000 .* 100 MB .* Use a smaller batch"):
        model.fit(X, y)
    assert not hasattr(model, "network_")
    model.set_params(batch_size=32).fit(X, y)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits")
def test_a_limit_of_the_process_counts():
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (10**10, 10**10))\n"
        "from pellucid.memory import memory_limit; print(memory_limit())"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(out.stdout) <= 1e10
    assert memory.memory_limit() > 1e8
