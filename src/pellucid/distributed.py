"""One model, trained on several machines by Dask: to the bits of the fit on one machine.

The client, this process, has the rows, the weights and the optimiser. A batch is cut into shards;
each worker gets some of them with the weights, and sends the sum of their gradients back. Nothing
rests on a worker but what it can make again, so workers may die and others join at any time.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import AbstractContextManager, nullcontext, suppress
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
LOOK = 1.0  # seconds after which it is looked again how things are
NEAR = 3.0  # seconds in which a worker answers, if this process can reach it
DIRECT = 1 << 20  # bytes of gradients that are better fetched from workers past the scheduler
MOST_PAST, BYTES_PAST = 16, 32 << 20  # futures that are forgotten together, and their bytes
SOON = 0.001  # seconds from one message to the scheduler to the next, at least
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
        one by one into memory, or :func:`pellucid.scan` of a DataFrame that does not fit there.
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
    if isinstance(owner, type) or not hasattr(owner, "_elsewhere"):
        raise TypeError(
            f"model of distributed.fit must be an estimator of pellucid. Got {checks.shown(model)}."
        )
    if sync_every != 1:
        expected = "1: models of weights that are averaged after several steps were worse"
        way_out = "docs/distributed.md has what was measured."
        raise ValueError(
            checks.fault("sync_every", "distributed.fit", expected, sync_every, way_out)
        )
    timeout = checks.number("timeout", "distributed.fit", timeout, 0, open_low=True)
    if shards is None:
        shards = owner.shards if owner.shards != 1 else SHARDS
    before, owner.shards = owner.shards, shards
    told = isinstance(owner.verbose, int) and not one_of_many_fits()
    note = Progress(owner.verbose if told else 0, 1, 1).note
    try:
        workers: Any = nullcontext()
        if client is not None:
            workers = owner._elsewhere = Workers(client, shards, timeout)
        X, y, sample_weight = (
            collected(given, f"{what} of distributed.fit", note) if is_dask(given) else given
            for what, given in (("X", X), ("y", y), ("sample_weight", sample_weight))
        )
        with workers:
            owner.fit(X, y, sample_weight, target=target, **options)
    except BaseException:
        owner.shards = before
        raise
    finally:
        vars(owner).pop("_elsewhere", None)
    return model


class Workers(AbstractContextManager):
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
        self._past: list[Any] = []  # futures of which nothing is wanted any more
        self._stream: tuple[Any, float] | None = None
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
        # told to forget at once, scheduler and workers would be busy when the next step comes
        self._past += futures
        if len(self._past) > MOST_PAST or weights.nbytes * len(self._past) > BYTES_PAST:
            self._forget(len(futures))
        return self._collected(futures, weights.nbytes >= DIRECT)

    def _forget(self, but: int = 0) -> None:
        """Let the cluster forget all tasks but the last few."""
        for future in self._past[: len(self._past) - but]:
            future.release()
        del self._past[: len(self._past) - but]

    def __enter__(self) -> Workers:
        """Let messages to the scheduler go out as they come: a step is one, and waits for it."""
        with suppress(AttributeError):  # of a Dask that has it elsewhere
            stream = self.client.scheduler_comm
            self._stream = stream, stream.interval
            stream.interval = SOON
        return self

    def __exit__(self, *error: object) -> None:
        self._forget()
        if self._stream is not None:
            stream, interval = self._stream
            stream.interval = interval

    def _submitted(self, packed: bytes, weights: np.ndarray, tasks: list[ShardTask]) -> list[Any]:
        """The futures of the tasks.

        Each gets the weights for itself. Handed on by a worker they would keep all tasks there:
        Dask sends tasks to where their data are.
        """
        submit, key = self.client.submit, f"{self._name}-{self._step}"
        options: dict[str, Any] = {"pure": False, "retries": RETRIES}
        try:
            return [
                submit(compute, VERSIONS, packed, weights, *task, key=f"{key}-{number}", **options)
                for number, task in enumerate(tasks)
            ]
        except Exception as error:  # the client was closed
            self._lost(error)

    def _collected(self, futures: list[Any], is_large: bool) -> list[ShardGradient]:
        """The results, in order."""
        client, fetching = self.client, list[asyncio.Task[list[ShardGradient]]]()

        async def fetch() -> bool:
            """Whether all is over, one way or the other; what is under way is never broken off."""
            if not fetching:
                direct = is_large and await self._reaches()
                gathered = client.gather(futures, "skip", direct=direct, asynchronous=True)
                fetching.append(asyncio.ensure_future(gathered))
            return bool((await asyncio.wait(fetching, timeout=LOOK))[0])

        error: BaseException | None = None
        try:
            asked = time.monotonic()
            while not client.sync(fetch, callback_timeout=LOOK + self.timeout):  # of its loop
                if client.status != "running":
                    self._lost(None)
                if time.monotonic() - asked > self.timeout:
                    self._counted()  # it goes on for as long as the scheduler answers
                    asked = time.monotonic()
            (task,) = fetching
            if not task.cancelled():
                error = task.exception()
                if error is None and len(task.result()) == len(futures):  # none was skipped
                    return task.result()
        except ConnectionError:
            raise
        except Exception as problem:  # the client was closed
            error = problem
        finally:
            for task in fetching:
                if not task.done():
                    client.loop.add_callback(task.cancel)
        for future in futures:
            if future.status == "error":
                self._failed(future.exception(timeout=self.timeout))
        self._lost(error)

    async def _reaches(self) -> bool:
        """Whether this process can ask workers for what they have, past the scheduler."""
        if self._direct is None and self._worker:
            self._direct = bool(self.client.direct_to_workers)
            if self.client.direct_to_workers is None:
                with suppress(OSError, TimeoutError):  # of another network
                    await asyncio.wait_for(self.client.rpc(self._worker).identity(), NEAR)
                    self._direct = True
        return bool(self._direct)

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
        """The scheduler is gone, or the client was closed or has let its tasks go."""
        came = f"a client that is {self.client.status}"
        if self.client.status == "running":
            came = "tasks that were cancelled"
            if isinstance(error, OSError):
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


def _nobody() -> None:
    return None
