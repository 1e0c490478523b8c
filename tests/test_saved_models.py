"""Models saved by versions before load, and predict the same bits."""

import numpy as np
import pytest
import saved_models

from pellucid import load

pytest.importorskip("pandas")
NAMES = ("table", "pictures", "steps", "series", "text", "visits")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_the_version_before_predicts_the_same_bits(name):
    model, X = load(saved_models.FOLDER / f"{name}.safetensors"), saved_models.data()[name]
    expected = np.load(saved_models.FOLDER / "predictions.npz")[name]
    predicted = saved_models.answers(model, X)
    assert predicted.dtype == expected.dtype
    np.testing.assert_array_equal(predicted, expected)
    if hasattr(model, "classes_"):
        shares = model.predict_proba(X)
        np.testing.assert_allclose(shares.ravel(), expected, rtol=0, atol=5e-7)
