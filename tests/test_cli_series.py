"""Series and sequences at the command line: scored beside the naive forecast, and continued."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_cli import fails, invoke, rows_of, run

from pellucid import LSTMRegressor, NetworkRegressor, load
from pellucid.data import windows
from pellucid.data.baselines import Baselines
from pellucid.data.holidays import on_holiday
from pellucid.data.intervals import ForecastIntervals
from pellucid.layers import LSTM

SHORT = ["--set", "max_epochs=3", "--set", "hidden_dim=8"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.fixture
def waves():
    """A hundred days of a wave, shuffled, with a column of text and a gap."""
    rows = [
        [str(date(2024, 1, 1) + timedelta(d)), f"{np.sin(d / 3):.4f}", "ab"[d % 2], d % 7]
        for d in range(100)
    ]
    rows[5][3] = ""
    order = np.random.default_rng(0).permutation(100)
    return write("waves.csv", ["day", "height", "kind", "moon"], [rows[i] for i in order])


@pytest.fixture
def patients():
    """Thirty sequences of unequal length, whose class is whether they rise."""
    rng, rows = np.random.default_rng(0), []
    for who in range(30):
        side = "up" if who % 2 else "down"
        values = np.cumsum(rng.uniform(size=rng.integers(3, 8))) * (1 if who % 2 else -1)
        rows += [[f"p{who}", t, f"{v:.3f}", side] for t, v in enumerate(values)]
    return write("patients.csv", ["who", "day", "pulse", "side"], rows)


SERIES = ["--network", "lstm", "--target", "height", "--time", "day", "--steps", "6"]


def test_a_series_is_split_by_time_and_scored_beside_the_naive_forecast(waves):
    text = run("fit", waves, *SERIES, "--horizon", "3", *SHORT)
    assert "100 rows, 92 windows of 6 to learn the next 3 steps from" in text
    # the cut is before day 80: windows with answers on both sides are dropped
    assert "Learning from 72 windows; the last 18 are held out to test." in text
    lines = text.splitlines()
    assert any(line.split()[:1] == ["+3"] for line in lines)
    header = next(line.split() for line in lines if line.strip().startswith("height  "))
    assert header[:5] == ["height", "MAE", "naive", "seasonal", "ridge"]
    assert len(next(line for line in lines if line.strip().startswith("all")).split()) >= 5
    assert max(map(len, lines)) <= 80
    model = load("waves.safetensors")
    assert model.sequences_.series == {
        "target": "height", "time": "day", "group": None, "steps": 6, "horizon": 3
    }  # fmt: skip


def test_the_series_is_continued(waves):
    run("fit", waves, *SERIES, "--horizon", "3", *SHORT)
    rows = rows_of(run("predict", "waves.safetensors", waves))
    assert [row["day"] for row in rows] == ["2024-04-10", "2024-04-11", "2024-04-12"]
    assert all(np.isfinite(float(row["height"])) for row in rows)
    text = run("evaluate", "waves.safetensors", waves)
    assert "height, 3 steps ahead from 6 steps back, by day" in run("summary", "waves.safetensors")
    assert text.startswith("height, 92 windows of waves.csv:") and "naive" in text
    assert "windows" not in run("summary", "waves.safetensors").splitlines()[0]


def test_several_series_are_continued_each(tmp_path):
    rows = [[name, t, f"{np.sin(t / 2 + i):.3f}"] for i, name in enumerate("ab") for t in range(30)]
    path = write("two.csv", ["name", "t", "v"], rows)
    given = ["--network", "rnn", "--target", "v", "--time", "t", "--group", "name", "--steps", "4"]
    run("fit", path, *given, *SHORT)
    rows = rows_of(run("predict", "two.safetensors", path))
    assert [(row["name"], row["t"]) for row in rows] == [("a", "30"), ("b", "30")]


def test_where_times_do_not_tell_steps_are_counted():
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=30), "v": np.arange(30.0)})
    frame.to_parquet("days.parquet")
    given = ["--network", "rnn", "--target", "v", "--time", "day", "--steps", "1", "--horizon", "2"]
    run("fit", "days.parquet", *given, *SHORT)
    rows = rows_of(run("predict", "days.safetensors", "days.parquet"))
    assert [row["day"] for row in rows] == ["2024-01-31", "2024-02-01"]
    frame[:1].to_parquet("day.parquet")
    rows = rows_of(run("predict", "days.safetensors", "day.parquet"))
    assert [row["day"] for row in rows] == ["+1", "+2"]
    frame[["v"]].to_csv("plain.csv", index=False)
    run("fit", "plain.csv", *given[:4], *given[6:], *SHORT)
    rows = rows_of(run("predict", "plain.safetensors", "plain.csv"))
    assert [row["step"] for row in rows] == ["+1", "+2"]


def test_sequences_of_a_long_table(patients):
    given = ["--network", "gru", "--target", "side", "--group", "who", "--time", "day"]
    text = run("fit", patients, *given, "--set", "hidden_dim=8")
    assert "30 sequences to learn from" in text and "Test on 6 sequences" in text
    rows = rows_of(run("predict", "patients.safetensors", patients))
    assert [row["who"] for row in rows] == [f"p{i}" for i in range(30)]
    assert {row["side"] for row in rows} == {"up", "down"}
    text = run("evaluate", "patients.safetensors", patients)
    assert "side, 30 sequences of patients.csv" in text and "(30 right)" in text


def test_sequences_with_a_target_for_each_step(patients):
    frame = pd.read_csv(patients)
    frame["rate"] = 2 * frame["pulse"]
    frame.to_csv("rates.csv", index=False)
    given = ["--network", "gru", "--target", "rate", "--group", "who", "--time", "day"]
    short = ["--set", "hidden_dim=8", "--set", "max_epochs=3"]
    message = fails("fit", "rates.csv", *given, *short)
    assert "the target must be the same in all rows of a sequence. Got" in message
    assert "pass return_sequences=True" in message and "np.float64" not in message
    text = run("fit", "rates.csv", *given, *short, "--set", "return_sequences=true")
    assert "Learning from 24 sequences; 6 are held out" in text
    rows = rows_of(run("predict", "rates.safetensors", "rates.csv"))
    assert [row["who"] for row in rows] == frame["who"].tolist()
    assert "rate" in rows[0] and "day" in rows[0]


def test_classes_of_steps_are_scored_row_by_row(patients):
    frame = pd.read_csv(patients)
    frame["high"] = np.where(frame["pulse"] > 1, "yes", "no")
    frame.to_csv("steps.csv", index=False)
    given = ["--network", "gru", "--group", "who", "--time", "day", "--drop", "side", *SHORT]
    text = run("fit", "steps.csv", "-t", "high", *given, "--set", "return_sequences=true")
    assert "30 sequences to learn from" in text and "6 are held out" in text
    count = int(text.partition("Test on ")[2].split()[0])
    assert f"Test on {count} rows not seen in training: accuracy" in text and count > 6
    assert "pictures" not in text and "Always saying 'no'" in text and "AUC" in text
    assert f"test        {count} rows: accuracy" in run("summary", "steps.safetensors")
    more = ["--set", "return_sequences=true", "--test", "steps.csv"]
    text = " ".join(run("fit", "steps.csv", "-t", "high", *given, *more).split())
    assert f"{len(frame)} test rows also stand among those to learn from" in text


def test_a_model_of_steps_answers_row_by_row(patients):
    frame = pd.read_csv(patients).sample(frac=1, random_state=0)
    frame["rate"] = 2 * frame["pulse"]
    model = LSTMRegressor(
        8, group="who", time="day", return_sequences=True, max_epochs=3, random_state=0, verbose=0
    )
    model.fit(frame[["who", "day", "pulse"]], frame["rate"])
    model.save("steps.safetensors")
    frame.to_csv("mixed.csv", index=False)
    rows = rows_of(run("predict", "steps.safetensors", "mixed.csv"))
    assert [row["who"] for row in rows] == frame["who"].tolist()
    assert [int(row["day"]) for row in rows] == frame["day"].tolist()
    expected = model.predict(frame[["who", "day", "pulse"]])
    assert [float(row["prediction"]) for row in rows] == expected.tolist()
    text = run("evaluate", "steps.safetensors", "mixed.csv", "--target", "rate")
    assert f"{len(frame)} rows of mixed.csv" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    (
        (["--time", "day"], "--time needs --network rnn, lstm or gru. Got none."),
        (["--network", "cnn", "--steps", "3"], "--steps needs --network rnn, lstm or gru. Got cnn"),
        (["--network", "lstm", "--horizon", "3"], "--horizon needs --steps"),
        (["--network", "lstm", "--time", "day"], "--time needs --steps, for a series"),
        (
            [*SERIES[:2], "--steps", "200", "--time", "day"],
            "must have at least 201 rows",
        ),
        ([*SERIES, "--task", "classification"], "--task must be regression for a series"),
        (
            [*SERIES[:2], "--steps", "3", "--time", "dax"],
            "must be a column of X. Got 'dax'.",
        ),
        (
            ["--network", "gru", "--group", "whom"],
            "group of GRURegressor must be a column of X. Got 'whom'.",
        ),
        (
            ["--network", "rnn", "--group", "kin", "--target", "kind"],
            "group of RNNClassifier must be a column of X. Got 'kin'.",
        ),
        (
            [*SERIES, "--target", "kind"],
            "target of windows must be a column of numbers. Got 'kind'",
        ),
    ),
)
def test_what_does_not_fit_is_one_line(waves, arguments, message):
    if "--target" not in arguments or arguments[:-2] == SERIES:
        arguments = [*arguments, "--target", "height"]
    assert message in fails("fit", waves, *arguments)


def test_missing_targets_and_doubled_times_are_named(tmp_path):
    rows = [[t, "" if 1 < t < 18 else t] for t in range(20)]
    path = write("gap.csv", ["t", "v"], rows)
    given = ["--network", "lstm", "--target", "v", "--time", "t", "--steps", "3"]
    message = fails("fit", path, *given, "--horizon", "5")
    assert "infinite values in rows 4 to 18 below the header of 'gap.csv'. Fill them in" in message
    path = write("twice.csv", ["t", "v"], [[t // 2, t] for t in range(20)])
    message = fails("fit", path, *given)
    assert "must have each time once in a sequence. Got 0 in rows" in message


def test_gaps_and_holes_are_said_and_filled_where_asked(waves):
    with open(waves, newline="") as file:
        header, *rows = csv.reader(file)
    kept = [row for row in rows if not "2024-02-10" <= row[0] <= "2024-02-19"]
    for row in kept:
        if row[0] == "2024-03-20":
            row[1] = ""
    path = write("gaps.csv", header, kept)
    text = invoke("fit", path, *SERIES, "--horizon", "3", *SHORT).output
    assert max(map(len, text.splitlines())) <= 80
    said = (
        "day: 1 gap of 10 days after 2024-02-09; no window runs over it; 3 windows are left out, "
        "since their values of 'height' to forecast are missing."
    )
    assert said in " ".join(text.split())
    told = json.loads(run("fit", path, *SERIES, "--horizon", "3", *SHORT, "--json"))
    assert said in told["notes"]
    text = run("evaluate", "gaps.safetensors", path)
    assert said in " ".join(text.split())
    text = invoke("fit", path, *SERIES, "--horizon", "3", *SHORT, "--fill", "linear").output
    text = " ".join(text.split())
    assert "100 rows" not in text and "92 windows" in text
    assert "10 rows put in (linear)" in text and "2 missing values are filled (linear)." in text
    assert json.loads(run("summary", "gaps.safetensors", "--json"))["series"]["fill"] == "linear"
    run("evaluate", "gaps.safetensors", path)
    assert rows_of(run("predict", "gaps.safetensors", path))[0]["day"] == "2024-04-10"
    assert "--fill needs --steps" in fails("fit", path, *SERIES[:-2], "--fill", "linear")


def test_holidays_are_said_kept_and_known_for_the_forecast(tmp_path):
    """A shop that is shut on holidays: the model knows that it will be on the first of May."""
    days = pd.date_range("2022-01-01", "2024-04-30").to_numpy()
    shut = on_holiday(days.astype("datetime64[s]").astype(np.float64), "DE")
    path = write(
        "shop.csv", ["day", "sold"], zip(days.astype("M8[D]"), 50 - 50 * shut, strict=True)
    )
    given = ["--network", "gru", "--target", "sold", "--time", "day", "--steps", "7"]
    said = invoke("fit", path, *given, "--horizon", "2", *SHORT, "--holidays", "DE").output
    assert " of 851 rows are on a holiday of DE." in said
    assert json.loads(run("summary", "shop.safetensors", "--json"))["series"]["holidays"] == "DE"
    first, second = (
        float(row["sold"]) for row in rows_of(run("predict", "shop.safetensors", path))
    )
    assert first < 10 and second > 40
    assert "rows" in run("evaluate", "shop.safetensors", path)
    assert "Did you mean 'DE'?" in fails("fit", path, *given, "--holidays", "de")
    assert "--holidays needs --steps" in fails("fit", path, *given[:-2], "--holidays", "DE")


def test_hours_go_on_over_the_end_of_summer_time(tmp_path):
    local = pd.date_range("2024-10-24", periods=80, freq="h", tz="Europe/Berlin")
    rows = [[when.isoformat(), f"{np.sin(k / 3):.3f}"] for k, when in enumerate(local)]
    path = write("hours.csv", ["t", "v"], rows[:76])
    given = ["--network", "rnn", "-t", "v", "--time", "t", "--steps", "6", "--horizon", "4"]
    run("fit", path, *given, *SHORT)
    found = [row["t"] for row in rows_of(run("predict", "hours.safetensors", path))]
    assert found == [row[0] for row in rows[76:80]]
    naive = [
        [when.strftime("%Y-%m-%d %H:%M"), value]
        for when, (_, value) in zip(local, rows, strict=True)
    ]
    message = fails("fit", write("naive.csv", ["t", "v"], naive), *given)
    assert "from summer time: give the times in UTC" in message


@pytest.mark.parametrize("name", ("day", None))
def test_dates_in_the_index_of_a_file_are_the_time(name):
    days = pd.date_range("2024-01-01", periods=40, name=name)
    frame = pd.DataFrame({"height": np.sin(np.arange(40.0))}, index=days)
    frame.sample(frac=1, random_state=0).to_parquet("days.parquet")
    given = ["--network", "rnn", "-t", "height", "--steps", "5", "--horizon", "2", *SHORT]
    text = run("fit", "days.parquet", *given)
    assert "no --time is given" not in text
    rows = rows_of(run("predict", "days.safetensors", "days.parquet"))
    assert [row[name or "time"] for row in rows] == ["2024-02-10", "2024-02-11"]
    assert "height, 34 windows" in run("evaluate", "days.safetensors", "days.parquet")


@pytest.mark.filterwarnings("always")
def test_a_forecast_begins_where_the_target_ends(waves):
    run("fit", waves, *SERIES, "--horizon", "3", *SHORT)
    frame = pd.read_csv(waves).sort_values("day")
    frame.loc[frame.index[-2:], "height"] = np.nan
    frame.to_csv("open.csv", index=False)
    done = invoke("predict", "waves.safetensors", "open.csv")
    assert [row["day"] for row in rows_of(done.stdout)] == [
        "2024-04-08",
        "2024-04-09",
        "2024-04-10",
    ]
    words = "'height' is missing in the last 2 rows, with which the forecast begins."
    assert words in " ".join(done.stderr.split())


def test_columns_that_the_model_does_not_know_are_of_no_concern(waves):
    run("fit", waves, *SERIES, *SHORT)
    expected = run("predict", "waves.safetensors", waves)
    with open(waves, newline="") as file:
        rows = list(csv.reader(file))
    wider = write("wider.csv", [*rows[0], "note"], [[*row, "x"] for row in rows[1:]])
    assert run("predict", "waves.safetensors", wider) == expected
    message = fails("evaluate", "waves.safetensors", waves, "--target", "moon")
    assert "--target must be height, which 'waves.safetensors' forecasts. Got moon." in message


def test_a_held_out_share_that_leaves_nothing(waves):
    message = fails("fit", waves, *SERIES, *SHORT, "--test-fraction", "0.99")
    assert "--test-fraction must leave windows to learn from. Got 0.99" in message
    text = run("fit", waves, *SERIES, *SHORT, "--test-fraction", "0.001")
    assert "Learning from all 94 windows." in text


def test_a_table_of_text_is_no_sequence(waves):
    message = fails("fit", waves, "--network", "rnn", "--target", "height")
    assert "--network rnn needs --steps, for a series to be continued, or --group" in message
    assert "Got String in column 'day'" in message


@pytest.mark.parametrize(
    "style",
    ("%Y-%m-%d", "%Y/%-m/%-d", "%d.%m.%Y", "%Y年%-m月%-d日", "%d/%m/%Y", "%-m/%-d/%Y", "%Y%m%d",
     "%a, %d %b %Y"),
)  # fmt: skip
def test_days_are_read_as_days_and_written_as_they_were(style):
    days = pd.date_range("2024-01-29", periods=42)
    heights = np.sin(np.arange(42) / 3)
    frame = pd.DataFrame({"day": days.strftime(style), "height": heights})[:40]
    frame.sample(frac=1, random_state=0).to_csv("days.csv", index=False)
    run("fit", "days.csv", *SERIES, *SHORT, "--horizon", "2")
    rows = rows_of(run("predict", "days.safetensors", "days.csv"))
    assert [row["day"] for row in rows] == days[40:].strftime(style).tolist()


def test_days_of_which_each_may_be_a_month_are_refused():
    rows = [[f"0{1 + d % 9}/0{1 + (d * 5) // 9 % 9}/2024", d] for d in range(9, 40)]
    path = write("unclear.csv", ["day", "height"], rows)
    message = fails("fit", path, *SERIES)
    assert "column 'day' of X of windows must tell the day from the month. Got '01/06/" in message
    assert "Write the year first" in message


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("bad", (1, 7, 24, 40))
def test_rows_of_sequences_are_named_as_in_the_file(bad):
    """Whatever the order of times and groups, and whichever sequences are held out."""
    rows = [[f"s{i % 8}", 50 - i, i * 0.5, "xy"[i % 2]] for i in range(40)]
    rows[bad - 1][2] = "inf"
    path = write("g.csv", ["g", "t", "v", "y"], rows)
    given = ["--network", "lstm", "-t", "y", "--group", "g", "--time", "t"]
    words = f"column 'v' of X must be finite for LSTMClassifier. Got inf in row {bad} below the"
    assert words in fails("fit", path, *given)
    rows[bad - 1][2] = 1.5
    write("g.csv", ["g", "t", "v", "y"], rows)
    run("fit", path, *given, "-o", "m", *SHORT)
    rows[bad - 1][2] = "word"
    write("g.csv", ["g", "t", "v", "y"], rows)
    words = f"counts as missing: 'word', in row {bad} below the header of 'g.csv'."
    assert words in " ".join(invoke("predict", "m", path).stderr.split())


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("bad", (1, 7, 24, 40))
def test_rows_of_a_series_are_named_as_in_the_file(bad):
    rows = [[50 - i, i * 0.5, i % 7] for i in range(40)]
    rows[bad - 1][1] = "inf"
    path = write("s.csv", ["t", "w", "v"], rows)
    given = ["--network", "lstm", "-t", "v", "--time", "t", "--steps", "3"]
    assert f"must be finite for windows. Got inf in row {bad} below" in fails("fit", path, *given)
    rows[bad - 1][1] = 1.5
    write("s.csv", ["t", "w", "v"], rows)
    run("fit", path, *given, "-o", "m", *SHORT)
    rows[bad - 1][1] = "word"
    write("s.csv", ["t", "w", "v"], rows)
    words = f"counts as missing: 'word', in row {bad} below"
    assert words in " ".join(invoke("evaluate", "m", path).stderr.split())


def test_the_target_of_a_series_is_read_as_in_the_training(tmp_path):
    def table(path, counts):
        return write(path, ["t", "v"], [[t, f"{n:,}".replace(",", ".")] for t, n in counts])

    learned = [(t, 950 if t < 3 else 27_317 + t % 7) for t in range(80)]
    path = table("d.csv", learned)
    given = ["--network", "rnn", "-t", "v", "--time", "t", "--steps", "4", *SHORT]
    test = table("t.csv", [(t, n) for t, n in learned if n > 1000])
    text = run("fit", path, *given, "--test", test)
    scores = [line.split() for line in text.splitlines() if line.strip().startswith("+1 ")]
    assert scores and all(float(number.replace(",", "")) < 20_000 for number in scores[-1][1:3])
    for command in (["evaluate", "d.safetensors", test], ["predict", "d.safetensors", test]):
        assert run(*command)
    scored = [line.split() for line in run("evaluate", "d.safetensors", test).splitlines()]
    assert scores[-1][:2] in [line[:2] for line in scored]


def test_folds_are_tested_and_then_all_is_learned(waves):
    text = run("fit", waves, *SERIES, "--horizon", "2", "--folds", "3", *SHORT)
    assert "Fold 1 of 3: learned from 43, tested on 17 windows." in text
    assert "Learning from all 93 windows." in text and "Test on" not in text
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    for start in ("fold  ", "3  ", "height  ", "+2  "):
        assert any(line.strip().startswith(start) for line in lines), start
    found = json.loads(
        invoke("fit", waves, *SERIES, "--horizon", "2", "--folds", "3", *SHORT, "--json").stdout
    )
    assert [one["fold"] for one in found["folds"]] == [1, 2, 3]
    assert found["test"]["rows"] == sum(one["rows"] for one in found["folds"])
    assert found["verdict"] in " ".join(text.split())
    assert found["about"]["test"]["rows"] == found["test"]["rows"] and found["rows"] == 93
    for wrong in (["--test-fraction", "0.3"], ["--test", waves]):
        assert "--folds does not go together with" in fails(
            "fit", waves, *SERIES, "--folds", "3", *wrong
        )
    message = fails("fit", waves, *SERIES[:6], "--folds", "3", "--group", "kind")
    assert "--folds needs --steps: it tests forecasts of a series." in message


def test_series_of_several_scales_are_judged_each(tmp_path):
    """The largest alone decides over errors that are put together."""
    rng = np.random.default_rng(0)
    walk = 20 + np.cumsum(rng.normal(size=80))  # whose best forecast is the last value
    rows = [
        [name, t, round(scale * walk[t], 4)]
        for name, scale in (("small", 1), ("big", 10_000))
        for t in range(80)
    ]
    path = write("scales.csv", ["shop", "t", "v"], rows)
    given = ["--network", "rnn", "-t", "v", "--time", "t", "--group", "shop", "--steps", "6"]
    text = run("fit", path, *given, *SHORT)
    assert any(line.split()[:1] == ["small"] for line in text.splitlines())
    assert any(line.split()[:1] == ["big"] for line in text.splitlines())
    found = json.loads(invoke("evaluate", "scales.safetensors", path, "--json").stdout)["scores"]
    assert [one["group"] for one in found["groups"]] == ["small", "big"]
    assert {"naive", "mean_absolute_scaled_error"} <= {*found["all"]}


def test_what_is_to_be_beaten_stays_with_the_model(waves):
    """`evaluate` compares with the season and the ridge of the training, by its scale."""
    fitted = json.loads(invoke("fit", waves, *SERIES, *SHORT, "--json").stdout)
    again = json.loads(invoke("evaluate", "waves.safetensors", waves, "--json").stdout)["scores"]
    assert {"naive", "seasonal_naive", "ridge"} <= {*again["all"]} & {*fitted["test"]["all"]}
    assert again["period"] == fitted["test"]["period"] == 19
    model = load("waves.safetensors")
    assert model.digest_ == fitted["digest"]
    del model.baselines_
    assert model.digest_ == fitted["digest"]
    model.save("python.safetensors")
    plain = json.loads(
        invoke("evaluate", "python.safetensors", waves, "-t", "height", "--json").stdout
    )
    assert "ridge" not in plain["scores"]["all"] and "seasonal_naive" in plain["scores"]["all"]


def test_intervals_are_written_and_their_coverage_is_said(waves):
    run("fit", waves, *SERIES, "--horizon", "2", *SHORT)
    model = load("waves.safetensors")
    errors = np.linspace(-1, 1, 30)[:, None] * [1, 2]
    model.intervals_ = ForecastIntervals(errors, np.ones((len(errors), 1)))
    model.save("m")
    rows = rows_of(run("predict", "m", waves, "--intervals", "0.8,0.9", "--intervals", "0.5"))
    names = [f"height {side} {level}" for level in (80, 90, 50) for side in ("lower", "upper")]
    assert [*rows[0]] == ["day", "height", *names]
    assert all(float(row[names[0]]) < float(row["height"]) < float(row[names[1]]) for row in rows)
    text = " ".join(run("evaluate", "m", waves).split())
    assert "On average the 80 % interval has" in text and "% of the true numbers, and is" in text
    assert "For 95 % too few windows could be kept aside in fit." in text
    found = json.loads(invoke("evaluate", "m", waves, "--json").stdout)["scores"]["intervals"]
    assert [one["level"] for one in found] == [0.8, 0.95]
    assert 0 <= found[0]["coverage"] <= 1 and found[1]["coverage"] is None
    message = fails("predict", "m", waves, "--intervals", "0.95")
    assert "must be at most 0.93: 30 windows were kept aside in fit" in message
    for wrong in ("80", "0.8;0.9", "", "1"):
        message = fails("predict", "m", waves, "--intervals", wrong)
        assert "--intervals must be shares between 0 and 1, as 0.8,0.95. Got" in message
    frame = pd.read_csv(waves)[["height", "moon"]]
    frame.to_csv("rows.csv", index=False)
    run("fit", "rows.csv", "-t", "height", *SHORT)
    message = fails("predict", "rows.safetensors", "rows.csv", "--intervals", "0.8")
    assert (
        "--intervals needs a model of a series. 'rows.safetensors' holds a FCNNRegressor" in message
    )


# -- several targets, and horizons ---------------------------------------------------------------

BOTH = ["--target", "height", "--target", "moon", "--network", "lstm", "--time", "day"]


@pytest.fixture
def tides():
    """Two waves of one table, one half as large as the other and a step behind."""
    days = pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d")
    rows = [
        [day, f"{np.sin(d / 3):.4f}", f"{np.sin((d - 1) / 3) / 2:.4f}"]
        for d, day in enumerate(days)
    ]
    return write("tides.csv", ["day", "height", "moon"], rows)


def test_several_targets_of_a_series(tides):
    """Each has its own scores by step, its own verdict, and a column in the forecast."""
    text = run("fit", tides, *BOTH, "--steps", "6", "--horizon", "2", *SHORT)
    assert "height" in text and "moon" in text
    assert sum(line.split()[:1] == ["+2"] for line in text.splitlines()) >= 2
    assert max(map(len, text.splitlines())) <= 80
    rows = rows_of(run("predict", "tides.safetensors", tides))
    assert [list(row) for row in rows] == [["day", "height", "moon"]] * 2
    model = load("tides.safetensors")
    assert model.sequences_.series["target"] == ["height", "moon"]
    assert model.target_names_ == ["height", "moon"] and model.target_.shape == (2, 2)
    found = json.loads(run("evaluate", "tides.safetensors", tides, "--json"))
    assert found["targets"] == ["height", "moon"]
    first, second = found["scores"]["targets"]
    assert [one["target"] for one in (first, second)] == ["height", "moon"]
    assert [step["step"] for step in second["steps"]] == [1, 2]
    frame = pd.read_csv(tides)
    X, y = windows(frame, 6, 2, target=["height", "moon"], time="day")
    error = np.abs(model.predict(X) - y).mean(axis=0)
    for k, one in enumerate((first, second)):
        for step in (0, 1):
            assert one["steps"][step]["mean_absolute_error"] == pytest.approx(error[step, k])
        alone = Baselines(X.only(one["target"]), ridge=False).forecasts(X.only(one["target"]))
        naive = np.abs(alone["naive"] - y[:, :, k]).mean()
        assert one["all"]["naive"]["mean_absolute_error"] == pytest.approx(naive)
    summary = run("summary", "tides.safetensors")
    assert "height, moon, 2 steps ahead from 6 steps back" in summary and "MASE" in summary
    message = fails("evaluate", "tides.safetensors", tides, "--target", "moon")
    assert "--target must be height, moon, which 'tides.safetensors' forecasts. Got moon" in message


def test_several_targets_are_drawn_and_tested_on_another_file(tides):
    pytest.importorskip("matplotlib")
    given = [*BOTH, "--steps", "6", *SHORT]
    text = run("fit", tides, *given, "--plot", "both.png", "--test", tides)
    assert "114 windows of tides.csv" in text and Path("both.png").stat().st_size > 10_000
    message = fails("fit", tides, *given, "--folds", "2")
    assert "target of backtest must be one column. Got ['height', 'moon']" in message


def test_a_target_that_is_forecast_no_better_is_named(tides):
    """As a random walk, whose best forecast is the last value."""
    walk = np.cumsum(np.random.default_rng(3).normal(size=120))
    days = pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d")
    rows = [[day, walk[d], f"{np.sin(d / 3):.4f}"] for d, day in enumerate(days)]
    write("tides.csv", ["day", "height", "moon"], rows)
    text = run("fit", tides, *BOTH, "--steps", "3", "--set", "max_epochs=1")
    words = " ".join(text.split())
    assert "no better than the naive forecast" in words
    found = json.loads(run("evaluate", "tides.safetensors", tides, "--json"))
    assert found["verdict"].startswith("'height': ") and "no better than" in found["verdict"]


@pytest.mark.filterwarnings("always:3 steps ahead were learned")
def test_as_many_steps_as_are_asked_for(waves):
    run("fit", waves, *SERIES, "--horizon", "3", *SHORT)
    three = rows_of(run("predict", "waves.safetensors", waves))
    assert rows_of(run("predict", "waves.safetensors", waves, "--horizon", "1")) == three[:1]
    done = invoke("predict", "waves.safetensors", waves, "--horizon", "5")
    rows = rows_of(done.stdout)
    assert rows[:3] == three and len(rows) == 5 and rows[4]["day"] > rows[3]["day"]
    assert "3 steps ahead were learned: the forecast goes on from its own" in " ".join(
        done.stderr.split()
    )
    run(
        "fit", waves, "--target", "height", "--drop", "kind", "--drop", "day", "-o", "table", *SHORT
    )
    message = fails("predict", "table", waves, "--horizon", "5")
    assert "--horizon needs a model of a series. 'table' holds a FCNNRegressor" in message


def test_a_quantile_of_a_series_is_scored_as_one(waves):
    text = run("fit", waves, *SERIES, "--loss", "quantile", "--set", "quantile=0.9", *SHORT)
    words = " ".join(text.split())
    assert "pinball loss" in words and "of the true values are at or below the forecast" in words
    assert "RMSE" not in text and "MASE" not in text
    message = fails("predict", "waves.safetensors", waves, "--horizon", "2")
    assert "what goes on from a quantile is none" in message


# -- tables that are read part by part ------------------------------------------------------------


@pytest.fixture
def sensors():
    """Nine sensors' hours side by side, of which two have a gap, one is short and one new."""
    rng = np.random.default_rng(0)
    rows, new = [], []
    for hour in range(60):
        for who in range(9):
            if (who == 7 and hour > 3) or (who in (2, 5) and 30 < hour < 40):
                continue
            height = f"{who + np.sin(hour / 4 + who) + rng.normal(0, 0.1):.3f}"
            row = [
                f"2024-03-{1 + hour // 24:02} {hour % 24:02}:00",
                f"s{who}",
                height,
                "ab"[who % 2],
            ]
            (new if who == 8 else rows).append(row)
    header = ["when", "who", "height", "kind"]
    write("all.csv", header, rows + new)
    return write("sensors.csv", header, rows)


HOURS = ["--network", "lstm", "--target", "height", "--time", "when", "--group", "who"]
HOURS += ["--set", "scaling=series"]


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setattr("pellucid.data.series_parts.PART_ROWS", 100)


@pytest.mark.filterwarnings("default")
def test_a_long_table_is_forecast_part_by_part_as_at_once(sensors, in_parts, monkeypatch):
    run("fit", sensors, *HOURS, "--steps", "6", "--horizon", "2", "--test-fraction", "0", *SHORT)
    ask = ["predict", "sensors.safetensors", "all.csv", "--intervals", "0.8"]
    by_parts = invoke(*ask)
    monkeypatch.setattr("pellucid.data.series_parts.PART_ROWS", 10_000)
    at_once = invoke(*ask)
    assert by_parts.stdout == at_once.stdout and len(rows_of(by_parts.stdout)) == 2 * 8
    assert by_parts.stderr == at_once.stderr
    words = " ".join(by_parts.stderr.split())
    assert "1 of 9 series is shorter than 6 rows and left out: 's7'" in words
    assert "1 series was not learned from" in words


def test_stateful_layers_have_all_series_at_once(in_parts):
    """Their states go on from series to series: read by parts they would begin anew in each."""
    values = [0.3]
    while len(values) < 320:  # of which nothing linear knows the next
        values.append(3.9 * values[-1] * (1 - values[-1]))
    frame = pd.DataFrame({"who": np.repeat(range(8), 40), "v": values})
    frame.to_csv("leaps.csv", index=False)
    layers = [LSTM(4, stateful=True)]
    model = NetworkRegressor(layers, batch_size=2, max_epochs=9, random_state=0, verbose=0)
    model.fit(*windows(frame, 4, target="v", group="who")).save("m.safetensors")
    expected = load("m.safetensors").forecast(frame)["v"]
    found = [float(row["v"]) for row in rows_of(run("predict", "m.safetensors", "leaps.csv"))]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_rows_of_parts_are_counted_as_in_the_file(sensors, in_parts):
    run("fit", sensors, *HOURS, "--steps", "6", "--test-fraction", "0", *SHORT)
    lines = Path("all.csv").read_text().splitlines()
    lines[-1] = lines[-2]
    Path("all.csv").write_text("\n".join(lines))
    words = fails("predict", "sensors.safetensors", "all.csv")
    count = len(lines) - 1
    assert f"Got '2024-03-03 10:00' in rows {count - 1} and {count} below the header" in words


def test_a_long_table_is_tested_part_by_part_as_at_once(sensors, in_parts, monkeypatch):
    run("fit", sensors, *HOURS, "--steps", "6", "--horizon", "2", "--test-fraction", "0", *SHORT)
    ask = ["evaluate", "sensors.safetensors", sensors, "--json"]
    by_parts = json.loads(run(*ask))
    monkeypatch.setattr("pellucid.data.series_parts.PART_ROWS", 10_000)
    at_once = json.loads(run(*ask))
    assert by_parts == at_once and len(by_parts["scores"]["groups"]) == 7
    assert "2 gaps, the longest of 9 hours" in " ".join(run(*ask[:-1]).split())


@pytest.mark.filterwarnings("default")
def test_series_in_several_files_are_forecast_and_tested(sensors, in_parts):
    run("fit", sensors, *HOURS, "--steps", "6", "--test-fraction", "0", *SHORT)
    header, *rows = Path(sensors).read_text().splitlines(keepends=True)
    for place, begin in enumerate(range(0, len(rows), 170)):
        Path(f"part-{place}.csv").write_text("".join([header, *rows[begin : begin + 170]]))
    assert run("predict", "sensors.safetensors", "part-*.csv") == run(
        "predict", "sensors.safetensors", sensors
    )
    whole = json.loads(run("evaluate", "sensors.safetensors", sensors, "--json"))
    parts = json.loads(run("evaluate", "sensors.safetensors", "part-*.csv", "--json"))
    assert parts["scores"] == whole["scores"]
