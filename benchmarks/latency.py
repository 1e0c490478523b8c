"""How long one answer takes: a single row, a large table, and a whole process for one row.

``python -m benchmarks.latency`` times each library in a process of its own, in turn, over several
rounds, all with one thread and with the same network: pellucid learns it, and the others get its
weights. ``python -m benchmarks.latency pellucid --folder FOLDER`` is one of these processes.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import machine, start
from benchmarks.check import TOLERANCE
from benchmarks.run import child, say
from benchmarks.workloads import WORKLOADS, Array, Labels, Layers

TABLE, SEQUENCES = WORKLOADS["fcnn-small"], WORKLOADS["lstm"]
TAUGHT, ASKED, MANY = 2000, 200, 100_000  # rows to learn from, to ask one by one, to ask at once
THREADS = 1  # what a single row is answered fastest with, by all of them
WARM = 50  # calls before the clock
COLUMNS = [f"c{i}" for i in range(TABLE.shape[0])]

QUESTIONS = {
    "predict": "FCNN: predict",
    "probabilities": "FCNN: predict_proba",
    "predictor": "FCNN: predictor",
    "frame": "FCNN: predict, a pandas row",
    "sequence": "LSTM: predict",
    "sequence predictor": "LSTM: predictor",
}
"""What is asked of one row."""

Ask = Callable[[Any], Any]
"""From one row, as it is asked, to its class or its probabilities."""


def table(count: int) -> tuple[Array, Labels]:
    """Rows of 20 columns and their classes."""
    batch = TABLE.batch
    x, y = replace(TABLE, rows=-(-count // batch) * batch).data()
    return x[:count], y[:count]


def sequences(count: int) -> tuple[Array, Labels]:
    """Sequences of 100 steps of 8 numbers and their classes."""
    x, y = SEQUENCES.data()
    return x[:count], y[:count]


def frame(x: Array) -> Any:
    """The rows as pandas has them."""
    import pandas as pd

    return pd.DataFrame(x, columns=COLUMNS)


# -- the network ---------------------------------------------------------------------------------


def prepare(folder: Path) -> None:
    """Fit briefly, and leave the models in `folder`, and their weights for the other libraries."""
    from pellucid import FCNNClassifier, LSTMClassifier

    brief: dict[str, Any] = {"max_epochs": 3, "n_jobs": THREADS, "random_state": 0, "verbose": 0}
    x, y = table(TAUGHT)
    model = FCNNClassifier(TABLE.hidden, **brief).fit(x, y)
    model.save(folder / "fcnn.safetensors")
    values = list(model.network_.parameters().values())
    keep(folder / "fcnn.npz", model, x.shape[1], values, bias=1)
    FCNNClassifier(TABLE.hidden, **brief).fit(frame(x), y).save(folder / "frame.safetensors")
    x, y = sequences(TAUGHT // 4)
    # every step is read by itself, and the last state answers, as in PyTorch's module
    lstm = LSTMClassifier(*SEQUENCES.hidden, patch_size=1, pooling="last", **brief).fit(x, y)
    lstm.save(folder / "lstm.safetensors")
    values = list(lstm.network_.parameters().values())
    keep(folder / "lstm.npz", lstm, x.shape[2], values, bias=2)
    frame(table(1)[0]).to_csv(folder / "row.csv", index=False)


def keep(path: Path, model: Any, inputs: int, values: list[np.ndarray], bias: int) -> None:
    """Write the network's parameters, so that they do what the model does to plain numbers.

    pellucid standardises its columns. Here the first weights and the bias beside them do that.
    """
    values = [each.astype(np.float64) for each in values]
    shift = model.table_.transform(model, np.zeros((1, inputs))).astype(np.float64)
    scale = model.table_.transform(model, np.eye(inputs)) - shift
    values[bias] += (shift @ values[0])[0]
    values[0] = scale @ values[0]
    np.savez(path, *(each.astype(np.float32) for each in values))


def kept(path: Path) -> list[np.ndarray]:
    with np.load(path) as file:
        return [file[name] for name in file.files]


def layers(folder: Path) -> Layers:
    """Of the FCNN: (weight, bias) by layer."""
    values = kept(folder / "fcnn.npz")
    return list(zip(values[::2], values[1::2], strict=True))


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def truth(folder: Path, x: Array) -> np.ndarray:
    """The probabilities of rows or sequences, in float64."""
    h = x.astype(np.float64)
    if x.ndim == 3:
        from pellucid import formulas

        U, W, b, V, d = kept(folder / "lstm.npz")
        return softmax(formulas.lstm(h, U, W, b).h[:, -1] @ V + d)
    *hidden, (V, d) = layers(folder)
    for weight, bias in hidden:
        h = np.maximum(h @ weight + bias, 0.0)
    return softmax(h @ V + d)


# -- the libraries -------------------------------------------------------------------------------


def pellucid(folder: Path) -> dict[str, Ask]:
    from pellucid import load

    def loaded(name: str) -> Any:
        return load(folder / f"{name}.safetensors").set_params(n_jobs=THREADS, verbose=0)

    fcnn, lstm = loaded("fcnn"), loaded("lstm")
    asks = {
        "predict": fcnn.predict,
        "probabilities": fcnn.predict_proba,
        "frame": loaded("frame").predict,
        "sequence": lstm.predict,
    }
    if hasattr(fcnn, "predictor"):
        asks |= {"predictor": fcnn.predictor(), "sequence predictor": lstm.predictor()}
    return asks


def sklearn_mlp(folder: Path) -> dict[str, Ask]:
    from sklearn.neural_network import MLPClassifier

    def network(x: Any, y: Labels) -> Any:
        model = MLPClassifier(TABLE.hidden, random_state=0).partial_fit(x, y, classes=np.unique(y))
        weights, biases = zip(*layers(folder), strict=True)
        model.coefs_, model.intercepts_ = list(weights), list(biases)
        return model

    x, y = table(TAUGHT)
    model = network(x, y)
    (folder / "model.pickle").write_bytes(pickle.dumps(model))
    return {
        "predict": model.predict,
        "probabilities": model.predict_proba,
        "frame": network(frame(x), y).predict,
    }


def torch_eager(folder: Path) -> dict[str, Ask]:
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)
    modules: list[nn.Module] = []
    for weight, bias in layers(folder):
        modules += [nn.Linear(*weight.shape), nn.ReLU()]
        fill(modules[-2].parameters(), [weight.T, bias])
    fcnn = nn.Sequential(*modules[:-1])
    torch.save(fcnn.state_dict(), folder / "model.pt")
    U, W, b, V, d = kept(folder / "lstm.npz")
    lstm, last = nn.LSTM(len(U), len(W), batch_first=True), nn.Linear(*V.shape)
    fill([*lstm.parameters(), *last.parameters()], [U.T, W.T, b, np.zeros_like(b), V.T, d])

    def ask(network: Callable[[Any], Any], answer: Callable[[Any], Any]) -> Ask:
        def asked(x: Array) -> Any:
            with torch.inference_mode():
                return answer(network(torch.from_numpy(x))).numpy()

        return asked

    def of_sequence(x: Any) -> Any:
        return last(lstm(x)[0][:, -1])

    def best(z: Any) -> Any:
        return z.argmax(1)

    return {
        "predict": ask(fcnn, best),
        "probabilities": ask(fcnn, lambda z: z.softmax(1)),
        "sequence": ask(of_sequence, best),
    }


def fill(parameters: Any, values: list[np.ndarray]) -> None:
    """Copy values into PyTorch's parameters."""
    import torch

    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))


def onnxruntime(folder: Path) -> dict[str, Ask]:
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS

    def ask(last: str, **attributes: int) -> Ask:
        path = folder / f"{last}.onnx"
        write_onnx(path, layers(folder), last, **attributes)
        session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x})[0]

    return {
        "predict": ask("ArgMax", axis=1, keepdims=0),
        "probabilities": ask("Softmax", axis=1),
    }


def write_onnx(path: Path, layers: Layers, last: str, **attributes: Any) -> None:
    """The network as an ONNX file whose last operation is `last`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, held, at = [], [], "x"
    for i, (weight, bias) in enumerate(layers):
        held += [numpy_helper.from_array(weight, f"W{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [at, f"W{i}", f"b{i}"], [f"z{i}"]))
        nodes.append(helper.make_node("Relu", [f"z{i}"], [f"h{i}"]))
        at = f"h{i}"
    nodes[-1] = helper.make_node(last, [f"z{i}"], ["y"], **attributes)
    counts = last == "ArgMax"
    kind, shape = (TensorProto.INT64, ["B"]) if counts else (TensorProto.FLOAT, ["B", "K"])
    graph = helper.make_graph(
        nodes,
        "fcnn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", len(layers[0][0])])],
        [helper.make_tensor_value_info("y", kind, shape)],
        held,
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


LIBRARIES: dict[str, Callable[[Path], dict[str, Ask]]] = {
    "pellucid": pellucid,
    "sklearn_mlp": sklearn_mlp,
    "torch_eager": torch_eager,
    "onnxruntime": onnxruntime,
}
DISTRIBUTIONS = {"sklearn_mlp": "scikit-learn", "torch_eager": "torch"}


# -- one process ---------------------------------------------------------------------------------


class WrongAnswerError(Exception):
    """The library's answer is not that of this network; its time would mean nothing."""


def check(question: str, answers: np.ndarray, expected: np.ndarray) -> None:
    """Compare classes, or probabilities, with the true probabilities."""
    if answers.ndim == 1:  # of two classes that are nearly as probable either is right
        given = expected[np.arange(len(answers)), answers.astype(np.int64)]
        error = np.max(expected.max(axis=1) - given)
    else:
        error = np.max(np.abs(answers - expected))
    if not error <= TOLERANCE:
        raise WrongAnswerError(f"{question}: wrong by {error:.1e}")


def time_calls(ask: Ask, rows: list[Any], seconds: float, least: int = 100) -> dict[str, float]:
    """Microseconds of a call, warm: the median, what one of a hundred exceeds, and how many."""
    turn = cycle(rows)
    for _ in range(WARM if least > 10 else 1):
        ask(next(turn))
    times: list[int] = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        row = next(turn)
        begin = time.perf_counter_ns()
        ask(row)
        times.append(time.perf_counter_ns() - begin)
    return {
        "median_us": median(times) / 1e3,
        "p99_us": sorted(times)[99 * len(times) // 100] / 1e3,
        "calls": len(times),
    }


def work(library: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Each question checked on some rows, then timed; then a large table at once."""
    try:
        asks = LIBRARIES[library](folder)
    except ImportError as error:
        return {"status": "not installed", "why": str(error)}
    found: dict[str, Any] = {}
    try:
        for question, ask in asks.items():
            of_sequence = question.startswith("sequence")
            x, _ = sequences(ASKED) if of_sequence else table(ASKED)
            given = frame(x) if question == "frame" else x
            rows = [given[i : i + 1] for i in range(ASKED)]
            answers = np.concatenate([np.atleast_1d(ask(row)) for row in rows])
            check(question, answers, truth(folder, x))
            found[question] = time_calls(ask, rows, seconds)
        x, _ = table(MANY)
        check("many rows", asks["predict"](x), truth(folder, x))
        many = time_calls(asks["predict"], [x], seconds, least=5)
    except WrongAnswerError as error:
        return {"status": "refused", "why": str(error)}
    return {
        "status": "timed",
        "version": importlib.metadata.version(DISTRIBUTIONS.get(library, library)),
        "one_row": found,
        "rows_per_second": 1e6 * MANY / many["median_us"],
    }


# -- whole processes -----------------------------------------------------------------------------

ROW = f"import sys, numpy as np\nx = np.zeros((1, {len(COLUMNS)}), np.float32)\n"
WIDTHS = (*TABLE.shape, *TABLE.hidden, TABLE.classes)
STARTS = {
    "pellucid": (
        "import pellucid\nprint(pellucid.load(sys.argv[1]).predict(x))",
        "fcnn.safetensors",
    ),
    "sklearn_mlp": (
        "import pickle\nprint(pickle.load(open(sys.argv[1], 'rb')).predict(x))",
        "model.pickle",
    ),
    "torch_eager": (
        f"""import torch
widths, modules = {WIDTHS}, []
for i, h in zip(widths, widths[1:]):
    modules += [torch.nn.Linear(i, h), torch.nn.ReLU()]
network = torch.nn.Sequential(*modules[:-1])
network.load_state_dict(torch.load(sys.argv[1], weights_only=True))
with torch.inference_mode():
    print(network(torch.from_numpy(x)).argmax(1).numpy())""",
        "model.pt",
    ),
    "onnxruntime": (
        """import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
print(onnxruntime.InferenceSession(sys.argv[1], options).run(None, {"x": x})[0])""",
        "ArgMax.onnx",
    ),
    "numpy": ("print(x.argmax(1))", ""),
}
"""By library the program that answers one row, and the file of its model; NumPy has none."""


def commands(folder: Path) -> dict[str, list[str]]:
    """What is started with ``python``, by name: each library's program and our command line."""
    found = {
        name: ["-c", ROW + program, str(folder / file)] for name, (program, file) in STARTS.items()
    }
    model, row = folder / "frame.safetensors", folder / "row.csv"
    found["pellucid predict"] = ["-m", "pellucid", "predict", str(model), str(row)]
    return found


def measure_start(folder: Path, pairs: int) -> dict[str, dict[str, Any]]:
    """Seconds and memory of whole processes in turn; the first of each is not counted."""
    runs: dict[str, list[start.Run]] = {}
    found: dict[str, dict[str, Any]] = {}
    for turn in range(pairs + 1):
        for name, command in commands(folder).items():
            if name in found:  # failed
                continue
            try:
                one = start.run(*command)
            except start.FailedRunError as error:
                found[name] = {"failed": str(error)}
                continue
            if turn:
                runs.setdefault(name, []).append(one)
    for name, each in runs.items():
        if name not in found:
            both = zip(each, runs.get("pellucid", []), strict=False)
            found[name] = {
                "seconds": median(run.seconds for run in each),
                "time_over_pellucid": median(run.seconds / ours.seconds for run, ours in both),
                "peak_memory_mib": max(run.peak_memory_mib for run in each),
                "runs": [run.seconds for run in each],
            }
    return found


# -- all of it -----------------------------------------------------------------------------------


def summarise(rounds: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """By library the medians over the rounds."""
    summary: dict[str, dict[str, Any]] = {}
    for name in LIBRARIES:
        timed = [each[name] for each in rounds if each[name]["status"] == "timed"]
        if not timed:
            summary[name] = rounds[0][name]
            continue
        summary[name] = {
            "status": "timed",
            "version": timed[0]["version"],
            "one_row_us": {
                question: median(one["one_row"][question]["median_us"] for one in timed)
                for question in timed[0]["one_row"]
            },
            "rows_per_second": median(one["rows_per_second"] for one in timed),
        }
    return summary


def lines(results: dict[str, Any]) -> Iterator[str]:
    """The table of 80 columns."""
    about, summary = results["machine"], results["summary"]
    yield (
        f"{about['cpu']}, {about['vectors']}, load {about['load_at_start']:.1f} at the start"
        f"{', quick' if results['quick'] else ''}"
    )
    yield ""
    yield f"one row, {THREADS} thread, microseconds (median over rounds of the median call)"
    yield f"{'':<32}" + "".join(f"{name:>12}" for name in LIBRARIES)
    for question, label in QUESTIONS.items():
        cells = [each.get("one_row_us", {}).get(question) for each in summary.values()]
        if any(cells):
            shown = ("-" if cell is None else f"{cell:.1f}" for cell in cells)
            yield f"{label:<32}" + "".join(f"{cell:>12}" for cell in shown)
    cells = [each.get("rows_per_second") for each in summary.values()]
    shown = ("-" if cell is None else f"{cell / 1e6:.2f}" for cell in cells)
    yield f"{f'{MANY:,} rows: million rows/s':<32}" + "".join(f"{cell:>12}" for cell in shown)
    for name, each in summary.items():
        if each["status"] != "timed":
            yield f"{name} left out, {each['status']}: {each['why']}"[:80]
    if not results["start"]:
        return
    yield ""
    yield "start: a whole process that loads the model and answers one row"
    yield f"{'':<32}{'seconds':>12}{'x ours':>12}{'MiB':>12}"
    for name, part in results["start"].items():
        if "failed" in part:
            yield f"{name} failed: {part['failed']}"[:80]
            continue
        yield (
            f"{name:<32}{part['seconds']:>12.3f}{part['time_over_pellucid']:>12.2f}"
            f"{part['peak_memory_mib']:>12.0f}"
        )


def run(rounds: int, seconds: float, pairs: int) -> dict[str, Any]:
    """All rounds of all libraries, then the starts."""
    module = "benchmarks.latency"
    with tempfile.TemporaryDirectory() as name:
        child(module, "prepare", "--folder", name, threads=THREADS)
        found: list[dict[str, dict[str, Any]]] = []
        for turn in range(rounds):
            say(f"round {turn + 1} of {rounds}")
            found.append({})
            for library in LIBRARIES:
                given = (library, "--folder", name, "--seconds", str(seconds))
                try:
                    outcome = child(module, *given, threads=THREADS)
                except RuntimeError as error:
                    outcome = {"status": "failed", "why": str(error)}
                say(f"  {library}: {outcome['status']}")
                found[-1][library] = outcome
        say("start")
        begun = measure_start(Path(name), pairs) if pairs else {}
    return {"summary": summarise(found), "rounds": found, "start": begun}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", nargs="?", choices=["prepare", *LIBRARIES])
    parser.add_argument("--folder", type=Path, help="where a process finds the models")
    parser.add_argument("--quick", action="store_true", help="one short round: a rough idea")
    parser.add_argument("--rounds", type=int, help="default 5, or 1 with --quick")
    parser.add_argument("--seconds", type=float, help="of a timing; default 1, or 0.1")
    parser.add_argument("--pairs", type=int, help="starts of each; default 9, or 2; 0 is none")
    parser.add_argument("--threads", type=int, choices=[THREADS], default=THREADS)
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    given = parser.parse_args()
    seconds = given.seconds or (0.1 if given.quick else 1.0)
    if given.library and given.folder is None:
        parser.error("--folder is needed with the name of a process")
    if given.library == "prepare":
        prepare(given.folder)
        print("null")
        return 0
    if given.library:
        print(json.dumps(work(given.library, given.folder, seconds)))
        return 0
    pairs = given.pairs if given.pairs is not None else (2 if given.quick else 9)
    about = machine.describe(THREADS)
    found = run(given.rounds or (1 if given.quick else 5), seconds, pairs)
    results = {"quick": given.quick, "machine": about, **found}
    print("\n".join(lines(results)))
    if given.output:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        say(f"written: {given.output}")
    # Not installed is no fault; a wrong answer or a crash is.
    outcomes = [each["status"] for each in found["summary"].values()]
    return 1 if {"refused", "failed"} & set(outcomes) else 0


if __name__ == "__main__":
    raise SystemExit(main())
