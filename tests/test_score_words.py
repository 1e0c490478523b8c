"""Scores in words and tables of 80 columns, and what is said where no model would do as well."""

import pytest

from pellucid.inspection.score_words import in_line, text_of, verdict
from pellucid.terminal import fits

NAMES = {
    "latin": "a_long_class_name_of_a_real_table_",
    "chinese": "一个很长的类别名称出现在真实的表格里",
}


def classes(count, accuracy=0.9, loss=0.3, usual=(0.94, 0.227), name="c"):
    names = [f"{name}{i}" for i in range(count)]
    lines = [
        {"class": one, "rows": 10 + i, "recall": i / count, "precision": None}
        for i, one in enumerate(names)
    ]
    return {
        "rows": 1000, "accuracy": accuracy, "right": 900, "loss": loss, "auc": 0.75,
        "balanced_accuracy": 0.5, "classes": lines,
        "confusion": [[123] * count] * count,
        "baseline": {"answer": names[0], "accuracy": usual[0], "loss": usual[1]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("accuracy", "loss", "words"),
    [
        (0.926, 0.390, "The model is no better than always saying 'c0'."),
        (0.940, 0.227, "The model is no better than always saying 'c0'."),
        (0.950, 0.390, "By loss the model is no better than always saying 'c0': its probabilities "
                       "are too sure."),
        (0.926, 0.200, "By accuracy the model is no better than always saying 'c0'."),
        (0.950, 0.200, ""),
        (0.926, None, "By accuracy the model is no better than always saying 'c0'."),
    ],
)  # fmt: skip
def test_a_model_no_better_than_the_most_frequent_class_is_said_so(accuracy, loss, words):
    scores = classes(2, accuracy, loss)
    assert verdict(scores) == words
    text = " ".join(text_of("Test", scores).split())
    assert words in text and "Always saying 'c0': accuracy 0.940, loss 0.227" in text


def test_a_perfect_model_is_never_blamed():
    """As on rows of one class alone, where the most frequent one is perfect too."""
    assert verdict(classes(2, 1.0, 0.1, (1.0, 0.5))) == ""


def test_no_baseline_no_verdict():
    scores = {**classes(2), "baseline": None}
    assert verdict(scores) == "" and "Always" not in text_of("Test", scores)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", (2, 3, 6, 12, 13, 20, 150))
def test_classes_fit_the_page(name, count):
    scores = classes(count, name=NAMES[name])
    if count > 100:
        scores["confusion"] = None
    text = text_of("Test on 1,000 rows", scores)
    assert fits(text), text
    assert "recall" in text and "precision" in text and "AUC 0.750" in text
    assert text.count("\n") < 40
    if count == 150:  # those that are told apart worst
        assert "and 130 more classes" in text and f"{0:.3f}" in text


def numbers(*targets):
    return {
        "rows": 9,
        "targets": [
            {"target": name, "r2": 0.5, "mean_absolute_error": mae, "root_mean_squared_error": rmse,
             "baseline": {"answer": 12.5, "r2": -0.1, "mean_absolute_error": 1.0,
                          "root_mean_squared_error": 2.0}}
            for name, mae, rmse in targets
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([("p", 0.5, 0.5)], ""),
        ([("p", 1.5, 2.5)], "The model is no better than always saying the mean."),
        ([("p", 1.5, 0.5)], "By mean absolute error the model is no better than always saying the "
                            "mean."),
        ([("p", 0.5, 2.0)], "By root mean squared error the model is no better than always saying "
                            "the mean."),
        ([("p", 1.5, 2.5), ("q", 2, 3), ("r", 0, 0)],
         "For 'p' and 'q' the model is no better than always saying the mean."),
    ],
)  # fmt: skip
def test_a_model_no_better_than_the_mean_is_said_so(targets, words):
    scores = numbers(*targets)
    assert verdict(scores) == words
    text = text_of("Test", scores)
    assert words in " ".join(text.split()) and "always 12.5" in text
    assert "mean absolute error" in text and "R2" in text


@pytest.mark.parametrize(("loss", "words"), [
    (0.5, ""), (1.5, "By"), (1.0, "By"),
])  # fmt: skip
def test_a_quantile_is_judged_by_its_own_loss(loss, words):
    own = {"target": "p", "pinball_loss": loss, "coverage": 0.75}
    base = {"answer": 12.5, "kind": "0.9 quantile", "pinball_loss": 1.0, "coverage": 0.9}
    scores = {"rows": 9, "targets": [{**own, "baseline": base}]}
    said = "The model is no better than always saying the 0.9 quantile." if words else ""
    assert verdict(scores) == said
    text = text_of("Test", scores)
    assert "pinball loss" in text and "share at or below" in text and "0.750" in text
    assert "R2" not in text
    two = {
        "rows": 9,
        "targets": [{**own, "baseline": base}, {**own, "target": "q", "baseline": base}],
    }
    assert verdict(two) == said.replace("The", "For 'p' and 'q' the")


def test_a_quantile_of_a_series_is_judged_by_its_own_loss():
    own, naive = {"pinball_loss": 0.5, "coverage": 0.88}, {"pinball_loss": 0.4, "coverage": 0.5}
    step = {"step": 1, **own, "naive": naive}
    scores = {"rows": 9, "target": "v", "steps": [step], "all": step, "without_naive": 0,
              "period": None, "period_found": ""}  # fmt: skip
    assert verdict(scores) == "The model is no better than the naive forecast."
    text = text_of("Test", scores)
    assert "pinball loss" in text and "88.0% of the true values are at or below" in text
    assert "MAE" not in text and "MASE" not in text


@pytest.mark.parametrize("name", NAMES.values())
def test_long_targets_fit_the_page(name):
    assert fits(text_of("Test", numbers((name * 3, 1.23456e-10, 1.2e10))))
    labels = {
        "rows": 5, "accuracy": 0.5, "baseline": {"accuracy": 0.6},
        "targets": [{"target": name * 3, "accuracy": 0.5, "loss": 0.4, "auc": 0.75, "recall": 0.5,
                     "precision": None, "baseline": {"accuracy": 0.6, "loss": 0.3, "answer": 0}}],
    }  # fmt: skip
    assert fits(text_of("Test", labels))
    assert verdict(labels) == "The model is no better than always saying the same."
    assert fits(text_of("Test", steps(*[(0.1, 0.2)] * 12, target=name * 3)))


def steps(*errors, target="v"):
    """Absolute and squared errors in each step ahead; the naive forecast's are 1 and 2."""

    def figures(mae, rmse):
        return {"mean_absolute_error": mae, "root_mean_squared_error": rmse}

    steps = [
        {"step": i + 1, **figures(*pair), "naive": figures(1, 2)} for i, pair in enumerate(errors)
    ]
    overall = {**figures(0.5, 0.5), "naive": figures(1, 2)}
    return {
        "rows": 9, "target": target, "period": None, "steps": steps, "all": overall,
        "without_naive": 0,
    }  # fmt: skip


def test_a_forecast_no_better_than_the_naive_one_is_said_so():
    scores = steps((1.5, 2.5), (0, 1))
    words = "1 step ahead the model is no better than the naive forecast."
    assert verdict(scores) == words
    assert words in " ".join(text_of("Test", scores).split())


def test_what_the_baselines_are_is_said_once_for_all_targets():
    one, other = (full(2, 1.0) | {"target": name} for name in ("a", "b"))
    assert text_of("Test", {"rows": 9, "targets": [one, other]}).count("naive: all stays") == 1
    other["period"] = 7
    assert text_of("Test", {"rows": 9, "targets": [one, other]}).count("naive: all stays") == 2


def full(count, size, names=()):
    """Scores beside all baselines, in numbers of some size; of several series where named."""
    errors = {"mean_absolute_error": size, "root_mean_squared_error": 2 * size,
              "mean_absolute_scaled_error": 0.5}  # fmt: skip
    others = dict.fromkeys(("naive", "seasonal_naive", "ridge"), errors)
    scores = {
        "rows": 9, "target": "a long name " * 9, "period": 168, "period_found": "by the times",
        "steps": [{"step": k + 1, **errors, **others} for k in range(count)],
        "all": {**errors, **others}, "without_naive": 3,
    }  # fmt: skip
    if names:
        scores["groups"] = [{"group": name, "rows": 3, **errors, **others} for name in names]
    return scores


@pytest.mark.parametrize("size", (0.12345, 123456789.0, 1.2345e-12, 1.2e17))
@pytest.mark.parametrize("names", ((), ("a", "a group of a very long name " * 4, "很长的类别" * 9)))
def test_all_baselines_fit_the_page(size, names):
    """Beside one another where there is room, else one measure below the other."""
    text = text_of("Test on 9 windows", full(12, size, names))
    assert fits(text), text
    for words in ("MAE", "RMSE", "MASE", "naive", "seasonal", "ridge", "+12", "all"):
        assert words in text
    assert "as it was 168 rows before (by the times)" in " ".join(text.split())
    assert ("3 of 3 series" in " ".join(text.split())) == bool(names)


def test_many_series_are_counted_not_listed():
    text = text_of("Test", full(1, 1.0, [f"g{i}" for i in range(40)]))
    assert "g1" not in text and "40 of 40 series are forecast no better than by the naive" in (
        " ".join(text.split())
    )


def test_a_baseline_that_is_not_there_is_said_so():
    scores = full(2, 1.0)
    for part in (scores["all"], *scores["steps"]):
        del part["seasonal_naive"]
    words = " ".join(text_of("Test", scores).split())
    assert "There is no seasonal naive forecast: rows 168 before are not there." in words
    scores["period"] = None
    words = " ".join(text_of("Test", scores).split())
    assert "There is no seasonal naive forecast: no period is found." in words


def test_figures_in_a_line():
    assert (
        in_line({"rows": 3, "accuracy": 0.5, "loss": None, "r2": 1}) == "accuracy 0.500, R2 1.000"
    )
