"""One model, trained on several machines by Dask: to the bits of the fit on one machine.

The client, this process, has the rows, the weights and the optimiser. A batch is cut into shards;
each worker gets some of them with the weights, and sends the sum of their gradients back. Nothing
rests on a worker but what it can make again, so workers may die and others join at any time.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import numpy as np

from pellucid import __version__, checks, files
from pellucid.callers import one_of_many_fits
from pellucid.data.dask_frames import collected, is_dask
from pellucid.network.shard_tasks import ShardGradient, ShardTask, shard_gradient
from pellucid.training.progress import Progress

Model = TypeVar("Model")

SHARDS = 8  # of a batch, unless the model or the user says otherwise
RETRIES = 2  # of a task that fails; one whose worker dies is done again besides
LOOK = 1.0  # seconds after which workers are counted again
SHARED = 4 << 20  # bytes of weights that are better sent once, to a worker that hands them on
NEAR = 3.0  # seconds in which a worker answers, if this process can reach it
DIRECT = 1 << 20  # bytes of gradients that are better fetched from workers past the scheduler
VERSIONS = (__version__, files.NUMERIC_VERSION)
WAY_OUT = 'The model is as it was; a fit with checkpoint="run.ckpt" goes on from there.'


def fit(
    model: Model,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    target: Any = None,
    client: Any = None,
    shards: int | None = None,
    sync_every: int = 1,
    timeout: float = 60.0,
    **options: Any,
) -> Model:
    """Fit one model on the workers of a Dask cluster.

    The fitted model is that of ``model.fit`` with the same `shards` on one machine, to the bit:
    for any number of workers, and if some are lost on the way or join later. What a step costs in
    messages is in docs/distributed.md, with the size of network from which on it pays.

    Parameters
    ----------
    model : estimator
        It is fitted in place, with its parameter `shards` set.
    X, y, sample_weight, target
        As in its ``fit``; `X` may also be a Dask DataFrame or Array, whose partitions are fetched
        one by one.
    client : dask.distributed.Client, optional
        None computes all in this process.
    shards : int, optional
        Into how many parts a batch is cut, a power of two: so many workers can be of use. By
        default the model's own number, or 8 where that is 1.
    sync_every : int, default=1
        After how many steps weights are exchanged: only 1, the exact way.
    timeout : float, default=60
        Seconds for which the scheduler may be silent, or without any worker, before the fit ends
        with an error. A step may take longer.
    **options
        Of the model's ``fit``: `validation_data`, `checkpoint`, `checkpoint_every`.

    Returns
    -------
    estimator
        The model.

    Raises
    ------
    ConnectionError
        If the scheduler no longer answers, or has no workers.
    RuntimeError
        If a worker cannot compute its part; with what it said.
    """
    owner: Any = model
    if not hasattr(owner, "_elsewhere"):
        raise TypeError(
            f"model of distributed.fit must be an estimator of pellucid. Got {checks.shown(model)}."
        )
    if sync_every != 1:
        raise ValueError(checks.fault("sync_every", "distributed.fit", "1", sync_every))
    timeout = checks.number("timeout", "distributed.fit", timeout, 0, open_low=True)
    if shards is None:
        shards = owner.shards if owner.shards != 1 else SHARDS
    before, owner.shards = owner.shards, shards
    progress = Progress(0 if one_of_many_fits() else int(owner.verbose), 1, 1)
    try:
        if client is not None:
            owner._elsewhere = Workers(client, shards, timeout)
        X, y, sample_weight = (
            collected(given, f"{what} of distributed.fit", progress.note)
            if is_dask(given)
            else given
            for what, given in (("X", X), ("y", y), ("sample_weight", sample_weight))
        )
        owner.fit(X, y, sample_weight, target=target, **options)
    except BaseException:
        owner.shards = before
        raise
    finally:
        vars(owner).pop("_elsewhere", None)
    return model


class Workers:
    """The workers of a Dask cluster, as what computes shards.

    Parameters
    ----------
    client : dask.distributed.Client
    shards : int
        Of a batch.
    timeout : float
        Seconds.
    """

    def __init__(self, client: Any, shards: int, timeout: float) -> None:
        check_client(client, "distributed.fit")
        self.client, self.shards, self.timeout = client, shards, timeout
        self.address = client.scheduler.address
        self._name, self._step = f"pellucid-{uuid.uuid4().hex[:12]}", 0
        self._seen = time.monotonic()  # when there was a worker
        self._looked, self._worker = float("-inf"), ""
        self._direct: bool | None = None
        self.count = self._counted()

    def __reduce__(self) -> Any:  # a model that is pickled in the middle of a fit goes without
        return _nobody, ()

    @property
    def words(self) -> str:
        """Who computes, in a sentence."""
        count = f"{self.count} worker{'s' * (self.count != 1)}"
        return f"Each batch comes in {self.shards} shards, computed by {count} of {self.address}."

    @property
    def tasks(self) -> int:
        """Into how many tasks a batch is cut, so that the busiest worker has as few as can be.

        It follows the number of workers, on which no result depends.
        """
        if time.monotonic() - self._looked > LOOK:
            self.count = self._counted()
        count = max(1, self.count)
        sizes = [1 << power for power in range(self.shards.bit_length())]
        return min(sizes, key=lambda tasks: (-(-tasks // count) / tasks, tasks))

    def gradients(
        self, packed: bytes, weights: np.ndarray, tasks: list[ShardTask]
    ) -> list[ShardGradient]:
        """What the shards of one batch give."""
        import dask

        self._step += 1
        # what is large is meant to be so: it is sent once, and forgotten
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            futures = self._submitted(packed, weights, tasks)
        try:
            return self._collected(futures[-len(tasks) :], weights.nbytes >= DIRECT)
        finally:
            for future in futures:
                future.release()

    def _submitted(self, packed: bytes, weights: np.ndarray, tasks: list[ShardTask]) -> list[Any]:
        """The futures of the tasks, and before them that of weights which workers hand on."""
        client, key = self.client, f"{self._name}-{self._step}"
        options: dict[str, Any] = {"pure": False, "retries": RETRIES}
        futures: list[Any] = []
        given: Any = weights
        try:
            if weights.nbytes * (len(tasks) - 1) >= SHARED:
                given = client.submit(same, weights, key=f"{key}-weights", **options)
                futures.append(given)
            for number, task in enumerate(tasks):
                made = client.submit(
                    compute, VERSIONS, packed, given, *task, key=f"{key}-{number}", **options
                )
                futures.append(made)
        except Exception as error:  # the client was closed
            self._lost(error)
        return futures

    def _collected(self, futures: list[Any], is_large: bool) -> list[ShardGradient]:
        """The results, in order."""
        from distributed import wait

        client = self.client

        async def gathered() -> list[ShardGradient]:
            direct = is_large and await self._reaches()
            return await client.gather(futures, direct=direct, asynchronous=True)

        while True:
            error: BaseException | None = None
            try:
                wait(futures, timeout=self.timeout)
                if all(future.status == "finished" for future in futures):
                    return client.sync(gathered, callback_timeout=self.timeout)
            except TimeoutError:  # it goes on for as long as the scheduler answers
                self._counted()
                continue
            except Exception as problem:
                error = problem
            for future in futures:
                if future.status == "error":
                    self._failed(future.exception(timeout=self.timeout))
            if client.status != "running" or any(each.status == "cancelled" for each in futures):
                self._lost(error)
            if error is not None:
                raise error

    async def _reaches(self) -> bool:
        """Whether this process can ask workers for what they have, past the scheduler."""
        if self._direct is None:
            self._direct = bool(self.client.direct_to_workers)
            if self.client.direct_to_workers is None:
                with suppress(OSError, TimeoutError):  # of another network
                    await asyncio.wait_for(self.client.rpc(self._worker).identity(), NEAR)
                    self._direct = True
        return self._direct

    def _counted(self) -> int:
        """How many workers there are.

        Raises
        ------
        ConnectionError
            If nobody says so, or there has been none for so long.
        """
        try:
            workers = self.client.nthreads(callback_timeout=self.timeout)
        except Exception as error:
            self._lost(error)
        count, self._worker = len(workers), next(iter(workers), "")
        self._looked = time.monotonic()
        if count:
            self._seen = self._looked
        elif self._looked - self._seen > self.timeout:
            raise ConnectionError(
                f"the cluster of {self.address} must have a worker for the fit to go on. Got none "
                f"for {self.timeout:g} s. {WAY_OUT}"
            )
        return count

    def _failed(self, error: BaseException) -> NoReturn:
        """A task has failed, and was tried again in vain."""
        said = str(error) if isinstance(error, TaskError) else f"{type(error).__name__}: {error}"
        raise RuntimeError(
            f"the workers of {self.address} must compute their shards. Got from step {self._step}: "
            f"{checks.one_line(said, 400)}. {WAY_OUT}"
        ) from error

    def _lost(self, error: BaseException | None) -> NoReturn:
        """The scheduler is gone, or the client was closed."""
        came = f"a client that is {self.client.status}"
        if self.client.status == "running":
            came = f"no answer for {self.timeout:g} s"
        raise ConnectionError(
            f"the scheduler at {self.address} must answer for the fit to go on. Got {came}. "
            f"{WAY_OUT}"
        ) from error


def check_client(client: Any, owner: str) -> None:
    """Refuse what is no client of Dask that runs, and can be waited for."""
    kind = type(client)
    if not (kind.__module__.startswith("distributed.") and hasattr(client, "submit")):
        expected = "a dask.distributed.Client"
        way_out = "Pass Client(address), or Client() for a cluster of this machine."
        raise TypeError(checks.fault("client", owner, expected, client, way_out))
    for there, expected in (
        (client.asynchronous, "one that waits: Client(..., asynchronous=False)"),
        (client.status != "running", f"connected to its scheduler, not {client.status}"),
    ):
        if there:
            raise ValueError(f"client of {owner} must be {expected}. Got {checks.shown(client)}.")


class TaskError(RuntimeError):
    """What a worker says where it cannot compute its shards."""


def compute(
    versions: tuple[str, int], packed: bytes, weights: np.ndarray, *task: Any
) -> ShardGradient:
    """What a worker is asked for: the sum of the gradients of some shards; a pure function."""
    from distributed import get_worker

    worker = get_worker()
    if versions != VERSIONS:
        (theirs, theirs_numeric), (ours, ours_numeric) = versions, VERSIONS
        raise TaskError(
            f"worker {worker.address} has pellucid {ours} of numeric version {ours_numeric}, and "
            f"the fit is of {theirs} of numeric version {theirs_numeric}: they must be the same"
        )
    try:
        return shard_gradient(packed, weights, ShardTask(*task), worker.state.nthreads)
    except Exception as error:
        said = f"{type(error).__name__}: {checks.one_line(str(error), 300)}"
        raise TaskError(f"worker {worker.address}: {said}") from error


def same(weights: np.ndarray) -> np.ndarray:
    """The weights as they are: workers take them from the one that had them first."""
    return weights


def _nobody() -> None:
    return None
