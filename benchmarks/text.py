"""``python -m benchmarks.text`` recomputes the table of docs/text.md.

Networks of words beside a logistic regression on counts of words, which sees no order. The first
set is made here: its answers depend on the order of words. The others are short texts with ratings
by people, which the source distribution of vaderSentiment 0.5 holds (``pip download --no-deps
vaderSentiment==0.5``, the archive in ``additional_resources``): ``--folder`` names the folder of
its ``*_GroundTruth.txt``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
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


def rated(path):
    """Texts, and whether people found them positive on average."""
    rows = [line.split("\t") for line in path.read_text("latin-1").splitlines()]
    rows = [row for row in rows if len(row) > 2]
    return [row[2] for row in rows], np.array([float(row[1]) > 0 for row in rows])


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


if __name__ == "__main__":
    main()
