"""Numbers of another range: put right where it is plain, refused where it is not."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pellucid import CNNClassifier, load
from pellucid.data.pixel_range import PixelRange

X = np.random.default_rng(0).integers(0, 256, (24, 6, 5, 3), dtype=np.uint8)
Y = np.arange(24) % 2
QUICK = {"channels": 4, "hidden_dim": 8, "max_epochs": 3, "random_state": 0, "verbose": 0}


def fit(pictures):
    return CNNClassifier(**QUICK).fit(pictures, Y)


@pytest.fixture(scope="module")
def of_levels():
    return fit(X)


@pytest.fixture(scope="module")
def of_shares():
    return fit(X / 255.0)


@pytest.mark.parametrize(
    ("low", "high", "white"),
    ((0, 255, 255), (3, 200, 255), (0, 1, 1), (0.1, 0.7, 1), (0, 65535, 65535), (0, 16, None),
     (-1, 1, None), (0, 4095, None), (0, 0, None), (0, 1e9, None)),
)  # fmt: skip
def test_white_is_known_where_numbers_come_near_to_it(low, high, white):
    assert PixelRange.of("float", low, high).white == white


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
def test_shares_of_one_are_put_right_for_a_model_of_levels(of_levels, dtype):
    words = (
        r"^X holds numbers from 0 to 1, and those of fit were from 0 to 255: they are multiplied "
        r"by 255, so that white is 255 in both\.$"
    )
    with pytest.warns(UserWarning, match=words):
        found = of_levels.predict_proba((X / 255.0).astype(dtype))
    np.testing.assert_array_equal(found, of_levels.predict_proba(X))


@pytest.mark.parametrize("dtype", (np.float64, np.int64, np.int16, np.uint32))
def test_levels_of_another_type_are_the_same_levels(of_levels, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = of_levels.predict_proba(X.astype(dtype))
    np.testing.assert_array_equal(found, of_levels.predict_proba(X))


def test_levels_are_put_right_for_a_model_of_shares(of_shares):
    expected = of_shares.predict_proba(X / 255.0)
    for pictures in (X, list(X)):
        with pytest.warns(UserWarning, match="they are divided by 255, so that white is 1 in both"):
            found = of_shares.predict_proba(pictures)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(ValueError, match="were from 0 to 1. Got 0 to 255"):
        of_shares.predict(X.astype(np.float64))  # numbers, of which nobody said what is white
    images = [Image.fromarray(picture) for picture in X]
    np.testing.assert_allclose(of_shares.predict_proba(images), expected, atol=1e-6)


def test_numbers_standardised_a_little_below_black_are_refused_or_doubted(of_levels, of_shares):
    with pytest.raises(ValueError, match="must hold numbers like those of fit"):
        of_levels.predict((X - 30.0) / 78)
    with pytest.warns(UserWarning, match="is it in the same units"):
        of_shares.predict((X - 30.0) / 78)


@pytest.mark.parametrize("change", (lambda x: x / 127.5 - 1, lambda x: (x - 128.0) / 70))
def test_standardised_numbers_are_refused(of_levels, of_shares, change):
    for model in (of_levels, of_shares):
        words = (
            r"^X of CNNClassifier must hold numbers like those of fit, which were from 0 to \d+\. "
            r"Got -.* to .*\. Give it as in fit: the model standardises by itself\.$"
        )
        with pytest.raises(ValueError, match=words):
            model.predict(change(X))


def test_a_model_of_numbers_of_no_scale_refuses_far_ones_and_doubts_near_ones():
    model = fit(X / 127.5 - 1)
    for wrong in (X, X.astype(float), [Image.fromarray(picture) for picture in X]):
        with pytest.raises(ValueError, match=r"must hold numbers like those|it is of 8 bits"):
            model.predict(wrong)
    counts = fit(X // 16)  # 0 to 15, as of scikit-learn's digits
    with pytest.raises(ValueError, match="which were from 0 to 15. Got 0 to 255"):
        counts.predict(X)
    with pytest.raises(ValueError, match="which were from 0 to 15. Got 0 to 1"):
        counts.predict(X / 255.0)
    with pytest.warns(UserWarning, match="from 0 to 1, .* from 0 to 15: is it in the same units"):
        counts.predict(X // 128)  # of the same type, and perhaps dark


def test_a_little_beyond_white_is_no_other_range(of_shares):
    """As after an enlargement by cubic curves."""
    near = X / 255.0 * 1.1 - 0.05
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_shares.predict(near)


def test_a_dark_picture_is_dark_and_not_of_another_range(of_levels, of_shares):
    dark = X[:1] // 8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_levels.predict(dark)
        of_shares.predict(dark / 255.0)
        of_levels.predict(np.zeros_like(X))


@given(
    st.sampled_from(("uint8", "uint16", "float32", "float64", "int64")),
    st.sampled_from((1.0, 255.0, 65535.0)),
)
@settings(max_examples=40)
def test_nothing_is_wrong_in_silence(of_levels, of_shares, dtype, white):
    """However a picture is written, the answer is right, or there is a word."""
    numbers = X / 255 * white
    written = (numbers if dtype.startswith("float") else np.rint(numbers)).astype(dtype)
    if written.max() < white or (white == 1 and not dtype.startswith("float")):
        return  # the picture does not fit into the type
    for model, own in ((of_levels, X), (of_shares, X / 255.0)):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                found = model.predict_proba(written)
            except ValueError as error:
                assert "must hold numbers like those of fit" in str(error)
                continue
        right = np.allclose(found, model.predict_proba(own), atol=1e-5)
        assert right or any("X holds numbers from" in str(one.message) for one in told)


def test_what_is_done_to_a_picture_does_not_depend_on_its_neighbours(of_shares):
    shares = X / 255.0
    alone = of_shares.predict_proba(shares[:4])
    shares[5, 0, 0, 0] = 1.4
    np.testing.assert_array_equal(of_shares.predict_proba(shares)[:4], alone)
    field = fit(X / 255.0 * 200)  # of any physical unit
    weak = X[:3] / 255.0
    with pytest.warns(UserWarning, match="is it in the same units"):
        alone = field.predict_proba(weak)
    np.testing.assert_array_equal(field.predict_proba(np.r_[weak, X[3:] / 2.0])[:3], alone)


def test_eight_and_sixteen_bits_are_one_scale_however_dark():
    deep = (X // 16).astype(np.uint16) * 257
    model = fit(deep)
    levels = X[:3] // 16
    as_array = model.predict_proba(levels)
    images = [Image.fromarray(picture) for picture in levels]
    np.testing.assert_array_equal(as_array, model.predict_proba(images))
    np.testing.assert_array_equal(as_array, model.predict_proba(deep[:3]))


def test_a_saved_model_knows_its_range(of_levels, tmp_path):
    of_levels.save(tmp_path / "m")
    model = load(tmp_path / "m")
    assert model.pictures_.range == of_levels.pictures_.range == ("bytes", 0.0, 255.0, 255.0)
    with pytest.raises(ValueError, match="like those of fit"):
        model.predict(X / 127.5 - 1)


def test_channels_first_are_told_of(of_levels):
    turned = np.random.default_rng(0).integers(0, 256, (24, 3, 16, 16), dtype=np.uint8)
    words = (
        r"^X of CNNClassifier of shape \(24, 3, 16, 16\) is read as pictures of 3 x 16 pixels with "
        r"16 channels\. If the channels come first, as in PyTorch, pass X\.transpose\(0, 2, 3, 1\)"
    )
    with pytest.warns(UserWarning, match=words):
        fit(turned)
    with pytest.raises(ValueError, match=r"Got \(3, 6, 5\)\. Pass X\.transpose\(0, 2, 3, 1\)\.$"):
        of_levels.predict(X.transpose(0, 3, 1, 2))


def test_shares_of_one_are_doubted_by_a_model_of_standardised_pictures():
    model = fit((X - 33.0) / 78)
    with pytest.warns(UserWarning, match="is it in the same units"):
        model.predict(X / 255.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict((X - 33.0) / 78)


@pytest.mark.parametrize("dtype", (bool, np.uint8, np.int64))
def test_black_and_white_is_put_right_or_refused_or_doubted(of_levels, dtype):
    masks = X > 127
    if dtype is bool:
        with pytest.warns(UserWarning, match="multiplied by 255"):
            found = of_levels.predict_proba(masks)
        np.testing.assert_array_equal(found, of_levels.predict_proba(masks * np.uint8(255)))
    elif dtype is np.uint8:
        with pytest.warns(UserWarning, match="is it in the same units"):
            of_levels.predict(masks.astype(dtype))
    else:
        with pytest.raises(ValueError, match="Got 0 to 1"):
            of_levels.predict(masks.astype(dtype))


def test_files_are_held_against_the_range_too(tmp_path):
    masks = fit((X > 127).astype(np.uint8))
    paths = [str(tmp_path / f"{i}.png") for i in range(3)]
    for path, picture in zip(paths, X, strict=False):
        Image.fromarray(picture).save(path)
    for pictures in (paths, [Image.fromarray(picture) for picture in X[:3]]):
        words = "it holds levels up to 2.., and those of fit were up to 1. Give it in the same uni"
        with pytest.raises(ValueError, match=words):
            masks.predict(pictures)


def test_levels_of_twelve_and_sixteen_bits_are_not_mixed_up_in_silence(tmp_path):
    def saved(name, factor):
        paths = []
        for i, picture in enumerate(X[..., 0]):
            paths.append(str(tmp_path / f"{name}{i}.png"))
            Image.fromarray(picture.astype(np.uint16) * np.uint16(factor)).save(paths[-1])
        return paths

    twelve, sixteen = saved("twelve", 16), saved("sixteen", 257)
    with pytest.raises(ValueError, match="it holds levels up to 6.*, and those of fit were up to"):
        fit(twelve).predict(sixteen)
    with pytest.warns(UserWarning, match="far darker than those of fit: is it in the same units"):
        fit(sixteen).predict(twelve)
