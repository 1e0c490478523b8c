"""Clusters of Dask for many fits: what cannot be reached is said, soon, and leaves nothing."""

import time

import pytest
from distributed import Client

from pellucid.cli import cluster


@pytest.mark.parametrize("address", ["nowhere", "http://127.0.0.1:8786", "tcp://127.0.0.1:1"])
def test_a_client_that_cannot_start_is_closed_at_once(address, monkeypatch):
    """Else it waits for half a minute when Python ends, and leaves a traceback there."""
    monkeypatch.setattr(cluster, "_CONNECTED", 0.5)
    begin = time.monotonic()
    with (
        pytest.raises(ConnectionError, match=r"--scheduler must be the address of a Dask") as came,
        cluster.connected(address),
    ):
        pass
    assert repr(address) in str(came.value)
    assert time.monotonic() - begin < 10
    clients, trace = [], came.value.__cause__.__traceback__
    while trace is not None:
        clients += [one for one in trace.tb_frame.f_locals.values() if isinstance(one, Client)]
        trace = trace.tb_next
    assert clients and all(client.status == "closed" for client in clients)
