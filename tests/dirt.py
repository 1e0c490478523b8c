"""Tables as people have them: clean ones, made dirty in every way that is known.

A clean table is a map of columns, each a list of texts as a careful program would write them. A
`Kind` of dirt turns the texts of one column, or a whole table, into what is found in real files.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

TRAIN, TEST = 400, 150
ROWS = TRAIN + TEST

Texts = list[str]
Columns = dict[str, Texts]


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A clean table.

    Attributes
    ----------
    columns : dict of str to list of str
        In the order of the file; the target is the last.
    ideal : dict of str to list
        The same, but for the target, as a program would hand it to a network: numbers, truth
        values, and what can be learned from dates.
    answers : ndarray of shape (rows,)
        The target as numbers or labels.
    """

    name: str
    target: str
    task: str
    columns: Columns
    ideal: dict[str, list[Any]]
    answers: np.ndarray


# ---------------------------------------------------------------- clean tables


def _texts(numbers: Iterable[float], decimals: int = 0) -> Texts:
    return [f"{number:.{decimals}f}" for number in numbers]


@cache
def houses() -> Table:
    """A regression: large whole numbers, negative ones, shares with two decimals."""
    rng = np.random.default_rng(1)
    income = rng.integers(20_000, 1_800_000, ROWS)
    income[::40] = rng.integers(100, 999, len(income[::40]))
    columns = {
        "income": _texts(income),
        "age": _texts(rng.integers(18, 90, ROWS)),
        "temperature": _texts(rng.uniform(-20, 35, ROWS), 1),
        "rate": _texts(rng.uniform(0, 100, ROWS), 2),
    }
    numbers = {name: [float(text) for text in texts] for name, texts in columns.items()}
    weights = {"income": 0.02, "age": 150.0, "temperature": 300.0, "rate": 60.0}
    price = 9000 + sum(weights[name] * np.array(numbers[name]) for name in weights)
    columns["price"] = _texts(price + rng.normal(0, 300, ROWS), 2)
    answers = np.array(columns["price"], dtype=np.float64)
    return Table("houses", "price", "regression", columns, numbers, answers)


@cache
def patients() -> Table:
    """Classes from categories and a number."""
    rng = np.random.default_rng(2)
    smoker = rng.choice(["Yes", "No"], ROWS).tolist()
    region = rng.choice(["North", "South", "East", "West"], ROWS).tolist()
    weight = _texts(rng.uniform(45, 110, ROWS), 1)
    points = 2.0 * (np.array(smoker) == "Yes") + np.isin(region, ["North", "East"])
    points = points + (np.array(weight, dtype=float) > 75)
    risk = np.array(["low", "low", "mid", "mid", "high"])[points.astype(int)]
    columns = {"smoker": smoker, "region": region, "weight": weight, "risk": risk.tolist()}
    ideal = {"smoker": smoker, "region": region, "weight": [float(text) for text in weight]}
    return Table("patients", "risk", "classification", columns, ideal, risk)


@cache
def visits() -> Table:
    """A regression on dates and times of day: a trend, a year's cycle, a day's cycle."""
    rng = np.random.default_rng(3)
    days = rng.integers(0, 5 * 365, ROWS)
    moments = [datetime(2019, 1, 1) + timedelta(days=int(day)) for day in days]
    minutes = rng.integers(0, 24 * 60, ROWS)
    month = np.array([m.month + (m.day - 1) / 31 for m in moments])
    year, day = 2 * np.pi * month / 12, 2 * np.pi * minutes / 1440
    x = rng.normal(size=ROWS).round(3)
    trend = days / 365.0
    y = 3 * trend + 2 * np.sin(year) + 1.5 * np.cos(day) + x + rng.normal(0, 0.05, ROWS)
    columns = {
        "when": [f"{m:%Y-%m-%d}" for m in moments],
        "clock": [f"{m // 60:02d}:{m % 60:02d}" for m in minutes.tolist()],
        "x": _texts(x, 3),
        "y": _texts(y, 3),
    }
    ideal = {
        "trend": trend, "sin year": np.sin(year), "cos year": np.cos(year), "sin day": np.sin(day),
        "cos day": np.cos(day), "x": x,
    }  # fmt: skip
    answers = np.array(columns["y"], dtype=np.float64)
    lists = {name: values.tolist() for name, values in ideal.items()}
    return Table("visits", "y", "regression", columns, lists, answers)


@cache
def parts() -> Table:
    """Classes from codes, of which two differ by their leading zeros alone.

    The rows held out have codes of digits alone, as a new file may.
    """
    rng = np.random.default_rng(4)
    sizes = {
        "007": "small", "7": "large", "012": "large", "12": "small", "100": "mid", "0450": "mid",
        "A12": "small", "B7": "large",
    }  # fmt: skip
    digits = [code for code in sizes if code.isdigit()]
    codes = [*rng.choice(list(sizes), TRAIN).tolist(), *rng.choice(digits, TEST).tolist()]
    x = rng.normal(size=ROWS).round(3)
    size = np.array([sizes[code] for code in codes])
    columns = {"code": codes, "x": _texts(x, 3), "size": size.tolist()}
    return Table("parts", "size", "classification", columns, {"code": codes, "x": x.tolist()}, size)


@cache
def shops() -> Table:
    """A regression with Chinese names and words."""
    rng = np.random.default_rng(5)
    base = {"北京": 300.0, "上海": 250.0, "广州": 100.0, "成都": 0.0}
    city = rng.choice(list(base), ROWS).tolist()
    member = rng.choice(["是", "否"], ROWS).tolist()
    area = rng.integers(900, 9000, ROWS)
    price = np.array([base[c] for c in city]) + 80.0 * (np.array(member) == "是") + 0.1 * area
    columns = {
        "城市": city, "会员": member, "面积": _texts(area),
        "价格": _texts(price + rng.normal(0, 5, ROWS), 1),
    }  # fmt: skip
    ideal = {"城市": city, "会员": member, "面积": area.astype(float).tolist()}
    answers = np.array(columns["价格"], dtype=np.float64)
    return Table("shops", "价格", "regression", columns, ideal, answers)


# ---------------------------------------------------------------- numbers with marks


def grouped(digits: str, mark: str, indian: bool = False) -> str:
    """Digits with a mark between groups of three; in India of two above the last three."""
    groups, size = [], 3
    while len(digits) > size:
        groups.insert(0, digits[-size:])
        digits, size = digits[:-size], 2 if indian else 3
    return mark.join([digits, *groups])


@dataclass(frozen=True)
class Style:
    """How numbers are written.

    `minus` is a sign before the number, "()" around it or "1-" behind it; "{}" in `around` is the
    number, whose sign may stand before it all.
    """

    thousands: str = ""
    decimal: str = "."
    around: str = "{}"
    minus: str = "-"
    plus: str = ""
    indian: bool = False
    wide: bool = False

    def write(self, text: str) -> str:
        """The number that `text` is, in this style."""
        whole, _, fraction = text.lstrip("-").partition(".")
        body = grouped(whole, self.thousands, self.indian) if self.thousands else whole
        body = self.around.format(body + (self.decimal + fraction if fraction else ""))
        if not text.startswith("-"):
            body = self.plus + body
        elif self.minus == "()":
            body = f"({body})"
        elif self.minus == "1-":
            body += "-"
        else:
            body = self.minus + body
        return body.translate(_WIDE) if self.wide else body


_WIDE = {ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789.,-+%"}

STYLES = {
    "thousands by comma": Style(","),
    "thousands by point": Style(".", ","),
    "thousands by blank": Style(" ", ","),
    "thousands by no-break blank": Style("\u00a0", ","),
    "thousands by narrow no-break blank": Style("\u202f", ","),
    "thousands by thin blank": Style("\u2009"),
    "thousands by apostrophe": Style("'"),
    "thousands by curly apostrophe": Style("\u2019"),
    "Indian grouping": Style(",", indian=True),
    "decimal comma": Style(decimal=","),
    "dollars": Style(",", around="${}"),
    "dollars and a blank": Style(",", around="$ {}"),
    "euros behind": Style(".", ",", "{} €"),
    "euros before": Style(".", ",", "€{}"),
    "pounds": Style(",", around="£{}"),
    "yen": Style(",", around="¥{}"),
    "wide yen": Style(",", around="￥{}"),
    "元 behind": Style(around="{}元"),
    "USD before": Style(",", around="USD {}"),
    "USD behind": Style(",", around="{} USD"),
    "EUR behind": Style(" ", ",", "{} EUR"),
    "Rs.": Style(",", around="Rs. {}", indian=True),
    "percent": Style(around="{}%"),
    "percent after a blank": Style(decimal=",", around="{} %"),
    "kg": Style(around="{} kg"),
    "kg without a blank": Style(around="{}kg"),
    "km/h": Style(around="{} km/h"),
    "°C": Style(around="{} °C"),
    "m²": Style(around="{} m²"),
    "unicode minus": Style(minus="\u2212"),
    "accounting parentheses": Style(",", minus="()"),
    "dollars in parentheses": Style(",", around="${}", minus="()"),
    "trailing minus": Style(minus="1-"),
    "wide digits": Style(wide=True),
}

# ---------------------------------------------------------------- kinds of dirt


@dataclass(frozen=True)
class Kind:
    """A kind of dirt of one column.

    Attributes
    ----------
    change : callable
        Makes the texts of a column dirty.
    lost : float
        The share of cells whose value cannot be known any more.
    is_told : bool
        Whether the column is read otherwise than it stands, which a note has to say.
    """

    change: Callable[[Texts], Texts]
    lost: float = 0.0
    is_told: bool = True


def _each(write: Callable[[str], str]) -> Callable[[Texts], Texts]:
    return lambda texts: [write(text) for text in texts]


def sprinkled(words: Iterable[str], share: float) -> Callable[[Texts], Texts]:
    """`share` of the cells are `words`, in turn; at least one in training and one held out."""
    words = list(words)

    def change(texts: Texts) -> Texts:
        rng, found = np.random.default_rng(9), list(texts)
        count = max(1, round(share * TRAIN))
        places = [*rng.choice(TRAIN, count, replace=False), TRAIN + int(rng.integers(TEST))]
        for turn, place in enumerate(places):
            found[place] = words[turn % len(words)]
        return found

    return change


def _sometimes(writes: list[Callable[[str], str]]) -> Callable[[Texts], Texts]:
    """Each of several ways in turn, without a rhythm that rows have."""

    def change(texts: Texts) -> Texts:
        ways = np.random.default_rng(8).integers(0, len(writes), len(texts)).tolist()
        return [writes[way](text) for way, text in zip(ways, texts, strict=True)]

    return change


NUMBERS = {name: Kind(_each(style.write)) for name, style in STYLES.items()}
NUMBERS |= {
    "plus signs": Kind(_each(Style(plus="+").write), is_told=False),
    "blanks around": Kind(_sometimes([" {} ".format, "{}  ".format, "\t{}".format]), is_told=False),
    "no-break blanks around": Kind(_each("\u00a0{}\u00a0".format), is_told=False),
    "scientific": Kind(_each(lambda text: f"{float(text):.6E}"), is_told=False),
    "dollars in some cells": Kind(_sometimes([Style(",", around="${}").write, str])),
    "thousands in some cells": Kind(_sometimes([Style(",").write, str])),
    "several units": Kind(
        _sometimes([Style(around="{} kg").write, Style(around="{}kg").write, str])
    ),
}

_USUAL_GAPS = ("", "NA", "NULL", "n/a", "#N/A")  # that readers of tables take for missing
_OTHER_GAPS = ("?", "-", "--", ".", "missing", "unknown", "#VALUE!", "未知")

GAPS = {
    f"1 % of {word or 'empty cells'}": Kind(sprinkled([word], 0.01), 0.01, word in _OTHER_GAPS)
    for word in _OTHER_GAPS + _USUAL_GAPS
}
GAPS |= {
    "a stray word": Kind(lambda texts: ["unclear", *texts[1:]], 0.002),
    "1 % of blanks": Kind(sprinkled([" ", "   "], 0.01), 0.01, is_told=False),
    "5 % of different words": Kind(sprinkled([f"see note {n}" for n in range(40)], 0.05), 0.05),
    "a few cells of several kinds": Kind(sprinkled(["?", "n/a", "ask", "", "-"], 0.02), 0.02),
}

BOOLEANS = {
    f"{true} and {false}": Kind(
        _each({"Yes": true, "No": false, "是": true, "否": false}.__getitem__), is_told=False
    )
    for true, false in (("yes", "no"), ("TRUE", "FALSE"), ("true", "false"), ("1", "0"),
                        ("是", "否"), ("Y", "N"), ("✓", "✗"))
}  # fmt: skip

_BLANKS = {
    # the rows held out have other blanks than those of the training
    "blanks around words": Kind(
        lambda texts: (
            [f" {text}" for text in texts[:200]]
            + texts[200:TRAIN]
            + [f"{text} " for text in texts[TRAIN:]]
        ),
        is_told=False,
    ),
    "no-break blanks around words": Kind(
        lambda texts: texts[:TRAIN] + [f"{t}\u00a0" for t in texts[TRAIN:]], is_told=False
    ),
}
# a word among words is one more of them
WORDS = _BLANKS | {
    f"{name} among words": replace(kind, is_told=False) for name, kind in GAPS.items()
}


def _dates(form: str) -> Kind:
    def write(text: str) -> str:
        moment = datetime.fromisoformat(text)
        parts = {"Y": moment.year, "m": moment.month, "d": moment.day, "y": moment.year % 100}
        return form.format(**parts, b=f"{moment:%b}", B=f"{moment:%B}", a=f"{moment:%a}")

    return Kind(_each(write))


DATES = {
    "ISO dates": _dates("{Y}-{m:02d}-{d:02d}"),
    "ISO dates and times": _dates("{Y}-{m:02d}-{d:02d} 12:30:00"),
    "dd.mm.yyyy HH:MM": _dates("{d:02d}.{m:02d}.{Y} 12:30"),
    "dd.mm.yyyy": _dates("{d:02d}.{m:02d}.{Y}"),
    "dd/mm/yyyy": _dates("{d:02d}/{m:02d}/{Y}"),
    "mm/dd/yyyy": _dates("{m:02d}/{d:02d}/{Y}"),
    "m/d/yyyy": _dates("{m}/{d}/{Y}"),
    "yyyy/m/d": _dates("{Y}/{m}/{d}"),
    "2023年5月1日": _dates("{Y}年{m}月{d}日"),
    "2023-5-1": _dates("{Y}-{m}-{d}"),
    "dd.mm.yy": _dates("{d:02d}.{m:02d}.{y:02d}"),
    "yyyy/mm/dd HH:MM": _dates("{Y}/{m:02d}/{d:02d} 12:30"),
    "5-Jan-23": _dates("{d}-{b}-{y:02d}"),
    "January 5, 2023": _dates("{B} {d}, {Y}"),
    "Thu, 05 Jan 2023": _dates("{a}, {d:02d} {b} {Y}"),
    "with milliseconds": _dates("{Y}-{m:02d}-{d:02d}T12:30:00.250Z"),
    "5 Jan 2023": _dates("{d} {b} {Y}"),
    "Jan 5, 2023": _dates("{b} {d}, {Y}"),
    "with Z": _dates("{Y}-{m:02d}-{d:02d}T12:30:00Z"),
    "with an offset": _dates("{Y}-{m:02d}-{d:02d}T12:30:00+01:00"),
}

CLOCKS = {
    "times of day": Kind(list),
    "times with seconds": Kind(_each("{}:00".format)),
    "times with am and pm": Kind(
        _each(lambda text: f"{datetime.strptime(text, '%H:%M'):%I:%M %p}")
    ),
}

# what may stand in one column together: how a number is written, and cells that are none
GOES_WITH_GAPS = [name for name, style in STYLES.items() if style.minus == "-"]


# ---------------------------------------------------------------- whole tables and files


@dataclass(frozen=True, eq=False, repr=False)
class Dirt:
    """A dirty table.

    Attributes
    ----------
    columns : dict
        The columns as they stand in it.
    lost : float
        The share of cells of a column whose value cannot be known any more.
    told : tuple of str
        The columns that something has to be said about.
    file : callable
        What becomes of the text of a file: its bytes.
    separator, quoting
        Of the file.
    in_files : bool
        Whether it can be in files alone.
    """

    name: str
    table: Table
    columns: Columns
    lost: float = 0.0
    told: tuple[str, ...] = ()
    file: Callable[[str], bytes] = str.encode
    separator: str = ","
    quoting: Any = csv.QUOTE_MINIMAL
    in_files: bool = False

    def rows(self, part: slice) -> Columns:
        """The columns of some rows."""
        return {name: texts[part] for name, texts in self.columns.items()}

    def content(self, part: slice) -> bytes:
        """The file of some rows."""
        text = io.StringIO()
        writer = csv.writer(
            text, delimiter=self.separator, quoting=self.quoting, lineterminator="\n"
        )
        columns = self.rows(part)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return self.file(text.getvalue())


def dirty(table: Table, **kinds: Any) -> Dirt:
    """`table` with some columns made dirty: each by a kind's name, or by several in this order."""
    known = NUMBERS | GAPS | BOOLEANS | WORDS | DATES | CLOCKS
    columns, lost, told, names = dict(table.columns), 0.0, [], []
    for column, given in kinds.items():
        for name in [given] if isinstance(given, str) else given:
            kind = known[name]
            before, columns[column] = columns[column], kind.change(columns[column])
            lost += kind.lost
            # numbers without a fraction have no decimal comma
            seen = columns[column] != before or name in DATES | CLOCKS
            told += [column] * (kind.is_told and seen and column not in told)
            names.append(f"{column}: {name}")
    return Dirt(f"{table.name}, {', '.join(names)}", table, columns, lost, tuple(told))


def _in_file(name: str, **options: Any) -> Dirt:
    return Dirt(f"houses, {name}", houses(), houses().columns, in_files=True, **options)


def _more(name: str, told: str, before: Columns, after: Columns, **options: Any) -> Dirt:
    table = houses()
    target = {table.target: table.columns[table.target]}
    features = {name: texts for name, texts in table.columns.items() if name not in target}
    columns = {**before, **features, **after, **target}
    return Dirt(f"houses, {name}", table, columns, 0.0, (told,), **options)


def files() -> list[Dirt]:
    """Dirt that only a file can have."""
    comma = {column: NUMBERS["decimal comma"].change(t) for column, t in houses().columns.items()}
    return [
        _in_file("a byte order mark", file=lambda text: text.encode("utf-8-sig")),
        _in_file("CRLF", file=lambda text: text.replace("\n", "\r\n").encode()),
        _in_file("blank lines", file=lambda text: text.replace("\n", "\n\n").encode() + b"\n\n"),
        _in_file("trailing separators", file=lambda text: text.replace("\n", ",\n").encode()),
        _in_file("quotes around all", quoting=csv.QUOTE_ALL),
        _in_file("semicolons", separator=";"),
        _in_file("tabs", separator="\t"),
        _in_file("CRLF, a mark and trailing separators", file=lambda text: (
            text.replace("\n", ",\r\n").encode("utf-8-sig")
        )),
        Dirt("houses, decimal commas everywhere", houses(), comma, separator=";", in_files=True),
        Dirt("shops, a byte order mark", shops(), shops().columns, in_files=True,
             file=lambda text: text.encode("utf-8-sig")),
    ]  # fmt: skip


def more_columns() -> list[Dirt]:
    """Columns that no network learns from."""
    numbers = range(ROWS)
    return [
        _more("row numbers", "Unnamed: 0", {"Unnamed: 0": _texts(numbers)}, {}),
        _more("a doubled name", "age.1", {}, {"age.1": houses().columns["age"]}),
        _more("a doubled column", "income copy", {}, {"income copy": houses().columns["income"]}),
        _more("a constant column", "country", {}, {"country": ["Chile"] * ROWS}),
        _more("a constant number", "version", {}, {"version": ["3"] * ROWS}),
        _more("identifiers", "key", {}, {"key": [f"K-{7919 * n % 100003:06d}" for n in numbers]}),
    ]  # fmt: skip


def odd() -> list[Dirt]:
    """Dirt that a reader may well not understand, if it says so."""

    def each(table: Table, column: str, name: str, write: Callable[[str], str]) -> Dirt:
        columns = {**table.columns, column: [write(text) for text in table.columns[column]]}
        return Dirt(f"{table.name}, {column}: {name}", table, columns, told=(column,))

    def moment(form: str) -> Callable[[str], str]:
        return lambda text: datetime.fromisoformat(text).strftime(form)

    def is_odd(text: str) -> bool:
        return text[-1] in "13579"

    numbers: dict[str, tuple[str, Callable[[str], str]]] = {
        "an apostrophe before": ("income", "'{}".format),
        "formulas": ("income", '="{}"'.format),
        "quotes in quotes": ("income", '"{}"'.format),
        "about": ("income", "~{}".format),
        "some below": ("income", lambda text: f"<{text}" if text[-1] == "1" else text),
        "underlines": ("income", Style("_").write),
        "ranges": ("income", lambda text: f"{int(text) - 50}-{int(text) + 50}"),
        "k and M": ("income", lambda text: f"{float(text) / 1e6}M" if len(text) > 6 else text),
        "万": ("income", lambda text: f"{float(text) / 1e4:.4f}万"),
        "two currencies": ("income", lambda text: f"{'$€'[is_odd(text)]}{text}"),
        "two units": ("income", lambda text: f"{text} kg" if is_odd(text) else f"{text}000 g"),
        "人民币": ("income", "人民币{}".format),
        "CN¥": ("income", "CN¥{}".format),
        "Arabic digits": ("income", lambda text: text.translate(dict(zip(
            map(ord, "0123456789"), "٠١٢٣٤٥٦٧٨٩", strict=True
        )))),
        "some per cent": (
            "rate", lambda text: f"{text}%" if is_odd(text) else f"{float(text) / 100}"
        ),
        "of a hundred": ("rate", "{}/100".format),
        "a unit with a number": ("rate", "{} kWh/100 km".format),
        "footnotes": ("rate", "{} [1]".format),
        "some footnotes": ("rate", lambda text: text + "*" * (text[-1] == "7")),
    }  # fmt: skip
    dates = {
        "two forms": lambda text: moment("%d.%m.%Y")(text) if is_odd(text) else text,
        "digits alone": moment("%Y%m%d"),
        "weeks": moment("%G-W%V"),
        "quarters": lambda text: f"{text[:4]}Q{(int(text[5:7]) + 2) // 3}",
        "months": moment("%B %Y"),
        "a database's": moment("%Y-%m-%d 12:30:00+00"),
        "上午": moment("%Y/%m/%d 上午 10:30:00"),
        "of a log": moment("%a %b %d %H:%M:%S %Y"),
    }
    region = patients().columns["region"]
    blanks = [*(f"{r} Side" for r in region[:TRAIN]), *(f"{r}  Side" for r in region[TRAIN:])]
    smoker = patients().columns["smoker"]
    upper = [text.upper() if row % 2 else text for row, text in enumerate(smoker)]
    lower = [*upper[:TRAIN], *(text.lower() for text in smoker[TRAIN:])]
    words = {
        "region": ("blanks inside", blanks),
        "smoker": ("large and small letters", lower),
    }
    return [
        *(each(houses(), column, name, write) for name, (column, write) in numbers.items()),
        *(each(visits(), "when", name, write) for name, write in dates.items()),
        *(
            Dirt(f"patients, {column}: {name}", patients(), {**patients().columns, column: texts},
                 told=(column,))
            for column, (name, texts) in words.items()
        ),
    ]  # fmt: skip


def corpus() -> list[Dirt]:
    """All dirty tables, each kind alone and in pairs."""
    found = [*files(), *more_columns()]
    table = houses()
    signed = ("unicode minus", "accounting parentheses", "dollars in parentheses", "trailing minus",
              "plus signs", "°C")  # fmt: skip
    fractions = ("decimal comma", "percent", "percent after a blank")
    for name in NUMBERS:
        column = "temperature" if name in signed else "rate" if name in fractions else "income"
        found.append(dirty(table, **{column: name}))
    found += [dirty(table, income=name) for name in GAPS]
    # pairs in one column: a number's marks and cells that are none
    gaps = list(GAPS)
    for turn, name in enumerate(GOES_WITH_GAPS):
        column = "temperature" if name in signed else "rate" if name in fractions else "income"
        found.append(dirty(table, **{column: (name, gaps[turn % len(gaps)])}))
    # pairs in two columns
    for turn, name in enumerate(NUMBERS):
        other = list(NUMBERS)[(turn + 11) % len(NUMBERS)]
        if turn % 2:
            found.append(dirty(table, rate=name, income=other))
    found += [
        dirty(table, income="wide digits", temperature=("unicode minus", "blanks around")),
        dirty(table, temperature=("°C", "blanks around", "1 % of ?")),
    ]
    # targets
    for name in (
        "thousands by comma", "thousands by blank", "decimal comma", "dollars", "USD behind",
        "blanks around", "scientific", "wide digits", "plus signs",
        "thousands by point", "thousands by apostrophe",
    ):  # fmt: skip
        found.append(dirty(table, price=name))
    found.append(dirty(table, price="euros behind", income="thousands by point"))
    found.append(dirty(shops(), 价格="元 behind"))
    for name in _BLANKS:
        found.append(dirty(patients(), risk=name))
    # categories
    for name in (*BOOLEANS, *_BLANKS):
        found.append(dirty(patients(), smoker=name))
    for word in ("?", "未知", "unknown", "empty cells"):
        found.append(dirty(patients(), region=f"1 % of {word} among words", weight="kg"))
    found += [
        dirty(patients(), smoker="blanks around words", region="blanks around words"),
        dirty(patients(), smoker="TRUE and FALSE", weight=("decimal comma", "1 % of missing")),
    ]
    # dates
    for name in DATES:
        found.append(dirty(visits(), when=name, clock="times of day"))
    for name in CLOCKS:
        found.append(dirty(visits(), clock=name, when="ISO dates", x="decimal comma"))
    found += [
        dirty(visits(), when=("dd.mm.yyyy HH:MM", "1 % of ?"), clock="times of day"),
        dirty(visits(), when=("2023年5月1日", "1 % of 未知"), clock="times with seconds"),
        dirty(visits(), when=("ISO dates", "a stray word"), clock=("times of day", "1 % of -")),
    ]
    # codes and Chinese words
    found += [
        Dirt("parts, codes with leading zeros", parts(), parts().columns),
        dirty(parts(), code="blanks around words", x="decimal comma"),
        dirty(shops(), 面积="m²"),
        dirty(shops(), 面积="wide digits", 会员="TRUE and FALSE"),
        dirty(shops(), 面积=("thousands by comma", "1 % of 未知"), 城市="blanks around words"),
    ]
    return found
