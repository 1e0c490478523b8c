"""``pellucid fit photos/ --on-disk``: the model and the test are those in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_cli import fails, run
from test_picture_fit import damage, pictures

from pellucid import load

SMALL = ["--set", "max_epochs=2", "--set", "channels=[3]", "--set", "hidden_dim=4"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return pictures(Path("photos"))


def test_it_is_the_fit_in_memory():
    facts, models = [], []
    damage(Path("photos/dark/03.png"))
    for more in (["--set", "shuffle=blocks"], ["--on-disk"], ["--on-disk"]):
        ask = ["fit", "photos", *SMALL, "--set", "on_error=skip", *more, "--json"]
        facts.append(json.loads(run(*ask)))
        models.append(load("photos.safetensors"))
    assert len({model.digest_ for model in models}) == 1
    for name in ("test", "rows", "columns"):
        assert facts[0][name] == facts[1][name] == facts[2][name], name
    assert Path("photos.cache").exists()


def test_the_cache_is_said_and_removed():
    ask = ["fit", "photos", *SMALL, "--on-disk", "--cache", "here.cache"]
    assert "The cache stays in here.cache" in " ".join(run(*ask).split())
    assert Path("here.cache").exists()
    assert "The cache here.cache is removed" in " ".join(run(*ask, "--remove-cache").split())
    assert not Path("here.cache").exists()


def test_mistakes_are_drawn():
    run("fit", "photos", *SMALL, "--on-disk", "--mistakes", "wrong.png")
    assert Path("wrong.png").stat().st_size > 1000


def test_a_set_in_parts():
    for part in ("train", "test"):
        pictures(Path("set") / part, count=4)
    text = " ".join(run("fit", "set", *SMALL, "--on-disk").split())
    assert "8 pictures in 2 class folders of train/" in text and "Test on 8 pictures of" in text


def test_other_networks_are_refused():
    assert "must be cnn for a folder of pictures" in fails(
        "fit", "photos", "--on-disk", "--network", "fcnn"
    )
