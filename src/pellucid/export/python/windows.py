"""What is done to windows of a series before a network reads them, as lines of Python."""

from __future__ import annotations

import json

import numpy as np

from pellucid.data import SequenceEncoder
from pellucid.data.table_plan import NumberColumn
from pellucid.export.input_words import CLOCK
from pellucid.export.python.inputs import InputCode, add_columns, quoted, readers
from pellucid.export.python.parts import call


def window_code(encoder: SequenceEncoder, spread: bool) -> InputCode:
    """How windows are encoded; with `spread` also what intervals need of their targets."""
    return _Windows(encoder).code(spread)


class _Windows:
    """The parts of one encoder of windows that the lines speak of."""

    def __init__(self, encoder: SequenceEncoder) -> None:
        assert encoder.windows is not None and encoder.series is not None
        self.encoder, self.table, self.about = encoder, encoder.table, encoder.series
        self.features, self.steps = encoder.windows, encoder.steps
        self.ahead = self.features.ahead
        self.whole = self.steps + self.ahead
        plan = enumerate(self.table.plan.columns)
        self.numeric = [place for place, column in plan if isinstance(column, NumberColumn)]

    def code(self, spread: bool) -> InputCode:
        """The facts and functions."""
        names, features = self.table.names, self.features
        code = InputCode(
            f"are windows: a map from the columns below to arrays (B, {self.steps}), oldest first"
            if names is not None
            else f"are windows (B, {self.steps}, {self.table.n_features}), oldest first",
            "windows" if features.targets else "dense",
        )
        add_columns(code, self.table)
        for place, column in enumerate(code.facts["columns"]):
            column["ahead"] = place in features.known
        self._say_what_else(code)
        if features.scaled:
            code.functions.append(self._numbers("scaled_numbers", features.scaled))
        if spread:
            code.functions.append(self._numbers("target_numbers", self.encoder.target_columns))
        given = self._given(code)
        lines = [given, *call("values = window_columns(", self._cut)]
        parts = [*self._scaled(code, lines), *self._others(code, lines)]
        lines += call("parts = [", parts, "]")
        shape = f"(B, {self.whole}, {features.width(self.table)})"
        if features.targets:
            code.encode(
                f"Windows as the network reads them, {shape}; level and scale of their targets.",
                *lines,
                "    x = np.concatenate(parts, axis=2)",
                f"    return x, level[:, {features.targets}], scale[:, {features.targets}]",
                returns="tuple[Array, Array, Array]",
            )
        else:
            last = "    return np.concatenate(parts, axis=2)"
            code.encode(f"Windows as the network reads them, {shape}.", *lines, last)
        return code

    @property
    def _cut(self) -> list[str]:
        return ["given", "COLUMNS", str(self.steps), str(self.ahead)]

    def _say_what_else(self, code: InputCode) -> None:
        """Name the columns beside those that are encoded: times, and what each series is called."""
        features, whole = self.features, self.whole
        if self.ahead:
            names = [column["name"] for column in code.facts["columns"] if column["ahead"]]
            listed = ", ".join(map(quoted, names[:5])) or "no column"
            code.constants.append(
                f"#  known {self.ahead} steps ahead, (B, {whole}): {listed}"[:100]
            )
        if features.cycles:
            time = self.about.get("time") or "time"
            code.facts["time"] = {"name": time, "written": None, "read": "clocks"}
            code.constants += [
                f"#  {quoted(time)}: (B, {whole}), of the steps ahead too, each a date in seconds",
                f"#  since 1970 {CLOCK}, or as datetime64 or ISO text",
                'TIME = FACTS["time"]',
            ]
        if self._grouped:
            code.facts["group"], code.facts["series"] = (
                {"name": self.about["group"]},
                features.series,
            )
            code.constants += [
                f"#  {quoted(self.about['group'])}: the name of each window's series, (B,)",
                'GROUP, SERIES = FACTS["group"], FACTS["series"]',
            ]

    @property
    def _grouped(self) -> bool:
        """Whether it makes a difference which series a window is of."""
        return self.about["group"] is not None and bool(self.features.scaled or self.features.told)

    def _given(self, code: InputCode) -> str:
        if self.table.names is None:
            return "    given = features_of_windows(rows, COLUMNS)"
        more = [("times", "TIME")] * bool(self.features.cycles)
        more += [("names", "GROUP")] * self._grouped
        if not more:
            return "    given = named_columns(rows, COLUMNS)"
        targets, columns = (", ".join(words) for words in zip(*more, strict=True))
        return f"    *given, {targets} = named_columns(rows, [*COLUMNS, {columns}])"

    def _numbers(self, name: str, columns: list[int]) -> str:
        """The function that gives some columns of numbers in all steps of the past."""
        places = [self.numeric.index(column) for column in columns]
        shape = f"(B, {self.steps}, {len(places)})"
        lines = [
            f"def {name}(values: list[Any]) -> Array:",
            f'    """Numbers of columns {columns}, {shape}, before they are scaled."""',
            *call("x = number_matrix(", ["values", "COLUMNS", readers(self.table)]),
            f"    x = x[:, {places}].reshape(-1, {self.whole}, {len(places)})[:, :{self.steps}]",
        ]
        if transform := self.features.transform:
            targets = self.encoder.target_columns
            own = [place for place, column in enumerate(columns) if column in targets]
            lines.append(f"    x[:, :, {own}] = {transform}_of(x[:, :, {own}])")
        return "\n".join([*lines, "    return x"])

    def _scaled(self, code: InputCode, lines: list[str]) -> list[str]:
        """Numbers in the window's own scale."""
        features = self.features
        if features.scaled or features.told:
            none = "np.zeros(len(given[0]), dtype=np.int64)"
            lines.append(f"    own = {'series_numbers(names, SERIES)' if self._grouped else none}")
        if not features.scaled:
            return []
        code.arrays |= {"levels": features.levels, "scales": features.scales}
        lines += [
            "    scaled = scaled_numbers(values)",
            '    level, scale = level_and_scale(scaled, own, P["levels"], P["scales"])',
        ]
        if features.scaling == "window":
            lines.append("    scale = np.fmax(deviations(scaled), 0.05 * scale)")
        return [f"relative(scaled, level, scale, {self.ahead})"]

    def _others(self, code: InputCode, lines: list[str]) -> list[str]:
        """What windows hold beside such numbers."""
        features, table, whole = self.features, self.table, self.whole
        parts = []
        columns = list(zip(table.output_columns, table.are_flags, strict=True))
        kept = [
            place for place, (column, flag) in enumerate(columns)
            if flag or column not in features.scaled
        ]  # fmt: skip
        if kept:
            lines.append(f"    x = encode_columns(values).reshape(-1, {whole}, {table.n_outputs})")
            if len(kept) < len(columns):
                code.facts["kept"] = kept
                lines.append('    x = x[:, :, FACTS["kept"]]')
            part = "x"
            if self.ahead:
                known = [columns[place][0] in features.known for place in kept]
                code.arrays["known"] = np.array(known, dtype=np.float64)
                part = f'only_known(x, P["known"], {self.steps})'
            parts.append(part)
        if features.cycles:
            parts.append(
                f"calendar(time_of_windows(times, TIME, {whole}), {json.dumps(features.cycles)})"
            )
        if features.told:
            lines.append("    told = own[:, None] == np.arange(len(SERIES))")
            parts.append(f"np.repeat(told[:, None], {whole}, axis=1)")
        if self.ahead:
            lines.append(f"    lies_ahead = np.arange({whole})[:, None] >= {self.steps}")
            parts.append("np.repeat(lies_ahead[None], len(given[0]), axis=0)")
        return parts
