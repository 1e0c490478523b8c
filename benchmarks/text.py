"""``python -m benchmarks.text`` recomputes the tables of docs/text.md.

Networks of words beside a logistic regression on counts of words, which sees no order. The first
set is made here: its answers depend on the order of words. The others are short texts with ratings
by people, which the source distribution of vaderSentiment 0.5 holds (``pip download --no-deps
vaderSentiment==0.5``, the archive in ``additional_resources``): ``--folder`` names the folder of
its ``*_GroundTruth.txt``.

The second table is of long tables with a column of words, embedded or as categories.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from pellucid import CNNClassifier, GRUClassifier, LSTMClassifier

SETS = {
    "film reviews": "movieReviewSnippets",
    "product reviews": "amazonReviewSnippets",
    "tweets": "tweets",
    "editorials": "nytEditorialSnippets",
}
PEERS = {"counts of words": CountVectorizer, "tf-idf": TfidfVectorizer}
NETWORKS = {"GRU": GRUClassifier, "LSTM": LSTMClassifier, "CNN": CNNClassifier}


def negations(count=2000, seed=0):
    """Texts of 200 words, in which a "not" turns the word of praise or blame that follows it."""
    rng = np.random.default_rng(seed)
    fill, signs = [f"word{i}" for i in range(159)], (-1, 1)
    tone = {-1: [f"bad{i}" for i in range(20)], 1: [f"good{i}" for i in range(20)]}
    texts, answers = [], []
    while len(texts) < count:
        words, total = [], 0
        for _ in range(rng.integers(2, 6)):
            words += rng.choice(fill, rng.integers(1, 5)).tolist()
            sign, turned = int(rng.choice(signs)), rng.random() < 0.4
            words += ["not"] * turned + [str(rng.choice(tone[sign]))]
            total += -sign if turned else sign
        if total:
            texts.append(" ".join(words))
            answers.append(total > 0)
    return texts, np.array(answers)


def long_table(vocabulary, count, seed=0):
    """Rows of a word and how often it was said, and whether their sequence praises on the whole.

    A third of the words praise and a third blame, as often as they were said; a "not" turns the
    word in the next row. Some words are ten times as frequent as others.
    """
    rng = np.random.default_rng(seed)
    tones = np.repeat([1, -1, 0], -(-vocabulary // 3))[:vocabulary]
    often = rng.permutation(1 / (10 + np.arange(vocabulary)))
    rows, answers = [], []
    while len(answers) < count:
        steps = rng.integers(5, 15)
        words = rng.choice(vocabulary, steps, p=often / often.sum())
        turns, times = rng.random(steps) < 0.25, rng.integers(1, 4, steps)
        turned = np.r_[False, turns[:-1]]
        total = (np.where(turns, 0, tones[words] * times) * np.where(turned, -1, 1)).sum()
        if total:
            said = ["not" if turn else f"word{w}" for turn, w in zip(turns, words, strict=True)]
            rows += zip([len(answers)] * steps, range(steps), said, times, strict=True)
            answers.append(total > 0)
    return pd.DataFrame(rows, columns=["who", "step", "word", "times"]), np.array(answers)


def rated(path):
    """Texts, and whether people found them positive on average."""
    rows = [line.split("\t") for line in path.read_text("latin-1").splitlines()]
    rows = [row for row in rows if len(row) > 2]
    return [row[2] for row in rows], np.array([float(row[1]) > 0 for row in rows])


def embedded(frame, answers, seeds, **options):
    """The mean accuracy of a GRU on a fifth of a long table's sequences."""
    scores = []
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(answers))
        held = np.sort(order[: len(order) // 5])
        learn = np.sort(order[len(order) // 5 :])
        model = GRUClassifier(
            group="who", time="step", random_state=seed, n_jobs=1, verbose=0, **options
        )
        model.fit(frame[frame.who.isin(learn)], answers[learn])
        scores.append(model.score(frame[frame.who.isin(held)], answers[held]))
    return float(np.mean(scores))


def evaluate(make, texts, answers, seeds):
    """The mean accuracy on a fifth held out, and the longest fit in seconds."""
    scores, longest = [], 0.0
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(texts))
        held, learn = np.split(order, [len(order) // 5])
        begin = time.perf_counter()
        model = make(seed).fit([texts[i] for i in learn], answers[learn])
        longest = max(longest, time.perf_counter() - begin)
        scores.append(model.score([texts[i] for i in held], answers[held]))
    return float(np.mean(scores)), longest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the rated texts are")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (3)")
    parser.add_argument("--first", type=int, default=100, help="the first seed (100)")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    sets = {"negations": negations()}
    if options.folder is not None:
        sets |= {
            name: rated(options.folder / f"{file}_GroundTruth.txt") for name, file in SETS.items()
        }
    heads = ["texts", "rows", *PEERS, *NETWORKS, *(f"longest fit, {name}" for name in NETWORKS)]
    print(f"| {' | '.join(heads)} |")
    print(f"| {' | '.join(['---'] * len(heads))} |")
    for name, (texts, answers) in sets.items():
        row, times = [name, f"{len(texts):,}"], []
        for vectorizer in PEERS.values():
            peer = make_pipeline(vectorizer(), LogisticRegression(max_iter=1000))
            score, _ = evaluate(lambda _, peer=peer: peer, texts, answers, seeds)
            row.append(f"{score:.3f}")
        for network in NETWORKS.values():
            score, longest = evaluate(
                lambda seed, network=network: network(random_state=seed, n_jobs=1, verbose=0),
                texts, answers, seeds,
            )  # fmt: skip
            row.append(f"{score:.3f}")
            times.append(f"{longest:.0f} s")
        print(f"| {' | '.join([*row, *times])} |", flush=True)
    print("\n| words | sequences | GRU, 99 words one-hot | GRU, words embedded |")
    print("| --- | --- | --- | --- |")
    for words, count in ((200, 2000), (1000, 4000)):
        frame, answers = long_table(words, count)
        scores = (
            embedded(frame, answers, seeds, **options) for options in ({"vocabulary_size": 100}, {})
        )
        print(f"| {words:,} | {count:,} | {' | '.join(f'{x:.3f}' for x in scores)} |", flush=True)


if __name__ == "__main__":
    main()
