"""Augmentation: pictures read through maps, the maps as wanted, drawn alike everywhere."""

import math

import numpy as np
import pytest
from helpers import DTYPES
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import CNNClassifier, CNNRegressor, Network, load
from pellucid.engine import Program, execute
from pellucid.kernels.grid import Grid
from pellucid.kernels.operations.augmentation import warp
from pellucid.layers import Conv2d, Embedding, Flatten, GlobalAvgPool, Linear
from pellucid.network.loss import Mixture
from pellucid.training.augmentation import CHANGES, Augmentation, resolve

IDENTITY = (1, 0, 0, 0, 1, 0)
FLIP = (1, 0, 0, 0, -1, 6)  # of a picture 7 wide


def warped(pictures, maps, border=((0, 0), (0, 0)), parts=1):
    """The kernel's result for pictures (B, H, W, C), and whether it left the border alone."""
    B, H, W, C = pictures.shape
    grid = Grid(H, W, C, C, border)
    y = np.full((B, grid.size), np.nan, pictures.dtype)
    maps = np.ascontiguousarray(maps, dtype=np.float64)
    places = np.ascontiguousarray(grid.pixels[::W])
    reading = warp(
        x=pictures.reshape(B, -1), maps=maps, y=y, places=places, pixel=grid.pixel, width=W,
        channels=C,
    )  # fmt: skip
    execute(reading, rows=B, parts=parts)
    inside = (grid.pixels[:, None] + np.arange(C)).reshape(-1)
    outside = np.delete(y, inside, axis=1)
    assert np.isnan(outside).all()
    return y[:, inside].reshape(pictures.shape)


def by_definition(picture, found_map):
    """Bilinear between four pixels; beyond the edge are the edge's own."""
    H, W, C = picture.shape
    yy, yx, y0, xy, xx, x0 = found_map
    out = np.empty((H, W, C))
    for i in range(H):
        for j in range(W):
            v = np.clip(yy * i + yx * j + y0, 0, H - 1)
            u = np.clip(xy * i + xx * j + x0, 0, W - 1)
            out[i, j] = 0
            for a in range(H):
                for b in range(W):
                    share = max(0, 1 - abs(v - a)) * max(0, 1 - abs(u - b))
                    out[i, j] += share * picture[a, b]
    return out


def maps_of(change, shape, rows=1000, seed=(1, 2), step=0, parts=1):
    """The maps that a change draws for a batch."""
    H, W = shape
    x, y = np.zeros((rows, H * W)), np.zeros((rows, H * W))
    clock = np.array([*seed, step], dtype=np.int64)
    drawing = change.operations(x, y, Grid(H, W, 1, 1), clock, Mixture.of(rows))[0]
    Program([drawing], np.float64).run(0, 1, rows, rows, parts)
    return drawing.arguments.maps


def changed(change, pictures, border=((0, 0), (0, 0)), seed=(1, 2), step=0, parts=1, gap=0):
    """The pictures (B, H, W, C) after all operations of a change, and which were mixed."""
    B, H, W, C = pictures.shape
    grid = Grid(H, W, C, C + gap, border)
    y = np.full((B, grid.size), np.nan, pictures.dtype)
    clock, mixture = np.array([*seed, step], dtype=np.int64), Mixture.of(B)
    operations = change.operations(pictures.reshape(B, -1), y, grid, clock, mixture)
    Program(operations).run(0, 1, B, B, parts)
    inside = (grid.pixels[:, None] + np.arange(C)).reshape(-1)
    assert np.isnan(np.delete(y, inside, axis=1)).all()
    return y[:, inside].reshape(pictures.shape), mixture


def rectangle_of(marked):
    """Height and width of the rectangle that is marked, which must be one."""
    rows, columns = marked.any(axis=1), marked.any(axis=0)
    assert np.array_equal(marked, np.outer(rows, columns))
    for line in (rows, columns):
        assert (np.diff(np.flatnonzero(line)) == 1).all()
    return rows.sum(), columns.sum()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("border", (((0, 0), (0, 0)), ((1, 1), (2, 2))))
def test_pictures_are_read_through_their_maps(dtype, border):
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(4, 5, 7, 3)).astype(dtype)
    maps = [IDENTITY, FLIP, (0.8, 0.3, -0.4, -0.2, 0.7, 1.3), (2, 1, -9, 1, 3, 5.5)]
    found = warped(pictures, maps, border)
    np.testing.assert_array_equal(found[0], pictures[0])
    np.testing.assert_array_equal(found[1], pictures[1, :, ::-1])
    for each in (2, 3):
        expected = by_definition(pictures[each].astype(np.float64), maps[each])
        np.testing.assert_allclose(
            found[each], expected, atol=1e-5 if dtype == "float32" else 1e-12
        )
    for parts in (2, 5, 9):
        np.testing.assert_array_equal(warped(pictures, maps, border, parts), found)


@pytest.mark.parametrize("shape", ((1, 1), (1, 9), (9, 1), (2, 2)))
def test_small_pictures_have_edges_too(shape):
    pictures = np.random.default_rng(0).normal(size=(3, *shape, 2))
    maps = [IDENTITY, (1, 0, 100, 0, 1, -100), (0, 0, 1e9, 0, 0, -1e9)]
    found = warped(pictures, maps)
    np.testing.assert_array_equal(found[0], pictures[0])
    for each in (1, 2):
        corner = pictures[each, -1, 0]
        np.testing.assert_array_equal(found[each], np.broadcast_to(corner, found[each].shape))


def test_flip_mirrors_the_share_it_is_told():
    for share in (0.0, 0.25, 1.0):
        maps = maps_of(Augmentation(flip=share), (5, 7))
        mirrored = (maps == FLIP).all(axis=1)
        assert (mirrored | (maps == IDENTITY).all(axis=1)).all()
        assert abs(mirrored.mean() - share) < 0.06


def test_shift_moves_by_whole_pixels_as_far_as_told():
    maps = maps_of(Augmentation(shift=0.2), (10, 16))
    np.testing.assert_array_equal(maps[:, [0, 1, 3, 4]], np.tile([1, 0, 0, 1], (1000, 1)))
    for moved, most in ((maps[:, 2], 2), (maps[:, 5], 3)):
        values, counts = np.unique(moved, return_counts=True)
        assert values.tolist() == list(range(-most, most + 1))
        assert counts.min() > 0.7 * 1000 / len(values)
    signal = maps_of(Augmentation(shift=0.5), (1, 8))
    assert (signal[:, 2] == 0).all()  # a signal has no height


def test_crop_shows_a_part_that_lies_inside():
    H, W = 9, 21
    maps = maps_of(Augmentation(crop=0.4), (H, W))
    side = maps[:, 0]
    assert (maps[:, [1, 3]] == 0).all()
    np.testing.assert_allclose(maps[:, 4], side, rtol=1e-15)
    assert side.min() > 0.6 and side.max() <= 1 and side.min() < 0.62 and side.max() > 0.98
    for begin, scale, size in ((maps[:, 2], side, H), (maps[:, 5], side, W)):
        # in edges of pixels, not their middles
        first, last = begin - 0.5 * scale, begin + (size - 0.5) * scale
        assert first.min() > -0.5 - 1e-9 and last.max() < size - 0.5 + 1e-9
        assert first.min() < -0.4 and last.max() > size - 0.6
    down, across = ((maps[:, 2] / (1 - side)), (maps[:, 5] / (1 - side)))
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.1


def test_rotation_turns_about_the_middle_and_keeps_lengths():
    H, W = 9, 21
    maps = maps_of(Augmentation(rotate=30), (H, W))
    angle = np.degrees(np.arctan2(maps[:, 3], maps[:, 4]))
    assert abs(angle).max() <= 30 and angle.min() < -28 and angle.max() > 28
    assert abs(angle.mean()) < 2
    turn = maps[:, [[0, 1], [3, 4]]]
    np.testing.assert_allclose(turn @ turn.transpose(0, 2, 1), np.tile(np.eye(2), (1000, 1, 1)),
                               atol=1e-15)  # fmt: skip
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    np.testing.assert_allclose(turn @ middle + maps[:, [2, 5]], np.tile(middle, (1000, 1)))


def test_a_quarter_turn_is_a_quarter_turn():
    """The largest amount; a turn of 90 degrees has the exact tangent 1 of its half."""
    from pellucid.training.augmentation import _tangent

    for degrees in np.linspace(0, 45, 91):
        expected = math.tan(math.radians(degrees))
        assert abs(_tangent(math.radians(degrees)) - expected) <= 4e-16 * max(expected, 1)


def test_vertical_flip_mirrors_the_share_it_is_told():
    over = (-1, 0, 4, 0, 1, 0)  # of a picture 5 high
    for share in (0.25, 1.0):
        maps = maps_of(Augmentation(vertical_flip=share), (5, 7))
        mirrored = (maps == over).all(axis=1)
        assert (mirrored | (maps == IDENTITY).all(axis=1)).all()
        assert abs(mirrored.mean() - share) < 0.06
    pictures = np.random.default_rng(0).normal(size=(3, 5, 7, 2))
    both = changed(Augmentation(flip=1, vertical_flip=1), pictures)[0]
    np.testing.assert_array_equal(both, pictures[:, ::-1, ::-1])
    maps = maps_of(Augmentation(flip=0.5, vertical_flip=0.5), (5, 7))
    assert abs(np.corrcoef(maps[:, 0], maps[:, 4])[0, 1]) < 0.1


@pytest.mark.parametrize("dtype", DTYPES)
def test_colors_are_stretched_and_moved(dtype):
    """Of pictures that are 0 and 1, what they become tells factor and move of each channel."""
    pictures = np.zeros((2000, 2, 3, 3), dtype)
    pictures[:, 1] = 1

    def tones(**amounts):
        found, _ = changed(Augmentation(**amounts), pictures, ((1, 1), (2, 0)), gap=1)
        assert (found == found[:, :, :1]).all()
        return found[:, 1, 0] - found[:, 0, 0], found[:, 0, 0]

    def evenly(numbers, low, high):
        assert low <= numbers.min() < low + 0.01 and high - 0.01 < numbers.max() <= high
        assert abs(numbers.mean() - (low + high) / 2) < 0.05 * (high - low)
        assert abs(numbers.std() - (high - low) / math.sqrt(12)) < 0.05 * (high - low)

    factor, move = tones(brightness=0.5)
    np.testing.assert_allclose(factor, 1, rtol=1e-6)
    assert (move == move[:, :1]).all()
    evenly(move[:, 0], -0.5, 0.5)
    factor, move = tones(contrast=0.25)
    assert (factor == factor[:, :1]).all() and not move.any()
    evenly(factor[:, 0], 0.75, 1.25)
    factor, move = tones(color=0.25)
    for channel in range(3):
        evenly(factor[:, channel], 0.75, 1.25)
        evenly(move[:, channel], -0.25, 0.25)
    all_six = np.corrcoef(np.hstack([factor, move]), rowvar=False)
    assert abs(all_six - np.eye(6)).max() < 0.1
    whole, moved = tones(brightness=0.5, contrast=0.25, color=0.25)
    np.testing.assert_allclose(
        whole, tones(contrast=0.25)[0] * factor, rtol=1e-5 if dtype == "float32" else 1e-12
    )
    np.testing.assert_allclose(moved, tones(brightness=0.5)[1] + move, atol=1e-6)


@pytest.mark.parametrize("shape", ((12, 16), (1, 40), (40, 1), (1, 1)))
def test_erased_is_a_rectangle_of_the_mean(shape):
    pictures = np.random.default_rng(0).uniform(1, 2, size=(1000, *shape, 2)).astype("float32")
    found, _ = changed(Augmentation(erase=0.3), pictures, ((1, 0), (0, 1)), gap=3)
    gone = (found == 0).all(axis=3)
    np.testing.assert_array_equal(found, np.where(gone[..., None], 0, pictures))
    sizes = np.array([rectangle_of(one) for one in gone])
    if 1 in shape:  # a signal is cut along its one axis
        assert sizes.max() == (12 if shape != (1, 1) else 0)
        return
    areas, some = sizes.prod(axis=1), sizes[:, 0] > 0
    assert 0.4 < some.mean() <= 0.55 and areas.max() < 0.36 * 12 * 16
    assert abs(areas.mean() / (12 * 16) - 0.075) < 0.01  # half of them, half of 0.3
    ratio = np.log(sizes[some, 0] / 12 / (sizes[some, 1] / 16))
    assert abs(ratio.mean()) < 0.1 and abs(ratio).max() > 0.9
    often = gone.mean(axis=0)  # every place, the middle more than the corners
    assert often.min() > 0 and often[6, 8] > 2 * often[0, 0]


@pytest.mark.parametrize("shape", ((12, 16), (1, 40), (40, 1), (1, 1)))
@pytest.mark.parametrize("rows", (1, 2, 999, 1000))
def test_mixed_pictures_show_a_part_of_their_partner(shape, rows):
    pictures = np.random.default_rng(0).normal(size=(rows, *shape, 2)).astype("float32")
    found, (partner, share) = changed(Augmentation(cutmix=0.5), pictures, ((1, 0), (0, 1)), gap=3)
    np.testing.assert_array_equal(partner, np.arange(rows)[::-1])
    other = (found != pictures).any(axis=3)
    np.testing.assert_array_equal(found, np.where(other[..., None], pictures[partner], pictures))
    np.testing.assert_array_equal(share, 1 - other.sum(axis=(1, 2)) / np.prod(shape))
    sizes = np.array([rectangle_of(one) for one in other])
    if rows < 3 or shape == (1, 1):
        return
    assert rows % 2 == 0 or share[rows // 2] == 1  # its own partner
    assert 0.4 < (share < 1).mean() < 0.55
    # evenly before what lies beyond the edge is cut off
    mixed = share[share < 1]
    assert mixed.min() < 0.1 and mixed.max() > 0.95 and 0.55 < mixed.mean() < 0.75
    if 1 not in shape:
        inside = (sizes < (12, 16)).all(axis=1) & (share < 1)
        assert abs(np.log(sizes[inside] / (12, 16)) @ (1, -1)).mean() < 0.6  # much as the picture
        often = other.mean(axis=0)
        assert 0.05 < often.min() and often.max() < 0.3


def test_a_partner_is_shown_with_its_own_changes():
    """Mixing comes last, of what the others left of each picture."""
    pictures = np.random.default_rng(0).normal(size=(60, 6, 9, 3))
    others = dict.fromkeys(CHANGES, 0.4) | {"rotate": 20, "cutmix": 0}
    plain, _ = changed(Augmentation(**others), pictures)
    found, (partner, share) = changed(Augmentation(**others | {"cutmix": 1}), pictures)
    other = (found != plain).any(axis=3)
    np.testing.assert_array_equal(found, np.where(other[..., None], plain[partner], plain))
    assert (share < 1).mean() > 0.8


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", (1, 8, 33))
def test_parts_change_nothing(rows, dtype):
    pictures = np.random.default_rng(0).normal(size=(rows, 6, 9, 3)).astype(dtype)
    change = Augmentation(**{name: usual for name, (usual, *_) in CHANGES.items()})
    found, mixture = changed(change, pictures)
    assert (changed(change, pictures, step=1)[0] != found).any(axis=(1, 2, 3)).all()
    assert (changed(change, pictures, seed=(3, 2))[0] != found).any(axis=(1, 2, 3)).all()
    for parts in (2, 5):
        again, mixture_again = changed(change, pictures, parts=parts)
        np.testing.assert_array_equal(again, found)
        for one, other in zip(mixture, mixture_again, strict=True):
            np.testing.assert_array_equal(one, other)


@settings(max_examples=60)
@given(
    amounts=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.9), st.floats(0, 90)),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.tuples(st.integers(0, 2**31), st.integers(0, 2**31)),
)
def test_no_change_leaves_the_range_of_the_picture(amounts, shape, seed):
    """Bilinear means are means: nothing is read from outside, whatever the draw."""
    maps = maps_of(Augmentation(*amounts), shape, rows=8, seed=seed)
    assert np.isfinite(maps).all()
    pictures = np.random.default_rng(0).uniform(2, 3, size=(8, *shape, 1))
    found = warped(pictures, maps)
    low, high = (getattr(pictures, each)(axis=(1, 2, 3), keepdims=True) for each in ("min", "max"))
    assert ((found >= low - 1e-12) & (found <= high + 1e-12)).all()


def test_draws_differ_by_step_seed_and_row_and_nothing_else():
    change = Augmentation(0.5, 0.1, 0.2, 15)
    base = maps_of(change, (8, 8))
    assert len(np.unique(base, axis=0)) == len(base)
    for other in ({"step": 1}, {"seed": (2, 2)}, {"seed": (1, 3)}):
        assert (maps_of(change, (8, 8), **other) != base).any(axis=1).all()
    np.testing.assert_array_equal(maps_of(change, (8, 8), parts=3), base)
    np.testing.assert_array_equal(maps_of(change, (8, 8), rows=100), base[:100])


def test_names_lists_and_maps():
    assert resolve(None, "M") is None
    assert resolve("flip", "M") == Augmentation(flip=0.5)
    usual = Augmentation(**{name: usual for name, (usual, *_) in CHANGES.items()})
    assert resolve(list(CHANGES), "M") == usual == resolve(tuple(CHANGES), "M")
    assert resolve({"shift": 0.3, "rotate": 5}, "M") == Augmentation(shift=0.3, rotate=5.0)
    assert resolve([], "M") is None
    assert resolve({"flip": 0}, "M") is None


@pytest.mark.parametrize(
    ("augment", "error", "words"),
    (
        ("flop", ValueError, "Got 'flop'. Did you mean 'flip'?"),
        (["flip", "zoom"], ValueError, "Got 'zoom'."),
        (3, TypeError, "must be None, a name, a list of names, or a map of amounts. Got 3."),
        ({"flip": 1.5}, ValueError, r"augment\['flip'\] of M must be .*1.* Got 1.5"),
        ({"crop": 0.95}, ValueError, r"augment\['crop'\] of M must be .*0.9.* Got 0.95"),
        ({"rotate": -1}, ValueError, r"augment\['rotate'\] of M must be .* Got -1"),
        ({"shift": "far"}, TypeError, r"augment\['shift'\] of M must be .* Got 'far'"),
        ({"shift": math.nan}, ValueError, r"augment\['shift'\] of M must be .* Got nan"),
        ({1: 0.5}, TypeError, "augment of M must be one of .* Got 1."),
    ),
)
def test_what_is_no_change_is_refused(augment, error, words):
    with pytest.raises(error, match=words):
        resolve(augment, "M")


@pytest.mark.parametrize("name", ("rotate", "vertical_flip"))
def test_turned_signals_are_refused(name):
    X, y = np.random.default_rng(0).normal(size=(20, 16)), np.arange(20) % 2
    words = f"augment of CNNClassifier must not turn signals. Leave '{name}' out."
    with pytest.raises(ValueError, match=words):
        CNNClassifier(augment=["flip", name]).fit(X, y)


def test_changed_text_is_refused():
    words = "augment of CNNClassifier must be None of text, whose words are no pixels. Got 'flip'."
    with pytest.raises(ValueError, match=words):
        CNNClassifier(augment="flip").fit(["a b c", "b c d", "c a"] * 4, [0, 1, 0] * 4)


def test_numbers_have_no_shares():
    X, y = np.zeros((20, 5, 5)), np.arange(20.0)
    words = (
        r"^augment of CNNRegressor must be without 'cutmix', which mixes labels, where targets are "
        r"numbers\. Got \['flip', 'cutmix'\]\. Leave 'cutmix' out\.$"
    )
    with pytest.raises(ValueError, match=words):
        CNNRegressor(augment=["flip", "cutmix"]).fit(X, y)


def small(kind=CNNClassifier, **options):
    return kind(
        channels=(4,), hidden_dim=8, random_state=0, verbose=0, **{"max_epochs": 2, **options}
    )


def test_the_network_trains_on_changed_pictures_and_predicts_plain_ones():
    """Always mirrored in training is the same as mirrored data; prediction mirrors nothing."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (60, 6, 7, 3), dtype=np.uint8), np.arange(60) % 3
    mirrored = np.ascontiguousarray(X[:, :, ::-1])
    by_name = small(augment={"flip": 1}).fit(X, y)
    by_hand = small().fit(mirrored, y)
    np.testing.assert_array_equal(by_name.predict_proba(X), by_hand.predict_proba(X))
    assert (small().fit(X, y).predict_proba(X) != by_name.predict_proba(X)).any()


def test_signals_are_changed_too():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 16)).astype(np.float32), np.arange(40) % 2
    by_name = small(augment={"flip": 1}).fit(X, y).predict_proba(X)
    by_hand = small().fit(X[:, ::-1].copy(), y).predict_proba(X)
    np.testing.assert_array_equal(by_name, by_hand)
    for augment in ("shift", "crop", ["flip", "shift", "crop"]):
        assert (small(augment=augment).fit(X, y).predict_proba(X) != by_hand).any()


@pytest.mark.parametrize("n_jobs", (2, 5))
def test_threads_change_nothing(n_jobs, monkeypatch):
    monkeypatch.setattr("pellucid.network.chain.THREAD_WORK", 1)  # else one thread would do
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (70, 6, 7), dtype=np.uint8), np.arange(70) % 3
    labels = rng.integers(0, 2, (70, 4))
    for target in (y, y == 1, labels):  # each loss of classifiers
        base = small(augment=list(CHANGES), n_jobs=1).fit(X, target)
        found = small(augment=list(CHANGES), n_jobs=n_jobs).fit(X, target)
        np.testing.assert_array_equal(found.predict_proba(X), base.predict_proba(X))
        assert found.history_["loss"] == base.history_["loss"]


def test_pictures_are_mixed_in_every_batch_with_their_labels():
    """A picture of two classes side by side is then known to be of these two, not the third."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    X = np.full((300, 8, 8, 1), 0.0)
    X += y[:, None, None, None] + 0.1 * rng.normal(size=X.shape)
    halves = X.copy()
    halves[:, :, 4:] = X[(np.arange(300) + 1) % 300, :, 4:]  # class y beside class y + 1
    model = small(augment={"cutmix": 1}, max_epochs=40, global_pool=True).fit(X, y)
    assert model.score(X, y) > 0.95
    shares = model.predict_proba(halves)
    assert (shares.argmin(axis=1) == (y + 2) % 3).mean() > 0.6
    assert model.history_["accuracy"][-1] < 0.9  # counts the own label alone


def test_weights_of_rows_go_with_their_labels():
    """A row of next to no weight teaches next to nothing, though another shows a part of it."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 5, 5, 1)), np.arange(64) % 2
    weight = np.where(np.arange(64) < 32, 1.0, 1e-30)
    common = {"augment": {"cutmix": 1}, "batch_norm": False, "batch_size": "full"}
    found = small(**common).fit(X, y, sample_weight=weight)
    other = np.where(np.arange(64) < 32, y, 1 - y)
    again = small(**common).fit(X, other, sample_weight=weight)
    np.testing.assert_allclose(found.predict_proba(X), again.predict_proba(X), atol=1e-6)
    turned = small(**common).fit(X, 1 - y, sample_weight=weight)
    assert abs(found.predict_proba(X) - turned.predict_proba(X)).max() > 0.01


# -- views in prediction -----------------------------------------------------------------------


def outputs_of(model, X):
    """The network's outputs of the pictures as they are."""
    plain = CNNClassifier() if isinstance(model, CNNClassifier) else CNNRegressor()
    vars(plain).update(vars(model) | {"test_augment": False})
    return plain._output(plain._read(X))


def moved(X, down, right):
    """Pictures whose pixels stand where those `down` and `right` of them stood, edges repeated."""
    rows = np.clip(np.arange(X.shape[1]) + down, 0, X.shape[1] - 1)
    columns = np.clip(np.arange(X.shape[2]) + right, 0, X.shape[2] - 1)
    return np.ascontiguousarray(X[:, rows][:, :, columns])


VIEWS = {
    "flip": lambda X: [X, X[:, :, ::-1]],
    "vertical_flip": lambda X: [X, X[:, ::-1]],
    "shift": lambda X: [X, *(moved(X, *to) for to in ((-1, 0), (1, 0), (0, -2), (0, 2)))],
    "crop": lambda X: [X, *(moved(X, *to) for to in ((-2, 0), (2, 0), (0, -4), (0, 4)))],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("augment", "names"),
    (
        ("flip", ["flip"]),
        ({"vertical_flip": 0.1, "rotate": 5}, ["vertical_flip"]),
        ({"shift": 0.2}, ["shift"]),
        ({"crop": 0.4, "shift": 0.2, "brightness": 1}, ["crop"]),
        ({"flip": 0.5, "vertical_flip": 0.5, "shift": 0.2}, ["flip", "vertical_flip", "shift"]),
    ),
)
def test_predictions_are_means_over_views(augment, names, dtype, monkeypatch):
    """Views of pictures 10 high and 18 wide, against copies that are mirrored and moved by hand."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (40, 10, 18, 3), dtype=np.uint8), np.arange(40) % 3
    for kind in (CNNClassifier, CNNRegressor):
        model = small(kind, augment=augment, test_augment=True, dtype=dtype).fit(X, y)
        seen = [X, *(view for name in names for view in VIEWS[name](X)[1:])]
        total = sum(outputs_of(model, np.ascontiguousarray(view)) for view in seen)
        expected = total / np.array(len(seen), dtype)
        found = model._output(model._read(X))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)
        assert (found != outputs_of(model, X)).any()
        for predict in (model.predict, getattr(model, "predict_proba", model.predict)):
            whole = predict(X)
            np.testing.assert_array_equal(whole, predict(list(X)))
            for rows in ([0], [39, 3], range(7)):
                np.testing.assert_array_equal(predict(X[rows]), whole[rows])
            ask = model.predictor(predict.__name__)
            np.testing.assert_array_equal([ask(row) for row in X[:3]], whole[:3])
            with monkeypatch.context() as patch:
                patch.setattr("pellucid.network.chain.THREAD_WORK", 1)
                np.testing.assert_array_equal(
                    model.set_params(n_jobs=5).predict(X), model.predict(X)
                )


def test_views_go_into_scores_and_files(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 6, 6, 1)), np.arange(60) % 3
    model = small(augment="flip", test_augment=True).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert model.score(X, y) == (model.predict(X) == y).mean()
    mirrored = np.ascontiguousarray(X[:, :, ::-1])  # adds up in the other order
    np.testing.assert_allclose(model.predict_proba(mirrored), model.predict_proba(X), atol=1e-6)
    plain = small(augment="flip").fit(X, y)
    assert abs(plain.predict_proba(mirrored) - plain.predict_proba(X)).max() > 1e-4
    np.testing.assert_array_equal(  # training is the same
        plain.set_params(test_augment=True).predict_proba(X), model.predict_proba(X)
    )


def test_signals_have_views_too():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 30)).astype(np.float32), np.arange(40) % 2
    model = small(augment=["flip", "shift"], test_augment=True).fit(X, y)
    columns = np.arange(30)
    views = [X, X[:, ::-1], X[:, np.maximum(columns - 2, 0)], X[:, np.minimum(columns + 2, 29)]]
    expected = sum(outputs_of(model, np.ascontiguousarray(view)) for view in views) / np.float32(4)
    np.testing.assert_array_equal(model._output(model._read(X)), expected)


@pytest.mark.parametrize(
    ("augment", "came"),
    (
        (None, "None"),
        (["rotate", "erase"], r"\['rotate', 'erase'\]"),
        ({"shift": 0.01}, "{'shift'.*"),
    ),
)
def test_without_views_there_is_nothing_to_average(augment, came):
    X, y = np.random.default_rng(0).normal(size=(20, 6, 6)), np.arange(20) % 2
    words = (
        "^test_augment of CNNClassifier must be False where augment neither mirrors nor moves. Got "
        f"augment={came}. Add 'flip', 'vertical_flip', 'shift' or 'crop' to it.$"
    )
    with pytest.raises(ValueError, match=words):
        small(augment=augment, test_augment=True).fit(X, y)
    model = small(augment=augment).fit(X, y).set_params(test_augment=True)
    with pytest.raises(ValueError, match=words):
        model.predict(X)
    with pytest.raises(TypeError, match="test_augment of CNNClassifier must be True or False"):
        small(augment="flip", test_augment="yes").fit(X, y)


def test_views_of_a_network_are_checked():
    network = Network([Conv2d(2, 3), Flatten(), Linear(2)]).build((5, 5, 1), random_state=0)
    X = np.random.default_rng(0).normal(size=(3, 5, 5, 1))
    found = network.forward(X, views=[IDENTITY])
    np.testing.assert_array_equal(found, network.forward(X))
    for views in (IDENTITY, [[1.0] * 5], [], [[np.nan] * 6]):
        with pytest.raises(ValueError, match="views of Network.forward must be finite maps"):
            network.forward(X, views=views)
    words = Network([Embedding(9, 3), GlobalAvgPool(), Linear(2)]).build((4, 1), random_state=0)
    with pytest.raises(ValueError, match="views of Network.forward must be None where rows are no"):
        words.forward(np.ones((2, 4, 1)), views=[IDENTITY])
