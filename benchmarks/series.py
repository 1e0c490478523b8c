"""``python -m benchmarks.series`` recomputes the tables of series in docs/sequences.md.

Recurrent networks as they come, fitted on the first four fifths of each series and tested on the
windows whose targets all lie in the last fifth, as ``pellucid fit`` does; beside the naive and the
seasonal naive forecast and a ridge on the differences of a window to its last value. With
``--intervals`` how many of the test's true numbers lie in the intervals of 80 and 95 %.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from pellucid import GRURegressor, LSTMRegressor, RNNRegressor
from pellucid.data import windows
from pellucid.data.baselines import BASELINES, Baselines

NETWORKS = {"LSTM": LSTMRegressor, "GRU": GRURegressor, "RNN": RNNRegressor}
LEVELS = (0.8, 0.95)
TEST = 0.2
WEATHER = Path(__file__).parent.parent / "examples" / "seattle_weather.csv"


def dated(values, frequency, start="1950-01-01"):
    """A table of the values, each with its time."""
    return pd.DataFrame(
        {"time": pd.date_range(start, periods=len(values), freq=frequency), "y": values}
    )


def published(name):
    """A series that statsmodels or aeon brings along."""
    try:
        if name == "airline":
            from aeon.datasets import load_airline

            return dated(np.asarray(load_airline(), dtype=np.float64).ravel(), "MS", "1949-01-01")
        from statsmodels import datasets
    except ImportError as error:
        raise SystemExit(
            f"benchmarks.series needs {error.name} for its series: pip install {error.name}"
        ) from None
    frame = getattr(datasets, name).load_pandas().data
    if name == "macrodata":
        return dated(frame["realgdp"].to_numpy(), "QS", "1959-01-01")
    if name == "co2":
        return dated(frame["co2"].interpolate().to_numpy(), "7D", "1958-03-29")
    if name == "sunspots":
        return dated(frame["SUNACTIVITY"].to_numpy(), "YS", "1700-01-01")
    return dated(
        frame.iloc[:, 1:].to_numpy(dtype=np.float64).ravel(), "MS"
    )  # El Nino: a row a year


def walk(rows=1000):
    return dated(100 + np.cumsum(np.random.default_rng(0).normal(size=rows)), "D")


def trend_and_week(rows=900):
    t = np.arange(rows)
    noise = np.random.default_rng(0).normal(size=rows)
    return dated(0.1 * t + 8 * np.sin(2 * np.pi * t / 7) + noise, "D")


def three_scales():
    """Three shops, each a walk that is drawn back to its level, on scales of 1 : 500 : 25,000."""
    shops = []
    for seed, scale in enumerate((1.0, 500.0, 25_000.0)):
        steps, level = np.random.default_rng(seed).normal(size=300), [0.0]
        for step in steps:
            level.append(0.97 * level[-1] + 0.3 * step)
        shops.append(dated(scale * (10 + np.array(level[1:])), "D").assign(shop=str(seed)))
    return pd.concat(shops, ignore_index=True)


def growth():
    t = np.arange(900)
    noise = np.random.default_rng(0).normal(size=900)
    season = np.sin(2 * np.pi * t / 12)
    return dated(np.exp(0.005 * t + 0.2 * season + 0.05 * noise), "MS", "1900-01-01")


def weather(columns):
    return pd.read_csv(WEATHER)[["date", *columns]].rename(
        columns={"date": "time", "temp_max": "y"}
    )


COLUMNS = ["precipitation", "temp_max", "temp_min", "wind", "weather"]
# name: the table, steps, horizon
SERIES = {
    "airline passengers": (lambda: published("airline"), 24, 12),
    "US real GDP": (lambda: published("macrodata"), 12, 4),
    "CO2 by week": (lambda: published("co2"), 52, 12),
    "sunspots by year": (lambda: published("sunspots"), 22, 3),
    "El Nino by month": (lambda: published("elnino"), 24, 12),
    "a random walk": (walk, 30, 1),
    "a trend and a week": (trend_and_week, 28, 7),
    "three scales": (three_scales, 28, 7),
    "weather of Seattle": (lambda: weather(["temp_max"]), 30, 7),
    "the same, five columns": (lambda: weather(COLUMNS), 30, 7),
    "growth with a season": (growth, 24, 12),
}
LONG = {
    "a random walk": (lambda: walk(3500), 30, 1),
    "a trend and a week": (lambda: trend_and_week(3500), 28, 7),
    **{name: SERIES[name] for name in (
        "CO2 by week", "El Nino by month", "growth with a season", "weather of Seattle",
        "the same, five columns",
    )},
}  # fmt: skip


def error(truth, forecast):
    """The root mean squared error."""
    return float(np.sqrt(np.mean((truth - forecast) ** 2)))


def split(frame, steps, horizon):
    """Windows and targets to learn from, and to test on."""
    group = "shop" if "shop" in frame.columns else None
    X, y = windows(frame, steps, horizon, target="y", time="time", group=group)
    y = y.reshape(len(X), -1)
    train, test = X.split(TEST)
    return (X[train], y[train]), (X[test], y[test])


def fitted(kind, train, seed, jobs):
    return NETWORKS[kind](random_state=seed, n_jobs=jobs, verbose=0).fit(*train)


def errors(frame, steps, horizon, kinds, seeds, jobs):
    """By forecast its error, of several series that of each; the networks' over seeds the mean."""
    train, (X, y) = split(frame, steps, horizon)
    known = Baselines(train[0]).forecasts(X)
    every = {name: [known.get(name, np.full(y.shape, np.nan))] for name in BASELINES}
    for kind in kinds:
        models = (fitted(kind, train, seed, jobs) for seed in seeds)
        every[kind] = [model.predict(X).reshape(y.shape) for model in models]
    for owner, series in enumerate(X.names):
        mine = X.owners == owner
        yield series, {
            name: float(np.mean([error(y[mine], one[mine]) for one in forecasts]))
            for name, forecasts in every.items()
        }  # fmt: skip


def coverage(frame, steps, horizon, kind, seeds, jobs):
    """How many numbers were tested, and what share of them lies in the intervals of each level."""
    train, (X, y) = split(frame, steps, horizon)
    inside = []
    for seed in seeds:
        model = fitted(kind, train, seed, jobs)
        bounds = [model.predict_interval(X, level) for level in LEVELS]
        pairs = [[side.reshape(y.shape) for side in sides] for sides in bounds]
        inside.append([np.mean((low <= y) & (y <= high)) for low, high in pairs])
    return y.size, np.mean(inside, axis=0)


def row(*cells):
    print(f"| {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (1)")
    parser.add_argument("--series", nargs="+", choices=SERIES, metavar="NAME")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--jobs", type=int, help="threads of a fit (all)")
    parser.add_argument("--intervals", action="store_true", help="how many lie in the intervals")
    options = parser.parse_args()
    seeds, kinds = range(options.seeds), options.networks
    shown = [f"{kind}, {level:.0%}" for kind in kinds for level in LEVELS]
    heads = ["numbers", *shown] if options.intervals else [*BASELINES, *kinds]
    row("series", *(head.replace("_", " ") for head in heads))
    row(*["---"] * (len(heads) + 1))
    tested = LONG if options.intervals else SERIES
    for name in [name for name in tested if name in (options.series or tested)]:
        make, steps, horizon = tested[name]
        frame, label = make(), f"{name}, {steps} to {horizon}"
        if options.intervals:
            found = [coverage(frame, steps, horizon, kind, seeds, options.jobs) for kind in kinds]
            shares = [f"{share:.1%}" for _, every in found for share in every]
            row(label, f"{found[0][0]:,}", *shares)
            continue
        for series, found in errors(frame, steps, horizon, kinds, seeds, options.jobs):
            which = label if series is None else f"{label}, series {series}"
            row(which, *(f"{found[name]:.4g}" for name in heads))


if __name__ == "__main__":
    main()
