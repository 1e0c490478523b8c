"""What all drawings share: matplotlib found, names in any script, and files."""

from __future__ import annotations

import io
import logging
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pellucid.checks import fault, file_name, listing
from pellucid.files import write_whole

# families with Chinese, Japanese and Korean, asked before all others, those of a system together
_FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK TC", "Noto Sans CJK KR", "Noto Sans SC",
    "Source Han Sans SC", "Source Han Sans CN", "Source Han Sans", "Source Han Sans JP",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
    "Microsoft YaHei", "SimHei", "DengXian", "Microsoft JhengHei", "Yu Gothic", "Meiryo",
    "Malgun Gothic", "SimSun",
    "PingFang SC", "Hiragino Sans GB", "Hiragino Sans", "Heiti SC", "Heiti TC", "STHeiti",
    "Apple SD Gothic Neo", "Arial Unicode MS",
)  # fmt: skip
_LATIN = "DejaVu Sans"  # comes with matplotlib
_BOXES = ("Last Resort", "LastResort")  # begin the names of fonts that have a box for everything
_UNKNOWN = "\N{WHITE SQUARE}"


def new_figure(what: str, width: float, height: float) -> Any:
    """A matplotlib Figure of so many inches: no window, no global state.

    Raises
    ------
    ImportError
        If matplotlib is not installed; `what` begins its sentence.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f'{what} needs matplotlib, which is not installed. Run: pip install "pellucid[plot]"'
        ) from error
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def finish(figure: Any, path: str | os.PathLike[str] | None = None, title: str = "") -> Any:
    """Put a title above `figure`, see that all its names can be read, and write it to `path`."""
    if title:
        figure.suptitle(_broken(title, int(11 * figure.get_figwidth())))
    make_readable([figure])
    if path is not None:
        save(figure, path)
    return figure


def make_readable(parts: Sequence[Any]) -> None:
    """See that all names in these parts of a figure can be read: axes, subfigures or all of it.

    Names are drawn as they stand: a "$" begins no formula. A character that the usual font lacks is
    taken from an installed one that has it; where none has, a square stands for it, and matplotlib
    finds nothing to warn of, whenever the figure is drawn. Nothing changes for other figures.
    """
    from matplotlib.axis import Axis
    from matplotlib.text import Text
    from matplotlib.ticker import FixedLocator

    # labels that matplotlib writes itself, such as powers of ten, have no text yet
    texts = [text for part in parts for text in part.findobj(Text) if text.get_text()]
    usual = list(dict.fromkeys([*texts[0].get_family(), _LATIN])) if texts else []
    with _quiet():
        families, lacking = _families({c for text in texts for c in text.get_text()}, usual)
        shown = str.maketrans(dict.fromkeys(lacking, _UNKNOWN))
        for axis in (axis for part in parts for axis in part.findobj(Axis)):
            if isinstance(axis.get_major_locator(), FixedLocator):  # it writes its labels anew
                axis.set_ticklabels([t.get_text().translate(shown) for t in axis.get_ticklabels()])
        for text in texts:
            text.set(family=families, parse_math=False, usetex=False)
            text.set_text(text.get_text().translate(shown))
        if families != usual:  # so that matplotlib has looked for these fonts, once and for all
            texts[0].figure.figure.draw_without_rendering()  # the whole one, also of a subfigure


def save(figure: Any, path: str | os.PathLike[str], **options: Any) -> None:
    """Write a matplotlib figure into the picture `path`, whole or not at all.

    Raises
    ------
    TypeError, ValueError
        If `path` is no file's name, or its ending no format of a picture.
    OSError
        If the file cannot be written.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(fault("path", "a drawing", "the name of a file", path))
    known = figure.canvas.get_supported_filetypes()
    ending = Path(path).suffix.lower()[1:]
    if ending not in known:
        raise ValueError(
            f"a picture must have a name that ends in one of {listing(sorted(known))}. "
            f"Got {file_name(path)}."
        )
    picture = io.BytesIO()
    figure.savefig(picture, format=ending, **options)
    write_whole(path, picture.getvalue())


def short(name: object, width: int = 20) -> str:
    """`name` on one line, its middle left out where it is wider; Chinese characters count twice."""
    text = " ".join(str(name).split())
    if columns_of(text) <= width:
        return text
    head, tail = _begin(text, (width - 1) // 2), _begin(text[::-1], (width - 1) // 2)[::-1]
    return f"{head}…{tail}"


def columns_of(text: str) -> int:
    """The width of `text` in characters; Chinese ones count twice."""
    return sum(map(_columns, text))


def _begin(text: str, width: int) -> str:
    """As much of the beginning of `text` as fits."""
    for count, character in enumerate(text):
        width -= _columns(character)
        if width < 0:
            return text[:count]
    return text


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _broken(text: str, width: int) -> str:
    """`text` on several lines, broken at blanks where there are some."""
    lines = []
    while text:
        line = _begin(text, width)
        if len(line) < len(text) and " " in line.strip():
            line = line[: line.rindex(" ") + 1]
        lines.append(line.strip())
        text = text[len(line) :]
    return "\n".join(lines)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let matplotlib not tell that a font has another weight than the usual one."""
    logger = logging.getLogger("matplotlib.font_manager")

    def severe(record: logging.LogRecord) -> bool:
        return record.levelno > logging.WARNING

    logger.addFilter(severe)
    try:
        yield
    finally:
        logger.removeFilter(severe)


def _families(characters: set[str], usual: Sequence[str]) -> tuple[list[str], set[str]]:
    """The `usual` font families and those that have what they lack, and what none of them has."""
    from matplotlib import font_manager

    families = list(usual)
    lacking = _lacking(characters - {"\n"}, usual)
    for look in (_known_fonts, _new_fonts):
        if not lacking:
            break
        for name in look(font_manager):
            left = _lacking(lacking, [name])
            if left != lacking:
                families.append(name)
            lacking = left
            if not lacking:
                break
    return families, lacking


def _known_fonts(font_manager: Any) -> Iterable[str]:
    """The families that matplotlib knows, those with Chinese first."""
    names = {font.name for font in font_manager.fontManager.ttflist}
    others = sorted(name for name in names.difference(_FAMILIES) if not name.startswith(_BOXES))
    return [*filter(names.__contains__, _FAMILIES), *others]


def _new_fonts(font_manager: Any) -> Iterable[str]:
    """The families that were installed after matplotlib had made its list."""
    known = font_manager.fontManager.ttflist
    before, names = len(known), {font.name for font in known}
    for path in sorted(set(font_manager.findSystemFonts()).difference(f.fname for f in known)):
        try:
            font_manager.fontManager.addfont(path)
        except Exception:  # whatever is wrong with a font, it is not one to draw with
            continue
    return [font.name for font in known[before:] if font.name not in names]


def _lacking(characters: set[str], families: Sequence[str]) -> set[str]:
    """Those of `characters` that no font of these families has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    for family in families:
        if not characters:
            break
        try:
            path = findfont(FontProperties(family=family), fallback_to_default=False)
            font = get_font(path)
        except Exception:  # a font in a file that is gone or damaged has nothing
            continue
        characters = {c for c in characters if not font.get_char_index(ord(c))}
    return characters
