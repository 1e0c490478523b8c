"""The cache of a fit on disk is taken by no fit that would have made another one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import pellucid
from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    NetworkClassifier,
    NetworkRegressor,
)
from pellucid.estimators import fit_cache
from pellucid.layers import Conv2d, Linear, ReLU
from pellucid.training.optimizers import SGD

KEYED = {
    "dtype": "float64", "random_state": 1, "class_weight": "balanced", "loss": "mae",
    "target_transform": "log", "image_size": 8, "color": "grey", "on_error": "skip",
    "resize": "pad", "signals": False,
}  # fmt: skip
"""Another value of each parameter on which the rows in a cache, or what was learned, depend."""
OTHERS = {
    # the network
    "activation": "tanh", "batch_norm": False, "channels": (2,), "dropout": 0.5,
    "global_pool": True, "hidden_dim": 3, "initialization": "glorot_normal", "kernel_size": 5,
    "num_layers": 1, "padding": "valid", "pool": None, "pool_size": 3,
    "residual": True, "stride": 2,
    # its training
    "augment": "flip", "balanced_batches": False, "batch_size": 8, "callbacks": [],
    "clip_norm": 1.0, "early_stopping": True, "learning_rate": 0.1, "max_epochs": 2,
    "optimizer": SGD(), "patience": 3, "quantile": 0.3, "schedule": "constant", "shards": 2,
    "shuffle": "blocks", "validation_fraction": 0.3, "weight_decay": 0.1,
    # how it goes on and what is said, not what comes of it
    "cache_size": "1MB", "n_jobs": 1, "verbose": 2, "test_augment": True, "warm_start": False,
    # of windows, and of text
    "scaling": "global",
    "embedding_dim": 3, "embedding_dropout": 0.1, "max_steps": 7, "min_count": 1,
    "tokens": "words", "vocabulary_size": 9,
}  # fmt: skip
"""Another value of each parameter that changes nothing in a cache.

balanced_batches has none: rows on disk are not drawn by their class.
"""


class Known(Exception):
    """A fit that came as far as its cache."""


@pytest.fixture
def key_of(monkeypatch):
    """A function that gives the key by which a fit looks for its cache."""

    def opened(path, key, note, taken):
        raise Known(key)

    def key(model, scan, **options):
        with pytest.raises(Known) as known:
            model.fit(scan, **options)
        return known.value.args[0]

    monkeypatch.setattr(fit_cache, "opened", opened)
    return key


def check_each_parameter(model, layers, key_of, scan, **options):
    model.set_params(random_state=0, verbose=0)
    usual, before = model.get_params(), key_of(model, scan, **options)
    assert key_of(model, scan, **options) == before
    for name, value in usual.items():
        other = {**KEYED, **OTHERS, "layers": layers}[name]
        changed = key_of(model.set_params(**{name: other}), scan, **options) != before
        assert changed == (name in KEYED), name
        model.set_params(**{name: value})


@pytest.mark.parametrize(
    "model",
    [FCNNClassifier(), FCNNRegressor(), NetworkClassifier(), NetworkRegressor()],
)
def test_each_parameter_that_changes_encoded_rows_is_in_the_key_of_tables(model, key_of, tmp_path):
    pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": [1, 2, 2]}).to_csv(tmp_path / "t.csv", index=False)
    scan = pellucid.scan(tmp_path / "t.csv")
    check_each_parameter(model, [Linear(3), ReLU()], key_of, scan, target="y")


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures that CNN estimators shrink."""
    rng = np.random.default_rng(0)
    for name in ("dark", "light"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(3):
            levels = rng.integers(0, 256, (12, 10, 3)).astype(np.uint8) // (1 + (name == "dark"))
            Image.fromarray(levels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("model", [CNNClassifier(), NetworkClassifier([Conv2d(2, 3)])])
def test_each_parameter_that_changes_pixels_is_in_the_key_of_pictures(model, key_of, pictures):
    check_each_parameter(model, [Conv2d(3, 2)], key_of, pellucid.scan(pictures))


def test_estimators_that_shrink_pictures_differently_share_no_cache(key_of, pictures):
    scan = pellucid.scan(pictures)
    keys = [
        key_of(model.set_params(random_state=0, verbose=0), scan)
        for model in (CNNClassifier(signals=False), NetworkClassifier([Conv2d(2, 3)]))
    ]
    assert keys[0] != keys[1]


def test_another_size_decodes_anew_and_a_damaged_picture_is_told_again(pictures):
    quick = {"channels": (2,), "hidden_dim": 3, "max_epochs": 1, "random_state": 0, "verbose": 0}
    scan = pellucid.scan(pictures)
    for size in (6, 4):
        model = CNNClassifier(**quick, image_size=size).fit(scan)
        assert model.pictures_.shape == (size, size, 3)
        assert model.digest_ == CNNClassifier(**quick, image_size=size, shuffle="blocks").fit(
            pictures
        ).digest_  # fmt: skip
    damaged = pictures / "dark" / "1.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    skipping = CNNClassifier(**quick, image_size=4, on_error="skip").fit(scan)
    assert len(skipping.pictures_.left_out) == 1
    with pytest.raises(ValueError, match=r"picture 2 of 6, .*1.png'?, cannot be used: .*skip"):
        CNNClassifier(**quick, image_size=4).fit(scan)
