"""The same bits: any number of threads, any processor, any subset or order of rows.

Each variant trains the same models in a process of its own and hashes the saved weights. A
processor is a target for the compiler: what this machine cannot run is left out by name.
"""

import hashlib
import os
import platform
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from flushing import flushing_to_zero

from pellucid import FCNNClassifier, FCNNRegressor, LSTMRegressor
from pellucid.data import windows

X86 = platform.machine().lower() in ("x86_64", "amd64")

TRAIN = textwrap.dedent(
    """
    import hashlib, sys
    import numpy as np
    from safetensors.numpy import load_file
    from pellucid import CNNClassifier, CNNRegressor, FCNNClassifier, FCNNRegressor
    from pellucid import GRUClassifier, GRURegressor, LSTMRegressor, NetworkClassifier
    from pellucid import RNNRegressor
    from pellucid import network
    from pellucid.layers import Conv2d, Dropout, Flatten, LayerNorm, LeakyReLU, Linear, Sigmoid
    from pellucid.layers import GRU, Softmax, Tanh

    network.chain.THREAD_WORK = 1  # as many threads as asked for, however little there is to do
    jobs = int(sys.argv[1])
    # raw bits of a counter and exact arithmetic: the data are the same wherever this runs
    words = np.random.Philox(7).random_raw(150 * 9)
    X = ((words >> np.uint64(40)).astype(np.int64) - 2**23).reshape(150, 9) / 2.0**22
    X[::7, 2] = np.nan
    y = (X[:, 0] * X[:, 1] + X[:, 3] > 0).astype(int) + (X[:, 4] > 1)
    weight = 1.0 + (np.arange(150) % 3)
    words = np.random.Philox(8).random_raw(150 * 9 * 7 * 3)
    pictures = ((words >> np.uint64(56)).astype(np.uint8)).reshape(150, 9, 7, 3)
    signals = pictures[..., 0].reshape(150, 63)
    lengths = [1 + (7 * i) % 13 for i in range(150)]
    sequences = [X[i:i + 1] * np.arange(1, n + 1)[:, None] / 8 for i, n in enumerate(lengths)]
    common = dict(random_state=3, max_epochs=4, n_jobs=jobs, verbose=0)
    text = [["a", "b", None][i % 3] for i in range(150)]
    table = {"number": X[:, 0], "gap": X[:, 2], "text": text}
    models = [
        FCNNClassifier(hidden_dim=(33, 17), dropout=0.2, clip_norm=1.0, batch_size=31,
                       early_stopping=True, **common).fit(X, y, sample_weight=weight),
        FCNNRegressor(hidden_dim=200, batch_size=64, optimizer="rmsprop", schedule="one_cycle",
                      initialization="orthogonal", activation="tanh", **common
                      ).fit(table, X[:, [0, 3]]),
        FCNNClassifier(hidden_dim=40, optimizer="sgd", batch_size="full", activation="sigmoid",
                       dtype="float64", initialization="glorot_normal", **common).fit(X, y == 1),
        NetworkClassifier([Linear(20), LeakyReLU(0.1), Dropout(0.1), Linear(12), Softmax(),
                           Tanh(), Linear(8), Sigmoid()], class_weight="balanced", **common
                          ).fit(X, y),
        CNNClassifier(channels=(8, 33), dropout=0.2, batch_size=31, **common
                      ).fit(pictures, y, sample_weight=weight),
        CNNClassifier(channels=8, batch_size=31, augment=["flip", "shift", "crop", "rotate"],
                      **common).fit(pictures, y),
        CNNRegressor(channels=(5, 16), kernel_size=4, stride=2, pool="avg", batch_norm=False,
                     activation="tanh", dtype="float64", **common).fit(signals, X[:, 0]),
        LSTMRegressor(hidden_dim=33, num_layers=2, bidirectional=True, dropout=0.2, batch_size=31,
                      **common).fit(sequences, X[:, [0, 3]]),
        GRUClassifier(hidden_dim=20, batch_size=31, **common).fit(X[:, :, None], y),
        RNNRegressor(hidden_dim=9, activation="relu", dtype="float64", **common
                     ).fit(sequences, X[:, 0]),
        GRURegressor(hidden_dim=12, num_layers=2, return_sequences=True, tbptt_steps=3,
                     batch_size=31, **common).fit(sequences, [each[:, :2] for each in sequences]),
    ]

    def digest(models, data):
        total = hashlib.sha256()
        for model, rows in zip(models, data):
            total.update(model._output(model._read(rows)).tobytes())
            total.update(np.array(model.history_["loss"]).tobytes())
            model.save(sys.argv[2])
            for name, array in sorted(load_file(sys.argv[2]).items()):
                total.update(name.encode() + array.tobytes())
        return total.hexdigest()

    print(digest(models, (X, table, X, X, pictures, pictures, signals,
                          sequences, X[:, :, None], sequences, sequences)))
    later = [  # models of layers that came later, so that the digest above stays what it was
        NetworkClassifier([Conv2d(20, 3, padding="same", dilation=2), LayerNorm(), Tanh(),
                           Conv2d(5, (2, 3), 2, dilation=(3, 1)), LayerNorm(), Flatten()],
                          batch_size=31, **common).fit(pictures / 255.0, y),
        NetworkClassifier([LayerNorm(), GRU(17, return_sequences=True), LayerNorm(), GRU(9)],
                          dtype="float64", **common).fit(X[:, :, None] * [1.0, 0.5, 0.25], y),
        FCNNRegressor(target_transform="log", **common).fit(X, X[:, [0, 3]] ** 2 + 2.0**-9),
        FCNNRegressor(target_transform="log1p", **common).fit(X, X[:, 0] ** 2),
    ]
    print(digest(later, (pictures / 255.0, X[:, :, None] * [1.0, 0.5, 0.25], X, X)))
    robust = [
        FCNNRegressor(loss="huber", clip_norm=1.0, **common).fit(X, X[:, [0, 3]], weight),
        FCNNRegressor(loss="mae", dtype="float64", early_stopping=True, **common).fit(X, X[:, 0]),
        GRURegressor(hidden_dim=9, loss="quantile", quantile=0.9, return_sequences=True, **common
                     ).fit(sequences, [each[:, 0] for each in sequences]),
    ]
    print(digest(robust, (X, X, sequences)))
    words = [model.predict(X).tobytes() for model in later[2:]]
    words += [models[0].predict_proba(X).tobytes(), models[2].predict_log_proba(X).tobytes()]
    print(hashlib.sha256(b"".join(words)).hexdigest())
    numbers = (np.random.Philox(9).random_raw(150 * 13) >> np.uint64(58)).reshape(150, 13)
    texts = [" ".join(f"w{n % 41}" for n in row[:length])
             for row, length in zip(numbers, lengths)]
    texts[3] = ""
    tokens = [
        GRUClassifier(12, embedding_dim=33, batch_size=31, vocabulary_size=30, **common
                      ).fit(texts, y),
        CNNClassifier(channels=8, optimizer="sgd", **common).fit(texts, y),
        GRURegressor(9, optimizer="rmsprop", dtype="float64", tbptt_steps=4, **common
                     ).fit(texts, X[:, 0]),
    ]
    print(digest(tokens, (texts, texts, texts)))
    # windows of three series of different scales and ends, by day, with a plan that is known ahead
    import pandas as pd
    from pellucid.data import windows
    words = np.random.Philox(10).random_raw(3 * 90)
    steps = ((words >> np.uint64(40)).astype(np.int64) - 2**23).reshape(3, 90) / 2.0**22
    days = np.datetime64("2026-01-01") + np.arange(90)
    parts = []
    for code, name in enumerate("abc"):
        rows = 90 - 10 * code
        height = (40.0 + np.cumsum(steps[code])) * 100.0**code
        parts.append(pd.DataFrame({
            "name": name, "day": days[:rows], "height": height[:rows], "size": 1.0 + code,
            "plan": np.arange(rows) % 5 % 2, "other": steps[2 - code][:rows],
        }))
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[::11, "other"] = np.nan
    V, ahead = windows(frame, 7, 3, target="height", time="day", group="name", known="plan")
    series = [
        LSTMRegressor(9, early_stopping=True, **common).fit(V, ahead),
        LSTMRegressor(9, num_layers=2, dropout=0.2, target_transform="log", scaling="window",
                      **common).fit(V, ahead, 1.0 + np.arange(len(V)) % 3),
        GRURegressor(9, bidirectional=True, dtype="float64", batch_size=31, scaling="series",
                     **common).fit(V, ahead),
        RNNRegressor(9, loss="huber", scaling="global", **common).fit(V, ahead),
    ]
    print(digest(series, (V, V, V, V)))
    chosen = [(model._plan.share, model._plan.penalty, model._plan.tried) for model in series]
    bounds = [model.predict_interval(V, 0.8)[0].tobytes() for model in series[:2]]
    print(hashlib.sha256(repr(chosen).encode() + b"".join(bounds)).hexdigest())
    from pellucid.training.augmentation import CHANGES
    mixed = [
        CNNClassifier(channels=(8, 33), batch_size=31, augment=list(CHANGES), **common
                      ).fit(pictures, y, sample_weight=weight),
        CNNClassifier(channels=8, batch_size=31, augment={"cutmix": 1, "color": 0.3},
                      dtype="float64", **common).fit(pictures, np.stack([y, y == 0], axis=1) > 0),
    ]
    print(digest(mixed, (pictures, pictures)))
    """
)


def digest(tmp_path, jobs=2, **variables):
    environment = {**os.environ, **variables}
    found = subprocess.run(
        [sys.executable, "-c", TRAIN, str(jobs), str(tmp_path / "model.safetensors")],
        env=environment, text=True, capture_output=True, timeout=500,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return digest(tmp_path_factory.mktemp("plain"), jobs=1)


@pytest.mark.parametrize("jobs", (1, 2, 8))
def test_any_number_of_threads(plain, tmp_path, jobs):
    assert digest(tmp_path, jobs) == plain


def test_numpy_without_its_vector_units(plain, tmp_path):
    units = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    assert digest(tmp_path, NPY_DISABLE_CPU_FEATURES=" ".join(units)) == plain


CPUS = {
    "haswell": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+sse4.2,+avx,+avx2,+fma,+bmi2"},
    "skylake-avx512": {
        "NUMBA_CPU_NAME": "skylake-avx512",
        "NUMBA_CPU_FEATURES": "+sse4.2,+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl",
    },
    "generic": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}


def runs_here(features):
    try:
        with open("/proc/cpuinfo") as file:
            flags = next(line for line in file if line.startswith("flags")).split()
    except (OSError, StopIteration):
        return False
    wanted = [each.lstrip("+").replace(".", "_") for each in features.split(",") if each]
    return all(each in flags for each in wanted)


@pytest.mark.skipif(not X86, reason="these are x86-64 processors")
@pytest.mark.parametrize("cpu", CPUS)
def test_any_processor(plain, tmp_path, cpu):
    if not runs_here(CPUS[cpu]["NUMBA_CPU_FEATURES"]):
        pytest.skip(f"this machine cannot run code for {cpu}")
    assert digest(tmp_path, **CPUS[cpu]) == plain


@pytest.mark.parametrize("model", (FCNNClassifier, FCNNRegressor))
def test_a_row_is_predicted_alike_alone_and_in_any_company(model):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 40))
    X[::5, 3] = np.nan
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    fitted = model(hidden_dim=(65, 33), max_epochs=2, random_state=0, verbose=0).fit(X, y)
    predict = getattr(fitted, "predict_proba", fitted.predict)
    whole = predict(X)
    for row in (0, 5, 255, 256, 699):
        np.testing.assert_array_equal(predict(X[row : row + 1]), whole[row : row + 1])
    for seed in range(5):
        chosen = np.random.default_rng(seed).permutation(700)[: rng.integers(1, 700)]
        np.testing.assert_array_equal(predict(X[chosen]), whole[chosen])


@pytest.mark.parametrize("jobs", (2, 3, 8))
def test_threads_race_for_nothing(jobs, monkeypatch):
    """Many short fits, each on several threads: a missing meeting shows as another hash."""
    monkeypatch.setattr("pellucid.network.chain.THREAD_WORK", 1)
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(200, 10)), rng.normal(size=200)
    options = {"batch_size": "full", "max_epochs": 30, "random_state": 0, "verbose": 0}

    def weights(count):
        model = FCNNRegressor(hidden_dim=64, clip_norm=5.0, n_jobs=count, **options).fit(X, y)
        return hashlib.sha256(model.network_.values.tobytes()).hexdigest()

    assert {weights(jobs) for _ in range(15)} == {weights(1)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_flush_to_zero_of_the_caller_changes_neither_weights_nor_answers(dtype):
    """Data of 1e-40 and 3e-310 beside ordinary ones: what scales them must not flush them."""
    words = np.random.Philox(9).random_raw(120 * 3)
    X = (((words >> np.uint64(40)).astype(np.int64) - 2**23) / 2.0**22).reshape(120, 3)
    X *= [1.0, 1e-40, 3e-310]
    y = 1e-308 * X[:, 0] + X[:, 2]

    def bits():
        model = FCNNRegressor(8, dtype=dtype, random_state=0, max_epochs=3, verbose=0).fit(X, y)
        return model.digest_, model.predict(X).tobytes()

    expected = bits()
    with flushing_to_zero():
        given = bits()
    assert given == expected


@pytest.mark.parametrize("scaling", ("auto", "window"))
def test_flush_to_zero_of_the_caller_changes_no_windows(scaling):
    """Levels, scales and the choices made by them are computed in numbers of any size."""
    words = np.random.Philox(9).random_raw(150)
    steps = ((words >> np.uint64(40)).astype(np.int64) - 2**23) / 2.0**22
    frame = pd.DataFrame({"v": np.cumsum(steps) * 3e-310, "w": steps * 1e-300})
    X, y = windows(frame, 5, 2, target="v")

    def bits():
        model = LSTMRegressor(4, scaling=scaling, random_state=0, max_epochs=2, verbose=0)
        model.fit(X, y)
        return model.digest_, model.predict(X).tobytes(), model.predict_interval(X)[0].tobytes()

    expected = bits()
    with flushing_to_zero():
        given = bits()
    assert given == expected
