"""Many fits at once by Dask: on processes of this machine, or on a cluster that is there."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import metadata
from typing import Any, NamedTuple

from pellucid.checks import one_line, shown

_OF_TRACKER = "ignore::UserWarning"
_CONNECTED, _STARTED, _CLOSED = 15.0, 120.0, 10.0  # seconds at most until these are so


class LostWorkers(ConnectionError):
    """Workers are lost with data that no other has; it can be sent again."""


class Cluster(NamedTuple):
    """A cluster that is ready.

    Attributes
    ----------
    client : distributed.Client
    slots : int
        Fits that can be made at a time.
    name : str
        How errors call it.
    """

    client: Any
    slots: int
    name: str


@contextmanager
def cluster_of(workers: int | None, address: str | None) -> Iterator[Cluster | None]:
    """:func:`started` or :func:`connected`, or None where neither is asked for."""
    with ExitStack() as stack:
        if workers is not None:
            yield stack.enter_context(started(workers))
        elif address is not None:
            yield stack.enter_context(connected(address))
        else:
            yield None


def check_installed(option: str) -> None:
    """Refuse an option that needs Dask where it is not installed."""
    from pellucid.data.tables import needed

    for library in ("dask", "distributed"):
        needed(option, library, "dask")


@contextmanager
def started(count: int) -> Iterator[Cluster]:
    """A cluster of so many processes on this machine, which share its processors.

    Raises
    ------
    ConnectionError
        If the processes do not start.
    """
    import dask
    from distributed import Client, LocalCluster

    from pellucid.engine import available_threads
    from pellucid.engine.threads import call_apart

    threads = max(1, available_threads() // count)
    # else copies of the data are taken away again, and none is left where a worker is lost
    settings = {"distributed.scheduler.active-memory-manager.start": False}
    with _silent(), dask.config.set(settings), ExitStack() as stack:

        def begin() -> Any:
            cluster = LocalCluster(
                n_workers=0, threads_per_worker=1, processes=True, host="127.0.0.1",
                memory_limit=0, silence_logs=logging.CRITICAL, dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # a port for its health
                env={"OMP_NUM_THREADS": str(threads)},
            )  # fmt: skip
            stack.callback(_close, cluster)
            client = Client(cluster, timeout=_CONNECTED, set_as_default=False)
            stack.callback(_close, client)
            stack.push(partial(_kill_on_error, cluster))
            client.sync(_keep_interrupts)
            cluster.scale(count)
            return client

        client = call_apart(begin)  # whole: an interrupt would leave it half done
        try:
            client.wait_for_workers(count, timeout=_STARTED)
        except TimeoutError as error:
            there = len(client.nthreads())
            raise ConnectionError(
                f"--workers {count} must start within {_STARTED:.0f} s. Got {there} that did. Use "
                "fewer."
            ) from error
        yield Cluster(client, count, "Dask on this machine")


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster of the Dask scheduler at an address.

    Raises
    ------
    ConnectionError
        If the scheduler does not answer, or has no workers with this version of pellucid.
    """
    from distributed import Client

    class Connected(Client):
        """One that is closed where it cannot start: else it waits for half a minute at the end."""

        def start(self, **options: Any) -> None:
            try:
                super().start(**options)
            except BaseException:
                _close(self)
                raise

    with ExitStack() as stack:
        stack.enter_context(_silent())
        try:
            client = Connected(address, timeout=_CONNECTED, set_as_default=False)
        except Exception as error:
            raise ConnectionError(
                "--scheduler must be the address of a Dask scheduler that answers within "
                f"{_CONNECTED:.0f} s, as tcp://10.0.0.1:8786. Got {shown(address)}: "
                f"{one_line(str(error) or type(error).__name__)}."
            ) from error
        stack.callback(_close, client)
        try:
            client.wait_for_workers(1, timeout=_CONNECTED)
        except TimeoutError as error:
            raise ConnectionError(
                f"the Dask scheduler at {address} must have workers. Got none within "
                f"{_CONNECTED:.0f} s. Start some: dask worker {address}."
            ) from error
        _check_versions(client, address)
        yield Cluster(client, sum(client.nthreads().values()), f"the Dask scheduler at {address}")


@contextmanager
def used(cluster: Cluster, data: Sequence[Any]) -> Iterator[None]:
    """Within it joblib, and so scikit-learn, works on a cluster, to which `data` are sent once.

    They are found again by being the same objects.

    Raises
    ------
    LostWorkers
        If workers are lost with data that no other has.
    ConnectionError
        If the cluster is lost in another way.
    """
    from joblib import parallel_config

    client = cluster.client
    try:
        client.wait_for_workers(1, timeout=_STARTED)
        there = parallel_config(backend="dask", client=client, scatter=list(data))
    except Exception as error:  # whatever it is that does not arrive
        raise _lost(cluster, error) or _lost_workers(cluster) from error
    try:
        with there:
            yield
    except BaseException as error:
        lost = _lost(cluster, error)
        if lost is None:
            raise
        raise lost from error


def _lost(cluster: Cluster, error: BaseException) -> ConnectionError | None:
    """What to raise of an error if it is that a cluster is lost, or a part of it."""
    import asyncio
    import concurrent.futures

    kind, gone = type(error), cluster.client.status != "running"
    cancelled = isinstance(error, (asyncio.CancelledError, concurrent.futures.CancelledError))
    # joblib may take what is cancelled for a result
    cancelled = cancelled or (kind is TypeError and "CancelledError" in str(error))
    of_dask = isinstance(error, TimeoutError) or kind.__module__.startswith("distributed")
    if not (cancelled or (isinstance(error, Exception) and (of_dask or gone))):
        return None
    if kind.__name__ == "KilledWorker":
        return ConnectionError(
            f"a fit must leave the workers of {cluster.name} alive. Got one that several of them "
            "died of, as for lack of memory. Use fewer workers, or smaller networks."
        )
    if gone or "connection-lost" in str(error):
        return ConnectionError(
            f"{cluster.name} must be there until the search ends. It is gone. Search again."
        )
    return _lost_workers(cluster)


def _lost_workers(cluster: Cluster) -> LostWorkers:
    return LostWorkers(
        f"the workers of {cluster.name} must be there until the search ends. They are lost again "
        "and again, and what they had with them. Search again with others."
    )


def version() -> str:
    """Which pellucid this is."""
    return metadata.version("pellucid")


def _check_versions(client: Any, address: str) -> None:
    """Refuse workers that have another pellucid, or none."""
    own = version()
    asked = {
        worker: client.submit(metadata.version, "pellucid", workers=[worker], pure=False)
        for worker in client.nthreads()
    }
    until = time.monotonic() + _CONNECTED
    for worker, answer in asked.items():
        try:
            there = answer.result(timeout=max(until - time.monotonic(), 0.1))
        except (TimeoutError, metadata.PackageNotFoundError):
            there = "none"
        if there != own:
            raise ConnectionError(
                f"the workers of {address} must have pellucid {own}. Got {there} on {worker}. "
                f"Install it there: pip install pellucid=={own}."
            )


async def _keep_interrupts() -> None:
    """Let no process that is begun from here have Ctrl-C: this one has it, and ends them."""
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        # Python's process that tidies up lets the signal through again as it begins, and would warn
        # of what those that are killed leave to it
        sys.warnoptions.append(_OF_TRACKER)
        resource_tracker.ensure_running()
        sys.warnoptions.remove(_OF_TRACKER)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which processes inherit


def _kill_on_error(cluster: Any, kind: type[BaseException] | None, *_: object) -> None:
    """End the processes at once, where what they compute is of no more use."""
    for nanny in cluster.workers.values() if kind is not None else ():
        nanny.auto_restart = False
        if nanny.pid:
            with suppress(OSError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _close(one: Any) -> None:
    """Close a client or a cluster, without waiting for what does not answer."""
    with suppress(Exception):
        one.close(timeout=_CLOSED)


@contextmanager
def _silent() -> Iterator[None]:
    """Without Dask's own lines: what is lost is said in a sentence."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
