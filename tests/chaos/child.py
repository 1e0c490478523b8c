"""What the processes of the chaos suite do: ``python child.py NAME ARGUMENTS``.

A word on standard output says how far a process came.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path


class Alarm(Exception):
    """What a handler raises."""


def leave(number, frame):
    sys.exit(0)


def alarm(number, frame):
    raise Alarm


def say(word):
    os.write(1, f"{word}\n".encode())


def command_line(*arguments):
    """The command line; ``begun`` once it is our turn."""
    from pellucid.__main__ import main

    sys.argv[1:] = arguments
    say("begun")
    main()


def table(rows=3000):
    import numpy as np

    X = np.random.default_rng(0).normal(size=(rows, 20)).astype(np.float32)
    return X, (X[:, 0] > 0).astype(np.int64)


def classifier(**options):
    from pellucid import FCNNClassifier

    usual = {
        "hidden_dim": 128, "batch_size": 256, "max_epochs": 2, "random_state": 0, "n_jobs": 2,
        "verbose": 0,
    }  # fmt: skip
    return FCNNClassifier(**{**usual, **options})


def weights(model):
    return b"".join(array.tobytes() for array in model.network_.parameters().values())


def pictures(folder):
    """Pictures in files, and their classes."""
    import numpy as np
    from PIL import Image

    paths = [Path(folder) / f"{number:02}.png" for number in range(40)]
    for number, path in enumerate(paths):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return list(map(str, paths)), np.arange(40) % 2


def work(path, seconds, decode="no"):
    """Fit, predict, save and load until the time is up; each model is the same."""
    import pellucid

    X, y = table()
    model = classifier()
    if decode == "decode":
        from pellucid import CNNClassifier
        from pellucid.data import picture_encoder

        picture_encoder.size_in_bytes = lambda *_: 0  # decode in each epoch
        X, y = pictures(tempfile.mkdtemp(dir=Path(path).parent.parent))
        model = CNNClassifier(channels=4, hidden_dim=8, max_epochs=2, batch_size=8, verbose=0,
                              random_state=0, early_stopping=False)  # fmt: skip
    say("ready")
    end = time.perf_counter() + float(seconds)
    while time.perf_counter() < end:
        model.fit(X, y)
        model.predict(X)
        model.save(path)
        assert pellucid.load(path).digest_ == model.digest_
        say(model.digest_)


def terminated(path, seconds, *options):
    signal.signal(signal.SIGTERM, leave)
    work(path, seconds, *options)


def alarmed(path, seconds, after, *options):
    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, float(after))
    try:
        work(path, seconds, *options)
        time.sleep(float(after))
    except Alarm:
        say("alarm")


def undone(seed, count):
    """Alarms at any moment of fits: the estimator is then as it was before, or fitted anew."""
    X, y = table()
    model, other = (classifier(random_state=seed).fit(X, y) for seed in (0, 1))
    right = {weights(model), weights(other)}
    begin = time.perf_counter()
    other.fit(X, y)
    length = time.perf_counter() - begin
    signal.signal(signal.SIGALRM, alarm)
    chance, raised = random.Random(seed), 0
    for number in range(int(count)):
        model.random_state = number % 2
        try:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-4, length))
            model.fit(X, y)
            time.sleep(1.1 * length)
        except Alarm:
            raised += 1
        assert vars(model).keys() == vars(other).keys() and model.n_iter_ == 2
        assert weights(model) in right
    say(f"raised {raised}")


def cold(after="0"):
    """Compile one kernel into the cache, and compute with it."""
    import numpy as np

    if float(after):
        signal.signal(signal.SIGALRM, alarm)
        signal.setitimer(signal.ITIMER_REAL, float(after))
    from pellucid.engine import execute
    from pellucid.kernels.operations.elementary import EXP, apply

    say("ready")
    y = np.empty(1)
    execute(apply(function=EXP, x=np.ones(1), y=y))
    assert abs(y[0] - np.e) < 1e-15
    say("computed")


def save_for_ever(path):
    """Save one content after another, each of one letter."""
    from pellucid.files import write_whole

    write_whole(path, b"a" * 300_000)
    say("ready")
    for number in range(10**9):
        write_whole(path, bytes([97 + number % 26]) * 300_000)


def limited(path, size):
    """Save where files may not grow beyond `size`."""
    import resource

    import pellucid

    X, y = table(300)
    model = classifier().fit(X, y)
    model.save(path)
    earlier = model.digest_
    model.set_params(random_state=1).fit(X, y)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        model.save(path)
        assert pellucid.load(path).digest_ == model.digest_
    except OSError as error:
        assert "files may not grow that large here" in str(error), error
        assert pellucid.load(path).digest_ == earlier
    assert os.listdir(Path(path).parent) == [Path(path).name]
    say("ready")


def clocks(seed):
    """Clocks that jump and stand still change no model and end every fit."""
    X, y = table(600)
    digest = classifier(max_epochs=8, verbose=0).fit(X, y).digest_
    chance, real = random.Random(seed), time.perf_counter
    jumps = (0, 0, 1e-9, 1e9, -1e9, 3600, -3600, -1e-3)
    offset = [0.0]

    def jumping():
        offset[0] += chance.choice(jumps)
        return real() + offset[0]

    time.perf_counter = time.time = time.monotonic = jumping
    for verbose in (0, 1, 2):
        assert classifier(max_epochs=8, verbose=verbose).fit(X, y).digest_ == digest
    say("ready")


def both_at_once(first, second):
    """Two functions in threads, over and over; what stops them."""
    stop = threading.Event()

    def over_and_over(function):
        while not stop.is_set():
            function()

    threads = [threading.Thread(target=over_and_over, args=(one,)) for one in (first, second)]
    for thread in threads:
        thread.start()

    def end():
        stop.set()
        for thread in threads:
            thread.join()

    return end


def fork(what, seed, count):
    """Forks at random moments of what two threads do: each child computes, and ends."""
    import warnings

    import numpy as np

    from pellucid.engine import library

    warnings.simplefilter("ignore", DeprecationWarning)  # of forks in a process with threads
    X, y = table()
    model = classifier().fit(X, y)
    expected = model.predict_proba(X)

    def check():
        assert np.array_equal(model.predict_proba(X), expected)

    def load():
        with library._guard:
            library._engine = None
            library._addresses.clear()
        check()

    def fit():
        assert classifier().fit(X, y).digest_ == model.digest_

    tasks = {"predict": (check, check), "load": (load, check), "fit": (fit, check)}
    end = both_at_once(*tasks[what.removesuffix("-pool")])
    chance, alive, wrong = random.Random(seed), 0, 0
    for _ in range(int(count)):
        time.sleep(chance.uniform(0, 0.03))
        if what.endswith("-pool"):
            from multiprocessing import get_context

            with get_context("fork").Pool(2) as pool:
                made = pool.map_async(model.predict_proba, [X, X])
                try:
                    wrong += not all(np.array_equal(one, expected) for one in made.get(30))
                except TimeoutError:
                    alive += 1
            continue
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # ends a child that waits for ever
            code = 1
            try:
                (fit if what == "fit" else check)()
                code = 0
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        alive += code == -signal.SIGALRM
        wrong += code not in (0, -signal.SIGALRM)
    end()
    say(f"{alive} {wrong}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
