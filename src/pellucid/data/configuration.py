"""An estimator's parameters from a file or from ``name=value``: a map is a configuration."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pellucid.checks import shown

_REASONS = {errno.ENOENT: "it does not exist", errno.EISDIR: "it is a folder"}
_WORDS = {"true": True, "false": False, "null": None}
_VALUES = (bool, int, float, str, list, tuple, dict, type(None))

# YAML 1.1 reads 1e-3 as text, since it has no point; nobody who writes it means text.
_YAML_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def read_configuration(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The parameters by name in a UTF-8 file: ``*.json``, ``*.toml``, ``*.yaml`` or ``*.yml``.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file is not there or cannot be read.
    ValueError
        If it is of another kind, is not well-formed, or holds no map.
    ImportError
        If it is YAML and pyyaml is not installed.
    """
    name = os.fspath(path)
    parse = _PARSERS.get(Path(path).suffix.lower())
    if parse is None:
        raise ValueError(
            f"configuration must be a file ending in {', '.join(_PARSERS)}. Got '{name}'."
        )
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise type(error)(f"configuration '{name}' cannot be read: {reason}.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"configuration '{name}' must be UTF-8 text. Save it as UTF-8.") from error
    try:
        configuration = parse(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"configuration '{name}' is not well-formed: {_reason(error)}.") from error
    if not isinstance(configuration, dict) or not all(isinstance(k, str) for k in configuration):
        raise ValueError(
            f"configuration '{name}' must be a map from parameter names to values. "
            f"Got {shown(configuration)}."
        )
    return configuration


def parse_setting(text: str) -> tuple[str, Any]:
    """Name and value of ``name=value``.

    The value is read as JSON or as a Python literal (numbers, ``true``, ``None``, ``(64, 32)``,
    ``[1, 2]``, ``"quoted"``); all else is text.

    Raises
    ------
    ValueError
        If `text` has not that form.

    Examples
    --------
    >>> parse_setting("hidden_dim=(64, 32)")
    ('hidden_dim', (64, 32))
    >>> parse_setting("learning_rate=1e-3")
    ('learning_rate', 0.001)
    >>> parse_setting("activation=tanh")
    ('activation', 'tanh')
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name.isidentifier():
        raise ValueError(
            f"a setting must have the form name=value, as in hidden_dim=64. Got {shown(text)}."
        )
    return name, _value(value)


def _value(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    for read in (json.loads, ast.literal_eval):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes and suffixes that are no literals
                value = read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(value, _VALUES):
            return value
    return text


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError(
            'A YAML configuration needs pyyaml. Run: pip install "pellucid[yaml]"'
        ) from error

    class Loader(yaml.SafeLoader):
        """Plain values only, and numbers such as 1e-3 read as numbers."""

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _YAML_FLOAT, list("-+.0123456789"))
    try:
        return yaml.load(text, Loader)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"{problem or error}{place}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    reason = " ".join(str(error).split()).rstrip(".")
    return reason[:1].lower() + reason[1:]


_PARSERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
}
