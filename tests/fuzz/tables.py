"""Tables in files, CSV, JSON, Feather and Parquet, that are damaged, odd or hostile.

A case is one line, ``ending engine deed``, and the content of the file.
"""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import json
import lzma
import random
import tempfile
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import guard
import numpy as np
from promises import REFUSALS, import_what, sentence, watched

ENGINES = tuple(n for n in ("pandas", "polars", "pyarrow") if importlib.util.find_spec(n))
_DEEDS = ("predict",) * 6 + ("regress", "steps", "fit", "group", "signals", "windows")
_NUMBERS = (
    "inf", "-inf", "Infinity", "nan", "1e999", "-1e999", "0x10", "1_000", "1,5", "1.5.2", "--1",
    "9" * 30, "9" * 400, "1e-400", "٣", "½", "+1", " 1", "1 ", "TRUE", "", "NA", "1e5", ".", "-",
    "9223372036854775808", "2026-01-32", "2026-11-23", "'", '""', "0.1e", "#N/A", "\ufeff1",
)  # fmt: skip
_TEXTS = (
    "Rome", "", "NA", "Rome, the old", 'the "old" one', "new\nline", "罗马", "x" * 300, "\u202e",
    "=1+1", "\u2028", "a\x01b", "null", "é" * 9, "\x85", "\x1f",
)  # fmt: skip
_NAMES = ("a", "", " a", "a" * 300, "y", "new\nline", "1", "罗马", "a'b", "\x07", "_", "a.1")
_models: dict[str, Any] = {}


def prepare() -> None:
    """Fit the models that predict, and import all that a case needs."""
    guard.install()
    import pandas as pd

    from pellucid import CNNClassifier, FCNNClassifier, FCNNRegressor, LSTMClassifier, LSTMRegressor
    from pellucid.data import windows

    small: dict[str, Any] = {"max_epochs": 1, "verbose": 0, "n_jobs": 1, "random_state": 0}
    rows = 24
    frame = pd.DataFrame(
        {
            "a": np.arange(rows) / 7,
            "b": [None if i % 5 == 1 else float(i) for i in range(rows)],
            "c": ["Rome" if i % 3 else "Oslo" for i in range(rows)],
        }
    )
    y = ["one" if i % 2 else "two" for i in range(rows)]
    numbers = frame[["a", "b"]].fillna(0)
    _models["small"] = small
    _models["predict"] = FCNNClassifier(hidden_dim=4, num_layers=1, **small).fit(frame, y)
    _models["regress"] = FCNNRegressor(hidden_dim=4, num_layers=1, **small).fit(frame, numbers.a)
    _models["signals"] = CNNClassifier(channels=2, **small).fit(numbers, y)
    grouped = frame.assign(g=np.arange(rows) // 4, t=np.arange(rows) % 4)
    group = LSTMClassifier(hidden_dim=2, num_layers=1, group="g", time="t", **small)
    _models["group"] = group.fit(grouped, y[: rows // 4])
    X, ahead = windows(numbers, 3, target="a")
    _models["windows"] = LSTMRegressor(hidden_dim=2, num_layers=1, **small).fit(X, ahead)
    with tempfile.TemporaryDirectory() as folder:
        import_what(lambda: _use_honest_tables(Path(folder)))


def _use_honest_tables(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    header, *rows = _rows(random.Random(5))
    (folder / "a.csv").write_text("\n".join(map(",".join, (header, *rows))))
    columns = {name: [row[place] for row in rows] for place, name in enumerate(header)}
    parquet.write_table(pa.table(columns), folder / "a.parquet")
    for engine in ENGINES:
        for name in ("a.csv", "a.parquet"):
            for deed in dict.fromkeys(_DEEDS):
                _used(folder / name, engine, deed)


# -- cases ---------------------------------------------------------------------------------------


def make(seed: int) -> bytes:
    """The case of this number."""
    rng = random.Random(seed)
    engine, deed = rng.choice(ENGINES), rng.choice(_DEEDS)
    if "pyarrow" in ENGINES and rng.random() < 0.4:
        ending, content = rng.choice((".parquet", ".parquet", ".pq")), _parquet(rng)
    elif rng.random() < 0.2:
        ending, content = rng.choice((_json, _feather))(rng)
    else:
        ending, content = (
            rng.choice((".csv", ".csv", ".csv", ".tsv", ".txt", ".csv.gz")),
            _text(rng),
        )
    if rng.random() < 0.02:
        ending = rng.choice((".csv", ".parquet"))
    return f"{ending} {engine} {deed}\n".encode() + content


def _rows(rng: random.Random) -> list[list[str]]:
    """An honest table, its header first."""
    count = rng.choice((1, 2, 3, 8, 24, 24, 24))
    rows = [["a", "b", "c", "y", "g", "t"]]
    for i in range(count):
        b = "" if i % 5 == 1 else str(i)
        c, y = ("Rome", "Oslo")[i % 3 == 0], ("two", "one")[i % 2]
        rows.append([f"{i / 7:.3f}", b, c, y, str(i // 4), str(i % 4)])
    return rows


def _text(rng: random.Random) -> bytes:
    rows = _rows(rng)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        rng.choice(_OF_CELLS)(rng, rows)
    separator, end = rng.choice(",,;\t"), rng.choice(("\n", "\n", "\r\n", "\r"))
    lines = [separator.join(_quoted(rng, cell, separator) for cell in row) for row in rows]
    text = end.join(lines) + rng.choice(("", end, end * 3))
    content = text.encode("utf-8", "surrogatepass")
    for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2))):
        content = rng.choice(_OF_TEXT)(rng, content)
    return content


def _quoted(rng: random.Random, cell: str, separator: str) -> str:
    odd = any(mark in cell for mark in f'{separator}"\n\r')
    return '"' + cell.replace('"', '""') + '"' if odd and rng.random() < 0.9 else cell


def _odd_numbers(rng: random.Random, rows: list[list[str]]) -> None:
    for _ in range(rng.choice((1, 1, 3))):
        row = rng.choice(rows[1:] or rows)
        if row:
            row[rng.randrange(len(row))] = rng.choice(_NUMBERS)


def _odd_texts(rng: random.Random, rows: list[list[str]]) -> None:
    row = rng.choice(rows[1:] or rows)
    if row:
        row[rng.randrange(len(row))] = rng.choice(_TEXTS)


def _odd_names(rng: random.Random, rows: list[list[str]]) -> None:
    if rows and rows[0]:
        rows[0][rng.randrange(len(rows[0]))] = rng.choice(_NAMES)


def _ragged(rng: random.Random, rows: list[list[str]]) -> None:
    row = rng.choice(rows)
    if rng.random() < 0.5:
        row += ["1"] * rng.choice((1, 1, 5))
    else:
        del row[rng.randrange(len(row) + 1) :]


def _one_kind_of_column(rng: random.Random, rows: list[list[str]]) -> None:
    column, value = rng.randrange(len(rows[0]) or 1), rng.choice((*_NUMBERS, *_TEXTS))
    for row in rows[1:]:
        if column < len(row):
            row[column] = value


def _only_header(rng: random.Random, rows: list[list[str]]) -> None:
    del rows[rng.choice((0, 1)) :]
    rows += [[]] * (not rows)


def _wide(rng: random.Random, rows: list[list[str]]) -> None:
    count = rng.choice((50, 50, 50, 500)) if rng.random() < 0.98 else 10_000
    for i, row in enumerate(rows[:3]):
        row += [f"x{j}" if i == 0 else "1" for j in range(count)]
    del rows[3:]


def _column_gone(rng: random.Random, rows: list[list[str]]) -> None:
    column = rng.randrange(len(rows[0]) or 1)
    for row in rows:
        del row[column : column + 1]


def _huge_cell(rng: random.Random, rows: list[list[str]]) -> None:
    row = rng.choice(rows)
    row[:1] = [rng.choice("9x,'\" ") * rng.choice((1000, 9000))]


_OF_CELLS = (
    _odd_numbers, _odd_numbers, _odd_numbers, _odd_texts, _odd_names, _ragged, _one_kind_of_column,
    _only_header, _wide, _column_gone, _huge_cell,
)  # fmt: skip


def _place(rng: random.Random, content: bytes) -> int:
    return rng.randrange(len(content) + 1)


def _stray_bytes(rng: random.Random, content: bytes) -> bytes:
    odd = (
        b'"',
        b"'",
        b"\0",
        b"\r",
        b"\n",
        b";",
        b"\t",
        b",",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\\",
    )
    place = _place(rng, content)
    return content[:place] + rng.choice(odd) * rng.choice((1, 1, 7)) + content[place:]


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: _place(rng, content)]


def _other_separator(rng: random.Random, content: bytes) -> bytes:
    place = _place(rng, content)
    return content[:place] + content[place:].replace(b",", rng.choice((b";", b"\t", b"|", b" ")))


def _other_encoding(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(
        rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7")), "replace"
    )


def _packed(rng: random.Random, content: bytes) -> bytes:
    def zipped(content: bytes) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("a.csv", "b.csv")[: rng.choice((1, 1, 1, 2))]:
                archive.writestr(zipfile.ZipInfo(name), content)
        return file.getvalue()

    pack = rng.choice((lambda content: gzip.compress(content, mtime=0), bz2.compress,
                       lzma.compress, zipped))  # fmt: skip
    packed = pack(content)
    return _flipped(rng, packed, 0, len(packed)) if rng.random() < 0.3 else packed


def _late_fault(rng: random.Random, content: bytes) -> bytes:
    """The fault lies behind the first 64 KB."""
    lines = content.splitlines(keepends=True)
    last = lines[-1] if lines else b"1\n"
    last += b"" if last.endswith((b"\n", b"\r")) else b"\n"
    filler = last * ((70_000 // len(last)) + 1)
    return content + b"\n" + filler[:200_000] + _stray_bytes(rng, last)


def _noise(rng: random.Random, content: bytes) -> bytes:
    return rng.randbytes(rng.choice((1, 3, 40, 400)))


def _blank_lines(rng: random.Random, content: bytes) -> bytes:
    return (
        rng.choice((b"\n", b"\r\n", b" \n", b"#\n", b"\xef\xbb\xbf")) * rng.choice((1, 2, 9))
        + content
    )


_OF_TEXT = (
    _stray_bytes, _stray_bytes, _stray_bytes, _cut, _other_separator, _other_encoding, _packed,
    _late_fault, _noise, _blank_lines,
)  # fmt: skip


def _json(rng: random.Random) -> tuple[str, bytes]:
    header, *rows = _rows(rng)
    values: list[Any] = [1, 2.5, "x", None, True, 10**30, -1e400, [1], {"a": 1}, "\ud800", "007"]
    objects: list[Any] = [dict(zip(header, row, strict=True)) for row in rows]
    for _ in range(rng.choice((0, 1, 1, 3))):
        rng.choice(objects)[rng.choice((*header, "new", ""))] = rng.choice(values)
    if rng.random() < 0.1:
        objects.append(rng.choice(values))
    if rng.random() < 0.5:
        ending, text = ".jsonl", "".join(f"{json.dumps(row)}\n" for row in objects)
    else:
        ending, text = ".json", json.dumps(objects)
    content = text.encode()
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        content = rng.choice((_stray_bytes, _cut, _other_encoding, _packed, _noise))(rng, content)
    return ending, content


def _feather(rng: random.Random) -> tuple[str, bytes]:
    from pyarrow import feather

    file = io.BytesIO()
    try:
        feather.write_feather(
            _arrow_table(rng), file, compression=rng.choice(("uncompressed", "lz4"))
        )
    except (ValueError, TypeError):  # what Feather has no type for
        return ".feather", b"ARROW1\0\0"
    content = file.getvalue()
    if rng.random() < 0.6:
        content = rng.choice((_cut, lambda r, c: _flipped(r, c, 0, len(c))))(rng, content)
    return ".feather", content


def _parquet(rng: random.Random) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    table = _arrow_table(rng)
    file = io.BytesIO()
    parquet.write_table(
        table, file,
        compression=rng.choice(("none", "snappy", "snappy", "gzip", "zstd", "lz4", "brotli")),
        use_dictionary=rng.random() < 0.5,
        data_page_version=rng.choice(("1.0", "2.0")),
        row_group_size=rng.choice((None, 3)) or 1 << 20,
        write_statistics=rng.random() < 0.5,
        store_schema=rng.random() < 0.8,
    )  # fmt: skip
    assert isinstance(table, pa.Table)
    content = file.getvalue()
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        content = rng.choice(_OF_PARQUET)(rng, content)
    return content


def _arrow_table(rng: random.Random) -> Any:
    """The honest table, some of its columns of another type."""
    import pyarrow as pa

    header, *rows = _rows(rng)
    if rng.random() < 0.05:
        rows = []
    columns: dict[str, Any] = {}
    for place, name in enumerate(header):
        texts = [row[place] for row in rows]
        if name in "abgt":
            columns[name] = pa.array(
                [float(text) if text else None for text in texts], pa.float64()
            )
        else:
            columns[name] = pa.array(texts, pa.string())
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        columns[rng.choice((*header, "new", "", "a" * 300))] = _odd_column(rng, len(rows))
    names, arrays = list(columns), list(columns.values())
    if rng.random() < 0.1:
        names[rng.randrange(len(names))] = rng.choice(names)
    if rng.random() < 0.02:
        names, arrays = [], []
    table = pa.Table.from_arrays(arrays, names=names)
    if rng.random() < 0.1:
        table = table.replace_schema_metadata(
            {b"pandas": rng.choice((b"{}", b"[", b'{"index_columns": ["a"]}'))}
        )
    return table


def _odd_column(rng: random.Random, count: int) -> Any:
    import pyarrow as pa

    noon = datetime(2026, 11, 23, 12)
    kinds: list[tuple[Any, Any]] = [
        ([1, 2], pa.list_(pa.int64())),
        ({"x": 1}, pa.struct([("x", pa.int64())])),
        ([("k", 1)], pa.map_(pa.string(), pa.int64())),
        (Decimal("1.50"), pa.decimal128(38, 2)),
        (Decimal("1.5"), pa.decimal256(60, 1)),
        (timedelta(hours=3), pa.duration("ns")),
        (noon, pa.timestamp("ns")),
        (noon.replace(tzinfo=UTC), pa.timestamp("us", "Europe/Rome")),
        (noon, pa.timestamp("s", "+05:30")),
        (date(2026, 11, 23), pa.date32()),
        (date(9999, 12, 31), pa.date64()),
        (noon.time(), pa.time64("ns")),
        (b"\xff\0", pa.binary()),
        (b"1234", pa.binary(4)),
        (True, pa.bool_()),
        (None, pa.null()),
        (2**64 - 1, pa.uint64()),
        (-(2**63), pa.int64()),
        (float("inf"), pa.float64()),
        (float("nan"), pa.float32()),
        (np.float16(1.5), pa.float16()),
        ("Rome", pa.large_string()),
        ("new\nline", pa.string()),
        (-62135596800000000, pa.timestamp("us")),
        (2**52, pa.timestamp("s")),
        (2**52, pa.duration("s")),
    ]
    value, kind = rng.choice(kinds)
    holes = rng.random() < 0.3
    array = pa.array([None if holes and i % 3 == 0 else value for i in range(count)], kind)
    if rng.random() < 0.2 and pa.types.is_string(kind):
        array = array.dictionary_encode()
    return array


def _footer(content: bytes) -> int:
    """Where the footer begins."""
    length = int.from_bytes(content[-8:-4], "little")
    return max(4, len(content) - 8 - length)


def _flipped(rng: random.Random, content: bytes, start: int, stop: int) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 20))):
        if stop > start:
            data[rng.randrange(start, stop)] = rng.choice(
                (0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256))
            )
    return bytes(data)


def _pages(rng: random.Random, content: bytes) -> bytes:
    return _flipped(rng, content, 4, _footer(content))


def _metadata(rng: random.Random, content: bytes) -> bytes:
    return _flipped(rng, content, _footer(content), len(content) - 8)


def _footer_length(rng: random.Random, content: bytes) -> bytes:
    length = rng.choice((0, 1, 7, 2**31, 2**32 - 1, len(content), rng.randrange(1 << 16)))
    return content[:-8] + length.to_bytes(4, "little") + content[-4:]


def _declared_count(rng: random.Random, content: bytes) -> bytes:
    """Another number where the footer counts rows or values."""
    start = _footer(content)
    footer = content[start:-8]
    places = [i for i in range(len(footer) - 1) if footer[i] == 0x16 and footer[i + 1] < 0x80]
    if not places:
        return content
    count = rng.choice((0, 1, 1000, 10**7, 2**31, 2**40, 2**62, -1))
    for place in reversed(places if rng.random() < 0.5 else [rng.choice(places)]):
        footer = footer[: place + 1] + _zigzag(count) + footer[place + 2 :]
    return content[:start] + footer + len(footer).to_bytes(4, "little") + content[-4:]


def _zigzag(number: int) -> bytes:
    """Thrift's way to write a signed number."""
    number = (number << 1) ^ (number >> 63)
    parts = []
    while True:
        number, low = number >> 7, number & 0x7F
        parts.append(low | (0x80 if number else 0))
        if not number:
            return bytes(parts)


def _cut_inside(rng: random.Random, content: bytes) -> bytes:
    begin = _place(rng, content)
    return content[:begin] + content[min(len(content) - 4, begin + rng.choice((1, 8, 100))) :]


_OF_PARQUET = (
    _pages,
    _pages,
    _metadata,
    _metadata,
    _footer_length,
    _declared_count,
    _cut_inside,
    _cut,
)


# -- what is done with a case --------------------------------------------------------------------


def kept(path: Path) -> bytes:
    """The case that is kept in a file."""
    return path.read_bytes()


def run(content: bytes, folder: Path) -> str:
    """Read the file, and answer or learn: "answered" or "refused"."""
    head, _, body = content.partition(b"\n")
    ending, engine, deed = head.decode().split()
    path = folder / f"case{ending}"
    path.write_bytes(body)
    with watched(silent=engine != "polars"):
        return _used(path, engine, deed).partition(":")[0]


def _used(path: Path, engine: str, deed: str) -> str:
    from pellucid.data import read_batches, read_table

    try:
        frame = read_table(path, engine=engine)
        parts = read_batches(path, 7, engine)
        assert sum(part.shape[0] for part in parts) == frame.shape[0]
    except REFUSALS as error:
        sentence(error)
        return "refused: read"
    try:
        return _answered(frame, deed, str(path))
    except REFUSALS as error:
        sentence(error)
        return f"refused: {deed}"


def _answered(frame: Any, deed: str, source: str) -> str:
    from pellucid import FCNNClassifier, LSTMClassifier, LSTMRegressor
    from pellucid.cli.frames import features
    from pellucid.data import infer_task, split_target, windows

    small = _models["small"]
    if deed == "fit":
        X, y = split_target(frame, "y", source)
        infer_task(y)
        model = FCNNClassifier(hidden_dim=4, num_layers=1, **small).fit(X, y)
        predicted = model.predict(X)
    elif deed == "steps":
        X, y = split_target(frame, "y", source)
        model = LSTMClassifier(hidden_dim=2, group="g", time="t", return_sequences=True, **small)
        predicted = np.asarray(model.fit(X, y).predict(X))
    elif deed == "windows":
        X, y = windows(features(_models[deed], frame), 3, target="a", time=None)
        assert np.isfinite(_models[deed].predict(X)).all()
        LSTMRegressor(hidden_dim=2, num_layers=1, **small).fit(X, y)
        return "answered: windows"
    else:
        model = _models[deed]
        reading = model._read(features(model, frame))
        predicted = np.asarray(model.predict(reading))
        if deed == "group":
            return "answered: group" if len(predicted) == len(reading) else _wrong(predicted, frame)
    assert len(predicted) == frame.shape[0], (len(predicted), frame.shape)
    assert predicted.dtype.kind in "OU" or np.isfinite(predicted).all()
    return f"answered: {deed}"


def _wrong(predicted: Any, frame: Any) -> str:
    raise AssertionError(f"{len(predicted)} answers to {frame.shape[0]} rows")
