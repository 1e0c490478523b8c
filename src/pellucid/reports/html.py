"""The page as one file of HTML: template, style, scripts, words and data put together.

The file asks for nothing from anywhere, and its content security policy forbids that it ever does:
one script and one style run, those with the hashes written in it. Names from the user's data are in
the JSON alone, where no character can end the element that holds it, and in the title.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

# In the order in which they stand on one another
_STYLES = ("page.css", "charts.css", "walk.css")
_SCRIPTS = (
    "core.js", "formula.js", "charts.js", "plots.js", "grid.js",
    "arithmetic.js", "windows.js", "recurrence.js", "formulas.js", "walk_parts.js",
    "walk_layers.js", "walk_windows.js", "walk_recurrent.js", "walk_loss.js", "walk.js",
    "model.js", "outcome.js", "page.js",
)  # fmt: skip
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")  # in JSON in HTML; and halves of characters


def html(data: dict[str, Any], lang: str | None = None) -> str:
    """The page that shows `data`, of the form that docs/report.md tells of.

    Parameters
    ----------
    data : dict
        What :attr:`pellucid.reports.Report.data` is.
    lang : {"en", "zh"}, optional
        The language in which the page opens; that of `data` where it is not given, and where
        that has none the browser's.
    """
    chosen = lang or data["lang"]
    style, script = _joined(_STYLES), _joined(_SCRIPTS)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Template(_text("template.html")).substitute(
        policy=policy,
        lang="zh-Hans" if chosen == "zh" else "en",
        opens="browser" if chosen is None else "chosen",
        title=escape(str(data["title"]).encode("utf-8", "replace").decode()),
        style=style,
        script=script,
        words=_embedded(words()),
        data=_embedded(data),
    )


def words() -> dict[str, dict[str, str]]:
    """All phrases of the page: ``{"en": {key: phrase}, "zh": {key: phrase}}``."""
    return json.loads((files("pellucid.reports") / "words.json").read_text(encoding="utf-8"))


def _text(name: str) -> str:
    return (files("pellucid.reports") / "page" / name).read_text(encoding="utf-8")


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join(_text(name) for name in names)


def _hash(text: str) -> str:
    """The name of an inline script or style in a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _embedded(value: Any) -> str:
    """JSON that can stand between two tags whatever texts are in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
