"""Pictures in training: the same model wherever they come from, and what stops or skips one."""

import pickle
import sys
import threading
import traceback
import warnings
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile
from sklearn.base import clone

from pellucid import CNNClassifier, CNNRegressor, NetworkClassifier, list_pictures, load
from pellucid.data import picture_encoder, picture_sets
from pellucid.data.picture_encoder import PictureEncoder
from pellucid.data.picture_sets import PictureWarnings, read_all
from pellucid.data.picture_sources import Sources
from pellucid.data.pictures import read_picture
from pellucid.layers import Conv1d, Conv2d, Flatten, GlobalAvgPool, Linear, ReLU
from pellucid.rows import pictures as row_pictures
from pellucid.rows import workers

QUICK = {"channels": 4, "hidden_dim": 8, "max_epochs": 3, "batch_size": 8, "random_state": 0,
         "verbose": 0}  # fmt: skip
COUNT = 30
LEVELS = np.random.default_rng(0).integers(0, 256, (COUNT, 9, 8, 3), dtype=np.uint8)
GREY = np.ascontiguousarray(LEVELS[..., 0])
Y = np.arange(COUNT) % 3


def fit(X, y=Y, weight=None, **options):
    return CNNClassifier(**{**QUICK, **options}).fit(X, y, sample_weight=weight)


def bits(model):
    """All that the model learned."""
    _, arrays = model._state()
    return {name: each.tobytes() for name, each in arrays.items()}


def alive():
    """The ends to come of threads that read pictures."""
    frames = sys._current_frames().values()
    stacks = [[frame for frame, _ in traceback.walk_stack(frame)] for frame in frames]
    ours = [stack[-1] for stack in stacks if stack[-1].f_code is workers._work.__code__]
    return [end for end in (frame.f_locals["end"] for frame in ours) if not end.happened]


@pytest.fixture
def save(tmp_path):
    """A function that writes arrays as PNG and gives their paths."""

    def write(pictures, ending="png", folder="pictures"):
        (tmp_path / folder).mkdir(exist_ok=True)
        paths = [str(tmp_path / folder / f"{i:02}.{ending}") for i in range(len(pictures))]
        for path, each in zip(paths, pictures, strict=True):
            Image.fromarray(each).save(path)
        return paths

    return write


@pytest.fixture
def streamed(monkeypatch):
    """Nothing is kept, and the ring holds a few batches."""
    monkeypatch.setattr(picture_encoder, "size_in_bytes", lambda *_: 0)
    monkeypatch.setattr(row_pictures, "RING_BYTES", 1)


@pytest.fixture
def reads(monkeypatch):
    """Whatever is decoded, in a list that grows."""
    seen = []

    def read(source, *rest):
        seen.append(source)
        return read_picture(source, *rest)

    monkeypatch.setattr(picture_encoder, "read_picture", read)
    monkeypatch.setattr(picture_encoder, "read_picture", read)
    return seen


# -- one model, many ways ----------------------------------------------------------------------


@pytest.mark.parametrize("levels", (GREY, LEVELS), ids=("grey", "colour"))
def test_the_same_model_from_files_images_and_arrays(save, levels):
    import pandas as pd
    import polars as pl

    paths = save(levels)
    images = [Image.fromarray(each) for each in levels]
    base = fit(levels)
    expected = base.predict_proba(levels).tobytes()
    for X in (paths, list(map(Path, paths)), tuple(paths), np.array(paths),
              np.array(paths, dtype=object), pd.Series(paths), pd.DataFrame({"file": paths}),
              pl.Series(paths), pl.DataFrame({"file": paths}), images, list(levels),
              [*paths[:10], *images[10:20], *levels[20:]]):  # fmt: skip
        model = fit(X)
        assert bits(model) == bits(base)
        assert model.n_features_in_ == base.n_features_in_ == levels[0].size
        assert model.predict_proba(X).tobytes() == expected
        assert model.predict_proba(levels).tobytes() == expected


@pytest.mark.parametrize(
    "options",
    (
        {}, {"early_stopping": True}, {"augment": ["flip", "shift"]}, {"n_jobs": 3},
        {"augment": ["flip", "shift", "cutmix"], "test_augment": True},
        {"batch_size": 7}, {"batch_size": "full"}, {"batch_size": 1}, {"dtype": "float64"},
        {"image_size": (5, 11)}, {"color": "grey"}, {"class_weight": "balanced"},
        {"weight": np.arange(COUNT) % 4 / 3.0},
    ),
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("ring", (1, 5000))
def test_decoding_anew_in_each_epoch_is_the_same(save, reads, monkeypatch, options, ring):
    paths = save(LEVELS)
    expected = fit(paths, **options)
    assert sorted(reads) == paths  # each once, and kept
    again = expected.predict_proba(paths).tobytes()
    monkeypatch.setattr(picture_encoder, "size_in_bytes", lambda *_: 0)
    monkeypatch.setattr(row_pictures, "RING_BYTES", ring)
    reads.clear()
    model = fit(paths, **options)
    assert len(reads) > 3 * 20
    assert bits(model) == bits(expected)
    assert [row["loss"] for row in model.history_] == [row["loss"] for row in expected.history_]
    assert model.predict_proba(paths).tobytes() == again
    assert not alive()


def test_going_on_with_decoding_anew_is_the_same(save, streamed):
    paths = save(LEVELS)
    model, other = CNNClassifier(**QUICK), CNNClassifier(**QUICK)
    for _ in range(2):
        model.partial_fit(paths, Y)
        other.partial_fit(LEVELS, Y)
    assert bits(model) == bits(other)


@pytest.mark.parametrize("room", (0, -1))
def test_what_fits_is_decoded_once(save, reads, monkeypatch, room):
    paths = save(LEVELS)
    monkeypatch.setattr(picture_encoder, "size_in_bytes", lambda *_: LEVELS.nbytes + room)
    fit(paths)
    assert set(reads) == set(paths)
    assert (len(reads) == COUNT) is (room == 0)


def test_many_pictures_are_predicted_as_one_array_is(save, monkeypatch):
    """More than a batch of use, through a ring smaller than one."""
    paths = save(LEVELS)
    model = fit(paths)
    monkeypatch.setattr(row_pictures, "RING_BYTES", 1)
    order = np.random.default_rng(0).integers(0, COUNT, 700)
    found = model.predict_proba([paths[i] for i in order])
    assert found.tobytes() == model.predict_proba(LEVELS)[order].tobytes()
    assert not alive()


@pytest.mark.parametrize("streams", (False, True))
def test_sixteen_bits_and_numbers_from_files_are_as_their_arrays(save, streams, request):
    if streams:
        request.getfixturevalue("streamed")
    deep = (GREY.astype(np.uint16) * 251) + np.arange(8, dtype=np.uint16)
    for levels, ending in ((deep, "png"), (GREY / np.float32(7) - 3, "tif")):
        paths = save(levels, ending)
        model = fit(paths)
        assert bits(model) == bits(fit(levels))
        assert model.predict_proba(paths).tobytes() == model.predict_proba(levels).tobytes()


def test_numbers_are_learned_from_files_too(save):
    y = LEVELS.mean(axis=(1, 2, 3))
    model = CNNRegressor(**QUICK).fit(save(LEVELS), y)
    assert bits(model) == bits(CNNRegressor(**QUICK).fit(LEVELS, y))


def test_a_saved_model_predicts_from_files(save, tmp_path):
    paths = save([*LEVELS[:-1], np.zeros((20, 4, 3), np.uint8)])
    model = fit(paths)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.predict_proba(paths).tobytes() == model.predict_proba(paths).tobytes()
    assert again.pictures_.describe() == model.pictures_.describe()
    assert (again.image_size, again.color, again.on_error) == (None, "auto", "raise")


@pytest.mark.parametrize("streams", (False, True))
def test_pickles_and_clones_read_the_same_files(save, streams, request):
    if streams:
        request.getfixturevalue("streamed")
    paths = save(LEVELS)
    model = fit(paths, image_size=[6, 7], color="grey", on_error="skip")
    again = pickle.loads(pickle.dumps(model))
    assert again.predict_proba(paths).tobytes() == model.predict_proba(paths).tobytes()
    fresh = clone(model)
    assert not hasattr(fresh, "network_")
    assert fresh.get_params() == model.get_params()
    assert bits(fresh.fit(paths, Y)) == bits(model)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("kind", (np.uint8, np.uint16, np.float32))
def test_channels_have_mean_zero_and_deviation_one(dtype, kind):
    pictures = LEVELS.astype(kind) * kind(100 if kind is np.uint16 else 1)
    weight = np.random.default_rng(1).integers(0, 4, COUNT).astype(float)
    for weights in (None, weight):
        found = np.asarray(
            PictureEncoder().fit_transform(CNNClassifier(), pictures, weights, np.dtype(dtype)),
            dtype=np.float64,
        )
        repeated = found if weights is None else np.repeat(found, weight.astype(int), axis=0)
        np.testing.assert_allclose(repeated.mean(axis=(0, 1, 2)), 0, atol=1e-6)
        np.testing.assert_allclose(repeated.std(axis=(0, 1, 2)), 1, atol=1e-6)
        levels = pictures.astype(np.float64)
        if weights is not None:
            levels = np.repeat(levels, weight.astype(int), axis=0)
        mean, spread = levels.mean(axis=(0, 1, 2)), levels.std(axis=(0, 1, 2))
        np.testing.assert_allclose(found, (pictures - mean) / spread, atol=1e-6)


def test_a_channel_of_one_level_stays_finite(save):
    flat = LEVELS.copy()
    flat[..., 1] = 77
    model = fit(save(flat))
    data = np.asarray(model.pictures_.transform(model, flat))
    assert (data[..., 1] == 0).all() and np.isfinite(data).all()
    assert np.isfinite(model.predict_proba(LEVELS)).all()


# -- sizes, colours, kinds ---------------------------------------------------------------------


def test_pictures_of_several_sizes_become_their_median_and_it_says_so(save, capsys):
    sizes = [(6, 9), (8, 8), (12, 5)] * 10
    pictures = [LEVELS[i, :1, :1].repeat(h, 0).repeat(w, 1) for i, (h, w) in enumerate(sizes)]
    model = fit(save(pictures), verbose=1)
    assert model.network_.input_shape == (8, 8, 3)
    told = " ".join("".join(capsys.readouterr()).split())
    words = "pictures of 3 sizes, 6 x 9 to 12 x 5, are resized to their median, 8 x 8; image_size"
    assert words in told
    assert model.predict(pictures[:2]).shape == (2,)  # resized likewise
    assert model.predict(np.zeros((2, 40, 3, 3), np.uint8)).shape == (2,)


@pytest.mark.parametrize(("size", "shape"), ((5, (5, 5, 3)), ((4, 7), (4, 7, 3))))
def test_image_size_sets_the_size(save, size, shape):
    paths = save(LEVELS)
    for X in (paths, LEVELS, list(LEVELS)):
        assert fit(X, image_size=size).network_.input_shape == shape
    assert bits(fit(paths, image_size=size)) == bits(fit(LEVELS, image_size=size))


def test_colour_is_found_out_or_set(save):
    grey, colour = save(GREY, folder="g"), save(LEVELS, folder="c")
    assert fit(grey).network_.input_shape == (9, 8, 1)
    assert fit(colour).network_.input_shape == (9, 8, 3)
    mixed = [*colour[:20], *grey[20:]]
    made = [np.asarray(Image.fromarray(each).convert("L")) for each in LEVELS[:20]]
    assert bits(fit(mixed, color="grey")) == bits(fit(np.stack([*made, *GREY[20:]])))
    made = np.repeat(GREY[20:, :, :, None], 3, axis=3)
    model = fit(mixed, color="rgb")
    assert bits(model) == bits(fit(np.concatenate([LEVELS[:20], made])))
    assert model.predict(grey).shape == (COUNT,)
    assert bits(fit(mixed)) == bits(model)


def test_most_pictures_decide_on_grey_or_colour_and_it_is_said(save):
    grey, colour = save(GREY, folder="g"), save(LEVELS, folder="c")
    model = fit([*grey[:1], *colour[1:29], *grey[29:]])
    assert model.pictures_.notes == [
        f"2 of 30 pictures, the first '{grey[0]}', are grey and are converted to colour as the "
        'others are; color="grey" makes all so'
    ]
    model = fit([*colour[:1], *grey[1:]])
    assert model.network_.input_shape == (9, 8, 1)
    assert model.pictures_.notes == [
        f"1 of 30 pictures, '{colour[0]}', is in colour and is converted to grey as the others "
        'are; color="rgb" makes all so'
    ]
    assert fit([*colour[:1], *grey[1:]], color="grey").pictures_.notes == []  # as it was told


def test_grey_among_colour_is_converted_at_predict_and_it_is_said(save):
    grey, colour = save(GREY, folder="g"), save(LEVELS, folder="c")
    model = fit(colour)
    words = (
        r"^picture 2 of 4, '.*01\.png' and 1 more: grey, and converted to colour as those of fit "
        r"are\.$"
    )
    with pytest.warns(UserWarning, match=words):
        found = model.predict_proba([colour[0], grey[1], colour[2], grey[3]])
    made = np.repeat(GREY[..., None], 3, axis=3)
    expected = model.predict_proba(np.stack([LEVELS[0], made[1], LEVELS[2], made[3]]))
    np.testing.assert_array_equal(found, expected)
    with pytest.warns(UserWarning, match="in colour, and converted to grey as"):
        fit(grey).predict(colour[:2])


def test_eight_and_sixteen_bits_are_mixed(save):
    """Of equally many the finer ones decide, else most: all are brought to one scale."""
    eight = save(GREY, folder="8")
    sixteen = save(GREY.astype(np.uint16) * 257, folder="16")
    model = fit([*eight[:15], *sixteen[15:]])
    assert bits(model) == bits(fit(sixteen))
    assert model.pictures_.notes == [
        f"15 of 30 pictures, the first '{eight[0]}', are of 8 bits and are converted to 16 bits as "
        "the others are"
    ]
    assert bits(fit([*eight[:16], *sixteen[16:]])) == bits(fit(eight))


def test_the_odd_one_is_named_and_can_be_skipped(save, tmp_path):
    """One picture of numbers among those of levels: nobody knows what is white in it."""
    paths = save(GREY)
    paths[0] = str(tmp_path / "first.tif")
    Image.fromarray(GREY[0].astype(np.float32)).save(paths[0])
    words = (
        r"^picture 1 of 30, '.*first\.tif', cannot be used: it is of numbers of any size, and the "
        r'others are of 8 bits\. Convert it or pass on_error="skip"\.$'
    )
    with pytest.raises(ValueError, match=words):
        fit(paths)
    model = fit(paths, on_error="skip")
    assert [position for position, _ in model.pictures_.left_out] == [0]
    weight = np.r_[0.0, np.ones(COUNT - 1)]
    assert bits(model) == bits(fit(GREY, weight=weight))


def test_palettes_are_their_colours(save):
    few = LEVELS // 64 * 80  # 64 colours
    images = [Image.fromarray(each).quantize(64, method=Image.Quantize.FASTOCTREE) for each in few]
    paths = save(few)
    for path, image in zip(paths, images, strict=True):
        image.save(path)
        with Image.open(path) as found:
            assert found.mode == "P"
    assert bits(fit(paths)) == bits(fit(np.stack([np.asarray(i.convert("RGB")) for i in images])))


def test_the_first_frame_of_animations_and_palettes(save, tmp_path):
    paths = []
    for i, each in enumerate(GREY):
        paths.append(tmp_path / f"{i}.gif")
        frames = [Image.fromarray(each), Image.fromarray(255 - each)]
        if i % 2:
            frames = [frame.convert("P") for frame in frames]
        frames[0].save(paths[-1], save_all=True, append_images=frames[1:])
    assert bits(fit(paths)) == bits(fit(GREY))


# -- what cannot be used -----------------------------------------------------------------------


def spoil(path, how):
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:80])
    elif how == "no picture":
        path.write_bytes(b"words, not pixels" * 9)


SPOILT = {
    "missing": "the file does not exist",
    "empty": "the file is empty",
    "truncated": r"it is damaged or breaks off \(.*\)",
    "no picture": "it is no picture that Pillow knows",
}


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("streams", (False, True))
def test_a_bad_file_is_named_or_skipped(save, how, streams, tmp_path, request):
    if streams:
        request.getfixturevalue("streamed")
    paths = save(LEVELS)
    spoil(tmp_path / "pictures" / "07.png", how)
    words = (
        rf"^picture 8 of 30, '.*07\.png', cannot be used: {SPOILT[how]}\. "
        r'Remove it or pass on_error="skip"\.$'
    )
    estimator = CNNClassifier(**QUICK)
    with pytest.raises(ValueError, match=words):
        estimator.fit(paths, Y)
    assert not hasattr(estimator, "network_")
    model = fit(paths, on_error="skip")
    ((position, why),) = model.pictures_.left_out
    assert position == 7 and why.startswith(f"{paths[7]} (")
    (note,) = model.pictures_.notes
    assert note == f"1 of 30 pictures cannot be used and is left out: {why}"
    weight = np.ones(COUNT)
    weight[7] = 0
    assert bits(model) == bits(CNNClassifier(**QUICK).fit(LEVELS, Y, sample_weight=weight))
    weight[:] = 2 - np.arange(COUNT) % 2
    model = fit(paths, weight=weight, on_error="skip", early_stopping=True)
    weight[7] = 0
    assert bits(model) == bits(fit(LEVELS, weight=weight, early_stopping=True))
    words = rf"^picture 8 of 30, .*{SPOILT[how]}\. (Remove it|Put it right)\.$"
    with pytest.raises(ValueError, match=words):
        model.predict(paths)
    assert not alive()


@pytest.mark.parametrize("kind", (np.uint8, np.uint16, np.float32))
def test_numbers_are_learned_without_the_skipped(save, tmp_path, kind):
    levels, y = GREY.astype(kind), GREY.mean(axis=(1, 2))
    paths = save(levels, "tif")
    spoil(tmp_path / "pictures" / "03.tif", "missing")
    y[3], weight = 1e6, np.ones(COUNT)
    model = CNNRegressor(**QUICK, on_error="skip").fit(paths, y)
    weight[3] = 0
    assert bits(model) == bits(CNNRegressor(**QUICK).fit(levels, y, sample_weight=weight))


def test_a_class_of_which_all_are_skipped_is_none(save, tmp_path):
    paths = save(LEVELS)
    for i in range(0, COUNT, 3):
        spoil(tmp_path / "pictures" / f"{i:02}.png", "truncated")
    assert fit(paths, on_error="skip").classes_.tolist() == [1, 2]
    words = "y of CNNClassifier must have at least two classes. Got one class, 1"
    with pytest.raises(ValueError, match=words):
        fit(paths, np.minimum(Y, 1), on_error="skip")


def test_a_missing_picture_has_no_say_in_the_median(save, tmp_path):
    pictures = [each[:5, :4] for each in LEVELS[:16]] + list(LEVELS[16:])
    paths = save(pictures)
    assert fit(paths).network_.input_shape == (5, 4, 3)
    for i in range(4):
        spoil(tmp_path / "pictures" / f"{i:02}.png", "empty")
    assert fit(paths, on_error="skip").network_.input_shape == (9, 8, 3)


def test_of_several_bad_files_the_first_is_named(save, tmp_path):
    paths = save(LEVELS)
    for i in (29, 4, 17):
        spoil(tmp_path / "pictures" / f"{i:02}.png", "truncated")
    for _ in range(5):
        with pytest.raises(ValueError, match="^picture 5 of 30, "):
            fit(paths)


def test_skipping_says_nothing_where_silence_is_asked_for(save, tmp_path, capfd):
    paths = save(LEVELS)
    spoil(tmp_path / "pictures" / "05.png", "empty")
    fit(paths, on_error="skip", verbose=0)
    assert capfd.readouterr() == ("", "")
    assert fit(LEVELS, on_error="skip").pictures_.left_out == []


def test_what_was_skipped_is_counted_and_the_first_are_named(save, tmp_path, capsys):
    paths = save(LEVELS)
    for i in range(0, 14, 2):
        spoil(tmp_path / "pictures" / f"{i:02}.png", "empty")
    model = fit(paths, on_error="skip", verbose=1)
    assert [position for position, _ in model.pictures_.left_out] == list(range(0, 14, 2))
    told = "".join("".join(capsys.readouterr()).split())
    assert "7of30picturescannotbeusedandareleftout:" in told
    assert "08.png(thefileisempty);and2more" in told


def test_no_picture_at_all_is_one_error(save, tmp_path):
    paths = save(LEVELS)
    for i in range(COUNT):
        spoil(tmp_path / "pictures" / f"{i:02}.png", "empty")
    words = r"must have a picture that can be used\. Got 30, and none can: .*00\.png \(the file is"
    with pytest.raises(ValueError, match=words):
        fit(paths, on_error="skip")


def test_another_size_at_predict_is_refused_by_its_position(save):
    model = fit(save(LEVELS))
    words = (
        r"^picture 2 of 2, '.*1\.png', cannot be used: it is 4 x 5 pixels, and those of fit are "
        r"9 x 8\. Resize it, or fit with image_size=\(9, 8\)\.$"
    )
    with pytest.raises(ValueError, match=words):
        model.predict(save([LEVELS[0], LEVELS[0, :4, :5]], folder="other"))
    with pytest.raises(ValueError, match=r"must have rows of shape \(9, 8, 3\), as in fit\. Got"):
        model.predict(LEVELS[:, :4])
    words = r"^picture 1 of 1 cannot be used: it is 4 x 5 pixels"  # an image has no name
    with pytest.raises(ValueError, match=words):
        model.predict([Image.fromarray(LEVELS[0, :4, :5])])


def test_another_size_at_predict_is_resized_where_fit_resized(save):
    paths = save(LEVELS)
    model = fit(paths, image_size=(4, 5))
    small = [np.asarray(Image.fromarray(each).resize((5, 4), 2)) for each in LEVELS]
    found = model.predict_proba(paths)
    for X in (np.stack(small), small, save(small, folder="small"), LEVELS):
        assert model.predict_proba(X).tobytes() == found.tobytes()


@pytest.mark.parametrize(
    ("X", "options", "words"),
    (
        (LEVELS, {"image_size": 0}, "image_size of CNNClassifier must be a positive integer, or t"),
        (LEVELS, {"image_size": (4, 0)}, r"image_size of CNNClassifier .* Got \(4, 0\)"),
        (LEVELS, {"image_size": (4, 4, 3)}, r"image_size of CNNClassifier .* Got \(4, 4, 3\)"),
        (LEVELS, {"image_size": "big"}, "image_size of CNNClassifier .* Got 'big'"),
        (LEVELS, {"image_size": True}, "image_size of CNNClassifier .* Got True"),
        (LEVELS, {"color": "red"}, "color of CNNClassifier must be one of .* Got 'red'"),
        (LEVELS, {"on_error": "ignore"}, "on_error of CNNClassifier must be one of .* Got 'ignor"),
        (np.zeros((COUNT, 6)), {"image_size": 4}, "image_size of CNNClassifier must be None for s"),
        ([*LEVELS[:-1], np.zeros((0, 8, 3), np.uint8)], {}, "picture 30 of 30 cannot be used: an "),
        ([*LEVELS[:-1], "none.png"], {}, "picture 30 of 30, 'none.png', cannot be used: the file"),
        ([LEVELS[0] / 255, *(np.full((3, 4, 3), np.nan) for _ in Y[1:])], {},
         "picture 2 of 30 cannot be used: it holds NaN or infinity"),
        ([LEVELS[0] / 255, *LEVELS[1:, :5]], {},
         "picture 1 of 30 cannot be used: it is of numbers of any size, and the others are of 8 b"),
    ),
)  # fmt: skip
def test_mistakes_are_told(X, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        fit(X, **options)


def test_the_number_of_rows_is_checked_before_anything_is_read():
    with pytest.raises(
        ValueError, match="must have the same number of rows. Got 2 rows in X and 30 in y"
    ):
        fit(["gone.png", "lost.png"])


def test_signals_and_pictures_are_not_taken_for_each_other(save):
    model = fit(np.random.default_rng(0).normal(size=(COUNT, 12)))
    with pytest.raises(ValueError, match="must be signals, as in fit. Got pictures."):
        model.predict(save(LEVELS))
    with pytest.raises(ValueError, match="X has 12 features, but CNNClassifier is expecting 216"):
        fit(save(LEVELS)).predict(np.zeros((3, 12)))


def test_a_bomb_is_refused_before_it_is_decoded(save, monkeypatch):
    paths = save(LEVELS[:-1])
    bomb = save([np.zeros((90, 90), np.uint8)], folder="bomb")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match=r"picture 30 of 30.* as a decompression bomb has"):
        fit([*paths, *bomb])


# -- while training ----------------------------------------------------------------------------


class Meddler:
    """A callback that does something after the first epoch."""

    def __init__(self, action):
        self.action = action

    def __call__(self, estimator, row):
        if row["epoch"] == 1:
            self.action()


def replaced(path):
    Image.fromarray(LEVELS[0, :4, :5]).save(path)


CHANGES = {
    "missing": (lambda path: spoil(path, "missing"), SPOILT["missing"] + r"\. Put it right"),
    "truncated": (lambda path: spoil(path, "truncated"), SPOILT["truncated"] + r"\. Put it right"),
    "another size": (replaced, "it is 4 x 5 pixels, and those of fit are 9 x 8"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("options", ({}, {"early_stopping": True, "validation_fraction": 0.7}))
def test_a_file_that_changes_while_training_is_named(save, tmp_path, streamed, change, options):
    paths = save(LEVELS)
    estimator, (action, words) = CNNClassifier(**QUICK), CHANGES[change]
    path = tmp_path / "pictures" / "11.png"
    estimator.set_params(callbacks=[Meddler(lambda: action(path))], **options)
    with pytest.raises(
        ValueError, match=rf"^picture 12 of 30, '.*11\.png', cannot be used: {words}"
    ):
        estimator.fit(paths, Y)
    assert not hasattr(estimator, "network_")
    assert not alive()


def test_a_fit_that_fails_leaves_the_one_before(save, tmp_path, streamed):
    paths = save(LEVELS)
    model = fit(paths)
    before, path = bits(model), tmp_path / "pictures" / "11.png"
    model.set_params(callbacks=[Meddler(path.unlink)], random_state=1)
    with pytest.raises(ValueError, match="^picture 12 of 30, "):
        model.fit(paths, Y)
    assert bits(model) == before
    assert model.n_iter_ == QUICK["max_epochs"]


def test_kept_pictures_may_go_while_training(save, tmp_path):
    paths = save(LEVELS)
    path = tmp_path / "pictures" / "11.png"
    model = fit(paths, callbacks=[Meddler(path.unlink)])
    assert not path.exists()
    assert bits(model) == bits(fit(LEVELS))


def test_what_breaks_a_fit_off_leaves_no_thread(save, streamed):
    def stop():
        assert alive()
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fit(save(LEVELS), callbacks=[Meddler(stop)])
    assert not alive()


def test_ctrl_c_keeps_what_was_learned_and_leaves_no_thread(save, streamed):
    def interrupt():
        seen.append(len(alive()))
        raise KeyboardInterrupt

    models, seen = [], []
    for X in (save(LEVELS), LEVELS):
        models.append(fit(X, callbacks=[Meddler(interrupt)]))
        assert not alive()
    assert seen[0] > 0  # there were threads to end
    assert [each.n_iter_ for each in models] == [1, 1]
    assert bits(models[0]) == bits(models[1])


def test_an_interrupted_reading_leaves_no_thread(save, monkeypatch):
    """Ctrl-C before there is anything to keep ends the fit."""
    paths, seen = save(LEVELS), []

    def add(*arguments):
        seen.append(arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(picture_sets.Counts, "add", add)
    estimator = CNNClassifier(**QUICK)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(paths, Y)
    assert len(seen) == 1
    assert not hasattr(estimator, "network_")
    assert not alive()


# -- arrays and images among files -------------------------------------------------------------


def test_a_list_of_which_all_break_off_is_one_error(save, tmp_path):
    paths = save(LEVELS)
    for i in range(COUNT):
        spoil(tmp_path / "pictures" / f"{i:02}.png", "truncated")
    for make in (CNNClassifier, CNNRegressor):
        with pytest.raises(ValueError, match=r"can be used\. Got 30, and none can: .*00\.png"):
            make(**QUICK, on_error="skip").fit(paths, Y)


def test_images_that_break_off_are_named_and_skipped(save, tmp_path):
    paths = save(LEVELS)
    spoil(tmp_path / "pictures" / "07.png", "truncated")
    closed = Image.open(paths[3])
    closed.close()
    for position in (3, 7):
        images = [Image.fromarray(each) for each in LEVELS]
        images[position] = closed if position == 3 else Image.open(paths[7])
        words = (
            rf"^picture {position + 1} of 30 cannot be used: it is damaged or breaks off \(.*\)\."
        )
        with pytest.raises(ValueError, match=words):
            fit(images)
        if position == 7:
            images[7].close()
            images[7] = Image.open(paths[7])
        model = fit(images, on_error="skip")
        ((found, why),) = model.pictures_.left_out
        assert found == position and why.startswith(f"picture {position + 1} (it is damaged")
        for image in images:
            image.close()


def test_one_image_many_times(save, monkeypatch):
    """Threads may not load it at once."""
    (path,) = save([np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)])
    load, busy = PngImageFile.load, threading.Lock()

    def watched(image):
        if not image.tile:  # it has been loaded
            return load(image)
        assert busy.acquire(blocking=False), "two threads load one image"
        sleep(0.05)
        busy.release()
        return load(image)

    monkeypatch.setattr(PngImageFile, "load", watched)
    with Image.open(path) as image:
        fit([image] * 8, np.arange(8) % 2, image_size=8)


@pytest.mark.parametrize("kind", (np.uint8, np.uint16, np.float32))
def test_arrays_change_colour_as_files_do(save, kind):
    grey, colour = GREY.astype(kind), LEVELS.astype(kind)
    weighed = colour @ np.array([0.299, 0.587, 0.114])
    encoder = PictureEncoder(color="grey")
    found = np.asarray(encoder.fit_transform(CNNClassifier(), colour), dtype=np.float64)
    expected = (weighed - weighed.mean()) / weighed.std()
    np.testing.assert_allclose(found[..., 0], expected, atol=0.012)
    model = fit(grey, color="rgb")
    assert bits(model) == bits(fit(np.repeat(grey[..., None], 3, axis=3)))
    np.testing.assert_array_equal(model.predict(grey), model.predict(list(grey)))
    if kind is np.uint8:
        base = bits(fit(save(LEVELS), color="grey"))
        assert base == bits(fit(LEVELS, color="grey")) == bits(fit(list(LEVELS), color="grey"))
        assert bits(fit([*save(GREY, folder="g")[:20], *GREY[20:]], color="rgb")) == bits(model)


def test_other_numbers_of_channels_are_not_converted():
    X = np.concatenate([LEVELS, LEVELS[..., :2]], axis=3)
    assert fit(X).network_.input_shape == (9, 8, 5)
    words = "picture 1 of 30 cannot be used: it is of 5 channels, and the others are grey. Convert"
    with pytest.raises(ValueError, match=words):
        fit(X, color="grey")


def test_image_size_resizes_later_whatever_the_first_were(save):
    model = fit(LEVELS, image_size=(9, 8))
    assert model.predict(save([LEVELS[0, :4, :5]])).shape == (1,)
    assert model.predict(LEVELS[:, :4]).shape == (COUNT,)


def test_arrays_of_eight_and_sixteen_bits_are_one_scale():
    deep = GREY.astype(np.uint16) * np.uint16(257)
    model = fit(deep)
    expected = model.predict_proba(deep)
    np.testing.assert_array_equal(model.predict_proba(GREY), expected)
    np.testing.assert_array_equal(model.predict_proba([Image.fromarray(x) for x in GREY]), expected)
    np.testing.assert_array_equal(fit(GREY).predict_proba(deep), fit(GREY).predict_proba(GREY))
    assert bits(fit([*GREY[:15], *deep[15:]])) == bits(model)


def test_an_estimator_without_the_parameters_does_not_advise_them(save, tmp_path):
    paths = save(LEVELS)
    layers = [Conv2d(4, 3), ReLU(), Flatten(), Linear(3)]
    spoil(tmp_path / "pictures" / "07.png", "empty")
    with pytest.raises(ValueError, match=r"the file is empty\. Remove it\.$"):
        NetworkClassifier(layers, max_epochs=1, verbose=0).fit(paths, Y)


def test_what_pillow_warns_of_is_said_once_with_the_picture(save, tmp_path):
    """Of each kind of warning Python shows one, and it names no file."""
    exif = b"Exif\0\0II*\0" + (8).to_bytes(4, "little") + (9).to_bytes(2, "little")
    paths = save(LEVELS)
    for i in (3, 7, 8):
        paths[i] = str(tmp_path / f"odd{i}.jpg")
        Image.fromarray(LEVELS[i]).save(paths[i], exif=exif)
    with pytest.warns(UserWarning) as warned:
        sources = Sources(listed=paths)
        headers = sources.headers(0)
        sources.warned.tell()
        sources.warned.tell()
    assert len(headers) == len(paths)
    (text,) = [str(warning.message) for warning in warned]
    assert text.startswith("picture 4 of 30, '") and "odd3.jpg' and 2 more: Pillow" in text
    assert "Pillow warns: Corrupt EXIF data" in text and text.endswith(".")


def test_a_bomb_is_refused_though_pillow_only_warns(save, monkeypatch):
    """Between Pillow's limit and twice that, also at predict; the limit is the user's."""
    paths = save(LEVELS)
    model = fit(paths)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    for use in (fit, model.predict):
        with pytest.raises(ValueError, match=r"picture 1 of 30.* as a decompression bomb has"):
            use(paths)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    fit(paths)


def test_warnings_of_other_threads_go_where_they_went(save):
    with pytest.warns(UserWarning, match="^mine$") as warned:
        outcomes = read_all(lambda i: i, range(3), PictureWarnings([None] * 3), "reading", 0)
        for _ in outcomes:
            warnings.warn("mine", stacklevel=1)
    assert len(warned) == 3


# -- folders ---------------------------------------------------------------------------------------


@pytest.fixture
def classes(tmp_path):
    """A folder with one folder a class, and all pictures of another in one folder."""
    root = tmp_path / "classes"
    for i in range(COUNT):
        (root / "abc"[Y[i]]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(LEVELS[i]).save(root / "abc"[Y[i]] / f"{i:02}.png")
    return root


@pytest.mark.parametrize("kind", (str, Path))
def test_a_folder_is_learned_from_scored_and_predicted(classes, kind):
    paths, names = list_pictures(classes)
    expected = fit(paths, names)
    model = CNNClassifier(**QUICK).fit(kind(classes))
    assert model.digest_ == expected.digest_ and model.classes_.tolist() == ["a", "b", "c"]
    assert model.predict(kind(classes)).tolist() == expected.predict(paths).tolist()
    assert len(model.predict(kind(classes / "b"))) == 10
    assert model.score(kind(classes)) == expected.score(paths, names)
    layers = NetworkClassifier([Conv2d(4, 3), Flatten()], max_epochs=1, random_state=0, verbose=0)
    assert layers.fit(classes).classes_.tolist() == ["a", "b", "c"]
    going_on = CNNClassifier(**QUICK).partial_fit(classes, classes=["a", "b", "c"])
    assert going_on.n_iter_ == 1
    held = CNNClassifier(**QUICK).fit(classes, validation_data=(classes, None))
    assert len(held.history_["validation_loss"]) == 3


def test_a_folder_that_names_no_classes_says_what_to_do(classes):
    given = (
        r"^X of {} must be pictures or a list of their paths, one for each entry of y\. Got the "
    )
    given += r"one path '.*classes'\. {}"
    model = fit(LEVELS)
    leave_out = given.format("CNNClassifier", "Leave y out, where the names of its folders are")
    one_file = classes / "a" / "00.png"
    for call, error, words in (
        (lambda: model.fit(classes, Y), ValueError, leave_out),
        (lambda: model.score(str(classes), Y), ValueError, leave_out),
        (lambda: CNNRegressor().fit(classes), ValueError, given.format("CNNRegressor", "List it")),
        (lambda: CNNRegressor().fit(classes, Y), ValueError, r"pellucid\.data\.files_below\(fol"),
        (lambda: model.fit(classes / "a"), ValueError, "must hold one folder a class, with its pi"),
        (lambda: model.fit("nowhere"), FileNotFoundError, "does not exist. Name a folder that has"),
        (lambda: model.predict("nowhere"), FileNotFoundError, "'nowhere' does not exist"),
        (
            lambda: model.fit(one_file),
            NotADirectoryError,
            "must be a folder of pictures\\. Got a f",
        ),
        (lambda: model.predict(one_file), ValueError, r"Got the one file '.*00\.png'\. Pass \[X\]"),
        (lambda: model.score(LEVELS), ValueError, r"^score of CNNClassifier needs y\. Got None\."),
    ):
        with pytest.raises(error, match=words):
            call()
    (classes / "empty").mkdir()
    with pytest.raises(ValueError, match=r"a folder with pictures in it\. Got '.*empty', which ha"):
        model.predict(classes / "empty")


# -- signals -----------------------------------------------------------------------------------

SIGNALS = np.random.default_rng(3).normal(size=(COUNT, 12, 2)) + 5.0


@pytest.mark.parametrize(
    ("X", "signals", "shape", "words"),
    (
        (SIGNALS, "auto", (12, 2), "read as signals of 12 steps and 2 channels; signals=False"),
        (SIGNALS[:, :4], "auto", (4, 2), "signals of 4 steps and 2 channels"),
        (SIGNALS[:, :3], "auto", (3, 2, 1), None),  # as wide as a picture may be
        (SIGNALS[:, :3], True, (3, 2), None),
        (SIGNALS, False, (12, 2, 1), None),
        (SIGNALS.swapaxes(1, 2), "auto", (2, 12, 1), "grey pictures of 2 x 12; signals have their"),
        ((SIGNALS * 20).astype(np.uint8), "auto", (12, 2, 1), None),  # levels of 8 bits
        ((SIGNALS * 20).astype(np.uint8), True, (12, 2), None),
    ),
)  # fmt: skip
def test_rank_three_is_signals_or_grey_pictures_and_it_is_said(X, signals, shape, words):
    model = fit(X, signals=signals)
    assert model.pictures_.shape == shape
    assert len(model.pictures_.notes) == (words is not None)
    assert words is None or words in model.pictures_.notes[0]
    np.testing.assert_array_equal(model.predict(X[:3]), model.predict(X)[:3])


def test_each_channel_of_signals_has_its_own_scale(tmp_path):
    X = SIGNALS * (1.0, 1000.0)
    model = fit(X)
    np.testing.assert_allclose(model.pictures_._scaler.mean, X.mean(axis=(0, 1)))
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").predict(X), model.predict(X))


@pytest.mark.parametrize("channels", (None, 2))
def test_signals_of_unequal_lengths_are_filled_up_with_their_mean(channels, tmp_path):
    """Mean and deviation are of the steps that are there; a file knows that it fills up."""
    lengths = np.random.default_rng(0).integers(5, 12, COUNT)
    X = [signal[:length] for signal, length in zip(SIGNALS, lengths, strict=True)]
    if channels is None:
        X = [signal[:, 0] for signal in X]
    model = fit(X)
    encoder = model.pictures_
    assert encoder.shape == (lengths.max(), channels or 1)
    assert encoder.notes == [f"signals of 5 to {lengths.max()} steps are filled up to "
                             f"{lengths.max()} with the mean"]  # fmt: skip
    np.testing.assert_allclose(encoder._scaler.mean, np.concatenate(X).mean(axis=0))
    rows = encoder.transform(model, X)
    for row, length in zip(rows, lengths, strict=True):
        assert row[:length].all() and not row[length:].any()
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    # one by one, and all of one length
    np.testing.assert_array_equal(again.predict(X[:1]), model.predict(X)[:1])
    short = np.stack([x[:5] for x in X])
    np.testing.assert_array_equal(again.predict(short), again.predict(list(short)))


LISTED = [SIGNALS[0], *SIGNALS[1:, :9]]


@pytest.mark.parametrize(
    ("X", "words"),
    (
        ([np.ones((13, 2))], r"signal 0 of X of .* at most 12 steps, .* Got 13\. Cut it, as \[x\["),
        ([np.ones((4, 2)), np.ones((4, 3))], r"signal 1 of X .* of 2 channels, .* shape \(4, 3\)"),
        ([np.ones((0, 2)), np.ones((4, 2))], "signal 0 of X of .* must have at least one step"),
        ([np.full((4, 2), np.inf), np.ones((5, 2))], "must be finite. Got NaN or infinity in sig"),
    ),
)
def test_signals_that_cannot_be_filled_up_are_refused(X, words):
    model = fit(LISTED)
    with pytest.raises(ValueError, match=words):
        model.predict(X)


def test_signals_of_equal_length_are_not_filled_up():
    """What all had in training, all must have."""
    with pytest.raises(ValueError, match=r"must have rows of shape \(12, 2\), as in fit"):
        fit(SIGNALS).predict(SIGNALS[:, :9])


@pytest.mark.parametrize(
    ("X", "options", "words"),
    (
        (LEVELS, {"signals": True}, "must be signals, of shape .* where signals is True"),
        (SIGNALS, {"signals": "yes"}, "signals of CNNClassifier must be True, False or \"auto\""),
        (SIGNALS, {"signals": 1}, "signals of CNNClassifier must be True, False or \"auto\""),
        (SIGNALS, {"residual": "no"}, "residual of CNNClassifier must be True, False or \"auto\""),
        (SIGNALS, {"kernel_size": "big"}, "kernel_size of CNNClassifier must be .* or \"auto\""),
    ),
)  # fmt: skip
def test_wrong_choices_about_signals_are_refused(X, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        fit(X, **options)


def test_a_network_of_layers_reads_what_its_first_window_slides_over():
    options = {"max_epochs": 1, "random_state": 0, "verbose": 0}
    for layer, shape in ((Conv1d(4, 3), (12, 2)), (Conv2d(4, 2), (12, 2, 1))):
        model = NetworkClassifier([layer, GlobalAvgPool()], **options).fit(SIGNALS, Y)
        assert model.pictures_.shape == shape


# -- further pictures ------------------------------------------------------------------------------


def test_pictures_to_validate_on_are_decoded_once_where_they_fit(save, reads):
    paths, others = save(LEVELS), save(LEVELS[::-1], folder="others")
    CNNClassifier(**QUICK).fit(paths, Y, validation_data=(others, Y[::-1]))
    assert len(reads) == 2 * COUNT


def test_pictures_to_validate_on_that_vanish_are_an_error(save, tmp_path, streamed):
    paths, others = save(LEVELS), save(LEVELS, folder="others")

    def remove(*_):
        spoil(tmp_path / "others" / "07.png", "empty")

    model = CNNClassifier(**QUICK, on_error="skip", callbacks=remove)
    with pytest.raises(ValueError, match=r"07\.png', cannot be used: the file is empty"):
        model.fit(paths, Y, validation_data=(others, Y))


@pytest.mark.parametrize("how", ("empty", "truncated"))
def test_going_on_skips_too(save, tmp_path, how):
    paths, more = save(LEVELS), save(LEVELS, folder="more")
    spoil(tmp_path / "more" / "07.png", how)
    good = [path for path in more if "07" not in path]
    labels = [label for place, label in enumerate(Y) if place != 7]
    for use in ("fit", "partial_fit"):
        model, same = (fit(paths, warm_start=True, on_error="skip") for _ in range(2))
        with pytest.warns(UserWarning, match="^1 of 30 pictures cannot be used and is left out: "):
            getattr(model, use)(more, Y)
        getattr(same, use)(good, labels)
        assert bits(model) == bits(same)
        model.set_params(on_error="raise")
        with pytest.raises(ValueError, match=r"07\.png', cannot be used"):
            getattr(model, use)(more, Y)


@pytest.mark.parametrize("make", (CNNClassifier, CNNRegressor))
def test_nothing_usable_to_validate_on_is_one_sentence(save, tmp_path, make):
    paths, others = save(LEVELS), save(LEVELS[:3], folder="others")
    for i in range(3):
        spoil(tmp_path / "others" / f"{i:02}.png", "truncated")
    words = "validation_data of CNN.* must have a picture that can be used. Got 3, and none can: "
    words = words.replace("must", "cannot be used. X of CNN.* must")
    with pytest.raises(ValueError, match=words):
        make(**QUICK, on_error="skip").fit(paths, Y, validation_data=(others, Y[:3]))


def test_an_unknown_class_of_an_unusable_picture_harms_nothing(save, tmp_path):
    paths, others = save(LEVELS), save(LEVELS[:4], folder="others")
    spoil(tmp_path / "others" / "02.png", "empty")
    with pytest.warns(UserWarning, match="1 of 4 pictures cannot be used"):
        fit_with = CNNClassifier(**QUICK, on_error="skip")
        fit_with.fit(paths, Y, validation_data=(others, [0, 1, 7, 0]))


def test_weights_of_unusable_pictures_alone_are_refused(save, tmp_path):
    paths, weight = save(LEVELS), np.zeros(COUNT)
    spoil(tmp_path / "pictures" / "07.png", "empty")
    weight[7] = 1
    with pytest.raises(ValueError, match="must be above 0 for a picture that can be used"):
        fit(paths, weight=weight, on_error="skip")


def test_arrays_to_validate_on_are_put_right(save):
    listed = [LEVELS[0], *LEVELS[1:, :7]]
    model = fit(listed)
    expected = fit(listed).set_params(max_epochs=1)
    with pytest.warns(UserWarning, match="multiplied by 255"):
        model.fit(listed, Y, validation_data=([x / 255 for x in listed], Y))
    expected = CNNClassifier(**QUICK).fit(listed, Y, validation_data=(listed, Y))
    assert model.history_[-1]["validation_loss"] == pytest.approx(
        expected.history_[-1]["validation_loss"], rel=1e-6
    )


def test_faults_keep_no_pixels(save, tmp_path):
    paths = save(LEVELS)
    spoil(tmp_path / "pictures" / "07.png", "truncated")
    model = fit([*paths[:7], *paths[8:]], np.delete(Y, 7))
    reading, faults = model.pictures_.read_some(model, paths)
    model.predict(reading)
    assert list(faults) == [7]
    assert faults[7].__traceback__ is None and faults[7].__cause__ is None
    assert faults[7].__context__ is None


def test_left_out_pictures_have_no_say_in_the_range(save, tmp_path):
    paths = []
    for i, level in enumerate((100, 110, 0, 105)):
        paths.append(str(tmp_path / f"{i}.tif"))
        Image.fromarray(np.full((4, 5), np.nan if i == 2 else level, np.float32)).save(paths[-1])
    model = fit(paths, [0, 1, 0, 1], on_error="skip")
    assert model.pictures_.range[1:3] == (100, 110)


def test_a_model_pickled_before_there_was_a_choice_predicts():
    model = fit(LEVELS, image_size=(5, 6))
    for name in ("resize", "cache_size"):
        del vars(model.pictures_)[name]
    assert pickle.loads(pickle.dumps(model)).predict(LEVELS).shape == (COUNT,)


def test_threads_that_read_leave_the_warnings_of_the_process_as_they_were(save, monkeypatch):
    monkeypatch.setattr(picture_encoder, "size_in_bytes", lambda *_: 0)
    paths = save(LEVELS)
    model = fit(paths)
    shown, filters = warnings.showwarning, list(warnings.filters)
    threads = [
        threading.Thread(target=lambda: [model.predict(paths) for _ in range(6)]) for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert warnings.showwarning is shown and list(warnings.filters) == filters


def test_a_folder_in_parts_is_said_once_and_watched(tmp_path, save):
    for part, count in (("train", 8), ("val", 4), ("test", 6)):
        for label in "ab":
            (tmp_path / "set" / part / label).mkdir(parents=True)
            for i in range(count):
                Image.fromarray(LEVELS[i]).save(tmp_path / "set" / part / label / f"{i}.png")
    root = tmp_path / "set"
    model = CNNClassifier(**QUICK).fit(root)
    (note,) = model.pictures_.notes
    assert note == "learned from train/ alone, test/ is to test on, val/ to validate on"
    assert "validation_loss" in model.history_[-1] and model.about_.rows == 16
    (root / "test" / "a" / "0.png").write_bytes(b"")
    CNNClassifier(**QUICK).fit(root, validation_data=(root, None))  # of val/
    (root / "test" / "a" / "0.png").unlink()
    assert 0 <= model.score(root) <= 1
    for _ in range(3):
        model.partial_fit(root, classes=["a", "b"])
    assert model.pictures_.notes == [note] and model.pictures_.watched is None


def test_a_grey_array_is_made_colour_for_a_model_of_colour():
    model = fit(LEVELS)
    expected = model.predict_proba(np.repeat(GREY[..., None], 3, axis=3))
    for grey in (GREY, GREY[..., None], list(GREY)):
        with pytest.warns(UserWarning, match="grey, and converted to colour"):
            np.testing.assert_array_equal(model.predict_proba(grey), expected)


def test_no_picture_at_all_is_said_so():
    model = fit(LEVELS)
    with pytest.raises(
        ValueError, match="X of CNNClassifier must have at least one row. Got shape"
    ):
        model.predict(LEVELS[:0])


def test_an_error_says_how_many_others_cannot_be_used(save, tmp_path):
    paths = save(LEVELS)
    for i in (7, 9, 12):
        spoil(tmp_path / "pictures" / f"{i:02}.png", "empty")
    words = r'07\.png.* or pass on_error="skip"\. 2 more cannot be used either\.$'
    with pytest.raises(ValueError, match=words):
        fit(paths)
