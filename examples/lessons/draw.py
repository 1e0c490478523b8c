"""Draws the lessons' pictures anew: ``python examples/lessons/draw.py`` after a page has changed.

Runs each English page and keeps the PNG file that it writes, in so few colours that it stays small.
It goes to docs/images/lessons, where the pages of both languages show it.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import shutil
import tempfile
from pathlib import Path

from make import ROOT, pages
from PIL import Image

PICTURES = ROOT / "docs" / "images" / "lessons"
COLORS = 256


def run(page: Path) -> None:
    """Run the examples of a page in the current folder; what comes out is compared elsewhere."""
    names: dict[str, object] = {}
    for example in doctest.DocTestParser().get_examples(page.read_text(encoding="utf-8")):
        if example.exc_msg is None:
            exec(compile(example.source, str(page), "exec"), names)


def main() -> None:
    """Draw all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for page in (page for page in pages() if page.startswith("docs/lessons/")):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "examples", Path(folder, "examples"))
            os.chdir(folder)
            with contextlib.redirect_stdout(None):
                run(ROOT / page)
            (drawn,) = Path(folder).glob("*.png")
            colors = Image.open(drawn).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
            colors.save(PICTURES / f"{Path(page).stem}.png", optimize=True)
            os.chdir(ROOT)


if __name__ == "__main__":
    main()
