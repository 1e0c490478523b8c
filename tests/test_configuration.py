"""Configurations in three languages, and settings from the command line."""

from __future__ import annotations

import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.configuration import parse_setting, read_configuration

WANTED = {
    "hidden_dim": [64, 32],
    "dropout": 0.1,
    "learning_rate": 1e-3,
    "activation": "tanh",
    "early_stopping": False,
}
TEXTS = {
    "c.json": '{"hidden_dim": [64, 32], "dropout": 0.1, "learning_rate": 1e-3,\n'
    ' "activation": "tanh", "early_stopping": false}',
    "c.toml": "hidden_dim = [64, 32]\ndropout = 0.1\nlearning_rate = 1e-3\n"
    'activation = "tanh"\nearly_stopping = false\n',
    "c.yaml": "hidden_dim: [64, 32]\ndropout: .1\nlearning_rate: 1e-3\n"
    "activation: tanh\nearly_stopping: false\n",
    "c.YML": "hidden_dim:\n- 64\n- 32\ndropout: 1.0e-1\nlearning_rate: 1E-3\n"
    "activation: 'tanh'\nearly_stopping: no\n",
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_each_language_gives_the_same_map(tmp_path, name, mark):
    path = tmp_path / name
    path.write_text(mark + TEXTS[name], encoding="utf-8")
    assert read_configuration(path) == read_configuration(str(path)) == WANTED


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.json", '{"a": 1,}', r"'.*c.json' is not well-formed: .*line 1 column"),
        ("c.json", "[" * 10**5, "is not well-formed: it is nested too deeply"),
        ("c.json", "[1]", r"must be a map from parameter names to values. Got \[1\]"),
        ("c.json", "", "is not well-formed: expecting value"),
        ("c.toml", "a = 1\na = 2", "c.toml' is not well-formed: .*a value"),
        ("c.yaml", "a: [1\nb: 2", r"c.yaml' is not well-formed: .*\(line 2, column 2\)"),
        ("c.yaml", "!!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("c.yaml", "1: 2", "must be a map from parameter names"),
        ("c.yaml", "", "must be a map from parameter names to values. Got None"),
        ("c.ini", "a=1", "must be a file ending in .json, .toml, .yaml, .yml. Got '.*c.ini'"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, name, text, words):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words) as caught:
        read_configuration(path)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="c.json' cannot be read: it does not exist"):
        read_configuration(tmp_path / "c.json")
    (tmp_path / "d.json").mkdir()
    with pytest.raises(IsADirectoryError, match="d.json' cannot be read: it is a folder"):
        read_configuration(tmp_path / "d.json")
    (tmp_path / "e.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="e.json' must be UTF-8 text"):
        read_configuration(tmp_path / "e.json")


def test_yaml_without_pyyaml_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / "c.yaml").write_text("a: 1")
    there = builtins.__import__

    def absent(name, *arguments, **others):
        if name == "yaml":
            raise ImportError(name)
        return there(name, *arguments, **others)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=r'Run: pip install "pellucid\[yaml\]"'):
        read_configuration(tmp_path / "c.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=64", 64),
        ("a=1e-3", 1e-3),
        (" a = -2.5 ", -2.5),
        ("a=true", True),
        ("a=False", False),
        ("a=null", None),
        ("a=None", None),
        ("a=(64, 32)", (64, 32)),
        ("a=64,32", (64, 32)),
        ("a=[64, 32]", [64, 32]),
        ('a={"0": 1.5}', {"0": 1.5}),
        ("a={0: 1.5}", {0: 1.5}),
        ("a=relu", "relu"),
        ('a="64"', "64"),
        ("a='full'", "full"),
        ("a=b=c", "b=c"),
        ("a=", ""),
        ("a=(64, 32", "(64, 32"),
        ("a=b'x'", "b'x'"),
        ("a={1, 2}", "{1, 2}"),
        ("a=0x1for x", "0x1for x"),
        (r"a='\d'", r"\d"),
    ],
)
def test_values_of_settings(text, value):
    name, found = parse_setting(text)
    assert (name, found, type(found)) == ("a", value, type(value))


@pytest.mark.parametrize("text", ["", "hidden_dim", "=64", "hidden dim=64", "hidden-dim=64"])
def test_what_is_no_setting(text):
    with pytest.raises(ValueError, match="must have the form name=value, as in hidden_dim=64. Got"):
        parse_setting(text)


@given(st.text())
def test_any_text_is_a_value(text):
    name, _ = parse_setting("a=" + text)
    assert name == "a"
