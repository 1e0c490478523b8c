"""Convolutional estimators: they learn pictures and signals, and mistakes are told."""

import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from pellucid import CNNClassifier, CNNRegressor, NetworkClassifier, load
from pellucid.layers import BatchNorm, Conv2d, Flatten, GlobalAvgPool, MaxPool2d, ReLU
from pellucid.training.augmentation import Augmentation

QUICK = {"channels": (8, 16), "hidden_dim": 16, "max_epochs": 8, "random_state": 0, "verbose": 0}


@pytest.fixture(scope="module")
def digits():
    found = load_digits()
    return found.images, found.target


@pytest.fixture(scope="module")
def fitted(digits):
    return CNNClassifier(**QUICK).fit(*digits)


# -- learning ----------------------------------------------------------------------------------


def test_digits_are_learned_with_defaults(digits):
    X, rest, y, rest_y = train_test_split(*digits, test_size=0.25, random_state=0)
    model = CNNClassifier(random_state=0, verbose=0).fit(X, y)
    assert model.score(rest, rest_y) >= 0.99


def test_signals_are_learned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 30))
    y = np.arange(400) % 2
    places = rng.integers(0, 25, 400)
    for row, place in enumerate(places):  # a bump or a dip, somewhere
        X[row, place : place + 5] += 6.0 * (y[row] - 0.5)
    model = CNNClassifier(**{**QUICK, "max_epochs": 20}).fit(X[:300], y[:300])
    assert model.network_.input_shape == (30, 1)
    assert model.score(X[300:], y[300:]) > 0.9


def test_numbers_are_learned_from_pictures(digits):
    X, _ = digits
    y = X.sum(axis=(1, 2)) * 100
    model = CNNRegressor(**{**QUICK, "max_epochs": 25}).fit(X[:1500], y[:1500])
    assert model.score(X[1500:], y[1500:]) > 0.9


# -- what goes in ------------------------------------------------------------------------------


def test_ranks_and_types_mean_the_same_pictures(digits, fitted):
    X, y = digits
    expected = fitted.predict_proba(X[:50])
    for same in (X[..., None], X.astype(np.uint8), list(X[:50]), X.astype(np.float32)):
        np.testing.assert_array_equal(fitted.predict_proba(same[:50]), expected)
    again = CNNClassifier(**QUICK).fit(X.astype(np.uint8)[..., None], y)
    np.testing.assert_allclose(again.predict_proba(X[:50]), expected, atol=1e-3)
    for same in (X, X.astype(np.float32)):  # numbers that are levels
        np.testing.assert_array_equal(
            again.predict_proba(same[:50]), again.predict_proba(X[:50].astype(np.uint8))
        )


def test_tensors_go_in(digits, fitted):
    torch = pytest.importorskip("torch")
    X, _ = digits
    found = fitted.predict_proba(torch.tensor(X[:5]))
    np.testing.assert_array_equal(found, fitted.predict_proba(X[:5]))


def test_channels_are_standardised_each_by_itself():
    rng = np.random.default_rng(0)
    X = rng.normal([5, -3], [10, 0.1], size=(40, 6, 6, 2))
    model = CNNClassifier(**QUICK).fit(X, np.arange(40) % 2)
    data = model.pictures_.transform(model, X)
    np.testing.assert_allclose(data.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(data.std(axis=(0, 1, 2)), 1, atol=1e-5)
    assert model.pictures_.describe()[0] == "pictures of 6 x 6, 2 channels"


def test_a_layer_list_with_convolutions_takes_pictures(digits):
    X, y = digits
    layers = [Conv2d(16, 3), BatchNorm(), ReLU(), MaxPool2d(2), Conv2d(32, 3), GlobalAvgPool()]
    model = NetworkClassifier(layers, max_epochs=8, random_state=0, verbose=0).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.pictures_.shape == (8, 8, 1)


# -- the network -------------------------------------------------------------------------------


def test_blocks_are_what_the_parameters_say(digits):
    X, y = digits
    model = CNNClassifier(
        channels=(4, 5), kernel_size=(3, 1), stride=1, padding="valid", pool="avg", pool_size=2,
        batch_norm=False, hidden_dim=7, dropout=0.5, max_epochs=1, random_state=0, verbose=0,
    ).fit(X, y)  # fmt: skip
    assert [type(layer).__name__ for layer in model.network_] == [
        "Conv2d", "ReLU", "AvgPool2d", "Conv2d", "ReLU", "AvgPool2d", "Flatten", "Linear", "ReLU",
        "Dropout", "Linear",
    ]  # fmt: skip
    assert model.network_.shapes[1:4] == [(6, 8, 4), (6, 8, 4), (3, 4, 4)]


def test_a_map_smaller_than_the_pooling_is_one_window():
    X = np.random.default_rng(0).normal(size=(20, 3, 5))
    model = CNNClassifier(channels=(4, 4, 4), max_epochs=1, verbose=0).fit(X, np.arange(20) % 2)
    sizes = [
        shape[:2]
        for layer, shape in zip(model.network_, model.network_.shapes[1:], strict=True)
        if isinstance(layer, MaxPool2d)
    ]
    assert sizes == [(1, 2), (1, 1), (1, 1)]


def test_summary_says_how_sizes_follow(capsys):
    X = np.random.default_rng(0).normal(size=(20, 28, 28))
    layers = [Conv2d(4, 3, padding=1), MaxPool2d(2), Flatten()]
    NetworkClassifier(layers, max_epochs=1, verbose=0).fit(X, np.arange(20) % 2).summary()
    text = capsys.readouterr().out
    assert "(28 + 2 - 3)/1 + 1 = 28" in text and "(28 + 0 - 2)/2 + 1 = 14" in text
    assert max(map(len, text.splitlines())) <= 80


# -- manners -----------------------------------------------------------------------------------


@pytest.mark.parametrize("travel", ("pickle", "safetensors"))
def test_a_model_comes_back_to_the_bit(digits, fitted, travel, tmp_path):
    X, y = digits
    if travel == "pickle":
        again = pickle.loads(pickle.dumps(fitted))
    else:
        fitted.save(tmp_path / "m.safetensors")
        again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.get_params() == fitted.get_params()
    again.partial_fit(X[:100], y[:100])
    with pytest.raises(ValueError, match="rows of shape"):
        again.predict(X[:, :7])


def test_grid_search_and_clone(digits):
    X, y = digits[0][:300], digits[1][:300]
    search = GridSearchCV(CNNClassifier(**QUICK), {"pool": ["max", None]}, cv=2).fit(X, y)
    assert search.best_params_["pool"] in ("max", None)
    assert clone(search.best_estimator_).get_params()["channels"] == (8, 16)


def test_partial_fit_goes_on(digits):
    X, y = digits
    model = CNNClassifier(**QUICK)
    for part in range(3):
        model.partial_fit(X[part::3], y[part::3], classes=np.arange(10))
    assert model.n_iter_ == 3


X4 = np.arange(8 * 6 * 6.0).reshape(8, 6, 6)
Y2 = np.array([0, 1] * 4)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    (
        (
            lambda: CNNClassifier(chanels=8),
            TypeError, "CNNClassifier has no parameter 'chanels'. Did you mean 'channels'?",
        ),
        (
            lambda: CNNClassifier(channels=()).fit(X4, Y2),
            ValueError, r"channels of CNNClassifier must be a positive integer or a tuple of them",
        ),
        (
            lambda: CNNClassifier(channels=(8, 0)).fit(X4, Y2),
            ValueError, r"channels of CNNClassifier must be a positive integer\. Got 0\.",
        ),
        (
            lambda: CNNClassifier(pool="mean").fit(X4, Y2),
            ValueError, r"pool of CNNClassifier must be one of .*max.*avg.* Got 'mean'",
        ),
        (
            lambda: CNNClassifier(kernel_size=9, padding="valid").fit(X4, Y2),
            ValueError, r"its window of 9 x 9, padding included\. Got maps of 6 x 6\. Use padding=",
        ),
        (
            lambda: CNNClassifier(verbose=0).fit(X4, np.arange(7)),
            ValueError, "X and y of CNNClassifier must have the same number of rows",
        ),
        (
            lambda: CNNClassifier().fit(np.where(X4 == 40, np.nan, X4), Y2),
            ValueError, r"X of CNNClassifier must be finite\. Got NaN or infinity in row 1\.",
        ),
        (
            lambda: CNNClassifier().fit(X4[None, :, :, :, None], Y2),
            ValueError, r"X of CNNClassifier must be signals of shape \(rows, length\), pictures",
        ),
        (
            lambda: CNNClassifier().fit(X4[:, :0], Y2),
            ValueError, r"X of CNNClassifier must be signals .* Got float64 of shape \(8, 0, 6\)",
        ),
    ),
)  # fmt: skip
def test_mistakes_are_told(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_pictures_of_another_size_are_refused(fitted):
    words = r"X of CNNClassifier must have rows of shape \(8, 8, 1\), as in fit\. Got \(9, 8, 1\)\."
    with pytest.raises(ValueError, match=words):
        fitted.predict(np.zeros((2, 9, 8)))


# -- the network of signals ----------------------------------------------------------------------


def test_signals_go_through_residual_blocks_and_pictures_do_not(digits):
    """Pictures keep the network that they had; signals have shortcuts and a mean at the end."""
    X, y = digits[0][:40], digits[1][:40]
    quick = {"max_epochs": 1, "random_state": 0, "verbose": 0}
    pictures = CNNClassifier(**quick).fit(X, y)
    by_hand = {"channels": (32, 64, 128), "kernel_size": 3, "residual": False, "global_pool": False}
    same = CNNClassifier(**by_hand, **quick).fit(X, y)
    assert list(pictures.network_.layers) == list(same.network_.layers)
    signals = CNNClassifier(**quick).fit(X.reshape(40, 64), y).network_.layers
    assert [type(layer).__name__ for layer in signals] == [
        *["Residual", "ReLU", "MaxPool1d"] * 4, "GlobalAvgPool", "Linear", "ReLU", "Linear"
    ]  # fmt: skip


def test_text_has_a_network_of_its_own():
    """What suits signals does not suit words: so much pooling loses their order."""
    texts = ["good film not bad", "bad film not good"] * 12
    quick = {"max_epochs": 1, "random_state": 0, "verbose": 0}
    usual = CNNClassifier(**quick).fit(texts, [0, 1] * 12)
    by_hand = {"channels": (32, 64), "kernel_size": 3, "residual": True, "global_pool": True}
    same = CNNClassifier(**by_hand, **quick).fit(texts, [0, 1] * 12)
    assert list(usual.network_.layers) == list(same.network_.layers)


@pytest.mark.parametrize("length", (1, 2, 5))
@pytest.mark.parametrize("options", ({}, {"pool": "avg"}, {"batch_norm": False}, {"stride": 2}))
def test_short_signals_fit_through_all_blocks(length, options):
    X, y = np.random.default_rng(0).normal(size=(12, length)), np.arange(12) % 2
    model = CNNClassifier(**options, max_epochs=1, random_state=0, verbose=0).fit(X, y)
    assert model.predict_proba(X).shape == (12, 2)


def test_pictures_can_have_residual_blocks_too(digits):
    X, y = digits[0][:40], digits[1][:40]
    options = {"residual": True, "global_pool": True, "channels": (4, 8)}
    model = CNNClassifier(**options, max_epochs=1, random_state=0, verbose=0).fit(X, y)
    assert [type(layer).__name__ for layer in model.network_.layers][::3] == [
        "Residual", "Residual", "GlobalAvgPool", "Linear"
    ]  # fmt: skip


def test_a_shape_is_found_wherever_it_stands_with_defaults():
    """Few signals in noise: what the plain network could not learn (0.87 in docs/defaults.md)."""
    rng = np.random.default_rng(0)

    def made(count):
        y = rng.integers(0, 2, count)
        X = rng.normal(0, 0.5, (count, 40, 1))
        wave = np.sin(2 * np.pi * np.arange(12) / 12)
        for row, label, begin in zip(X, y, rng.integers(0, 28, count), strict=True):
            row[begin : begin + 12, 0] += 2 * (wave if label else -wave)
        return X, y

    X, y = made(50)
    assert CNNClassifier(random_state=0, verbose=0).fit(X, y).score(*made(200)) >= 0.9


# -- what "auto" is for pictures -------------------------------------------------------------------


def test_large_pictures_have_more_blocks_and_the_mean_of_each_map():
    X = np.zeros((8, 64, 70, 3), np.uint8)
    X[::2] = 200
    model = CNNClassifier(max_epochs=1, random_state=0, verbose=0).fit(X, [0, 1] * 4)
    kinds = [type(layer).__name__ for layer in model.network_.layers]
    assert kinds.count("Conv2d") == 5 and "GlobalAvgPool" in kinds and "Flatten" not in kinds
    assert model.network_.size < 300_000
    flat = CNNClassifier(max_epochs=1, global_pool=False, random_state=0, verbose=0)
    assert "Flatten" in [type(layer).__name__ for layer in flat.fit(X, [0, 1] * 4).network_.layers]


def test_pictures_of_classes_are_moved_and_nothing_else():
    """Not the smallest, not signals and text, and not where a number may say where something is."""
    large, small = np.zeros((8, 20, 16)), np.zeros((8, 8, 8))
    large[::2] = small[::2] = 1
    y = [0, 1] * 4

    def change(make, X):
        return make(max_epochs=1, random_state=0, verbose=0).fit(X, y)._augmentation()

    assert change(CNNClassifier, large) == Augmentation(shift=0.1)
    assert change(CNNRegressor, large) is change(CNNClassifier, small) is None
    assert change(CNNClassifier, np.random.default_rng(0).normal(size=(8, 40))) is None
    assert change(CNNClassifier, ["good", "bad"] * 4) is None


def test_auto_is_the_change_that_it_names():
    X = np.random.default_rng(0).integers(0, 256, (40, 16, 18), dtype=np.uint8)
    usual, named, none = (
        CNNClassifier(4, max_epochs=2, augment=augment, random_state=0, verbose=0).fit(
            X, [0, 1] * 20
        )
        for augment in ("auto", {"shift": 0.1}, None)
    )
    assert (usual.network_.values == named.network_.values).all()
    assert (usual.network_.values != none.network_.values).any()


@pytest.mark.parametrize("size", (0, 10**9, "0B", "1kB", "10KB", "1.5MB", "2 gb"))
def test_the_cache_changes_no_bit(size, tmp_path):
    paths = []
    levels = np.random.default_rng(0).integers(0, 256, (12, 9, 8), dtype=np.uint8)
    for i, picture in enumerate(levels):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        paths.append(str(tmp_path / f"{i}.png"))
    model = CNNClassifier(4, max_epochs=2, cache_size=size, random_state=0, verbose=0)
    model.fit(paths, [0, 1] * 6)
    kept = CNNClassifier(4, max_epochs=2, random_state=0, verbose=0).fit(levels, [0, 1] * 6)
    assert (model.network_.values == kept.network_.values).all()


@pytest.mark.parametrize("size", ("much", "128", -1, 1.5, True, None, "1 PB"))
def test_a_cache_of_no_size_is_refused(size, tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    words = (
        r'cache_size of CNNClassifier must be a number of bytes, or one with its unit, as "500MB'
    )
    with pytest.raises((ValueError, TypeError), match=words):
        CNNClassifier(cache_size=size, verbose=0).fit([str(tmp_path / "a.png")] * 4, [0, 1] * 2)
