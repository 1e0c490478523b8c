"""``pellucid fit --checkpoint``."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from stopped_fits import SOURCE

import pellucid
from pellucid.cli.main import application
from pellucid.training.loop import Trainer
from pellucid.training.slots import MAGIC, Slots

pytestmark = pytest.mark.usefixtures("own_folder")
PENGUINS = Path(__file__).parents[1] / "examples" / "penguins.csv"


def invoke(*arguments):
    return CliRunner().invoke(application, list(map(str, arguments)))


COMMAND = ("fit", PENGUINS, "--target", "species", "--max-epochs", "3", "--checkpoint", "c.ckpt")


def test_the_command_again_returns_at_once_and_writes_all(monkeypatch):
    first = invoke(*COMMAND)
    assert first.exit_code == 0 and MAGIC == Path("c.ckpt").read_bytes()[: len(MAGIC)]
    digest = pellucid.load("penguins.safetensors").digest_
    os.remove("penguins.safetensors")
    monkeypatch.setattr(Trainer, "training_pass", None)
    again = invoke(*COMMAND, "--checkpoint-every", "5", "--report", "page.html")
    assert again.exit_code == 0, again.output
    assert "'c.ckpt' holds this fit, which is done" in again.output
    assert pellucid.load("penguins.safetensors").digest_ == digest
    assert Path("page.html").stat().st_size > 10_000
    wrong = invoke(*COMMAND, "--learning-rate", "0.5")
    assert wrong.exit_code != 0 and "its learning_rate is 0.003, and here it is 0.5" in " ".join(
        wrong.output.split()
    )


def test_the_command_line_refuses_a_checkpoint_that_has_no_place():
    for words, *more in (
        ("--checkpoint-every needs --checkpoint FILE.", "--checkpoint-every", "5"),
        ("is written to by another option too", "--checkpoint", "m", "-o", "m"),
        ("is written to by another option too", "--checkpoint", "m", "-o", "m.before"),
        ("no' does not exist", "--checkpoint", "no/c"),
    ):
        done = invoke("fit", PENGUINS, "--target", "species", *more)
        assert done.exit_code != 0 and words in " ".join(done.output.split())


def test_sigterm_ends_the_command_with_143(tmp_path):
    """Its checkpoint is of the middle of the training, and no model was saved."""
    command = [sys.executable, "-m", "pellucid", *map(str, COMMAND)]
    command[command.index("3")] = "4000"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    said = open("said", "w+", encoding="utf-8")
    process = subprocess.Popen(
        [*command, "--checkpoint-every", "0.01"], env=environment, stdout=said, stderr=said
    )
    while not Path("c.ckpt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    assert process.wait(60) == 143
    said.seek(0)
    assert "To go on from 'c.ckpt', do the same again." in said.read()
    said.close()
    steps = Slots("c.ckpt", 1).read()["training"]["steps"]
    assert 0 < steps < 4000 * 9 and not Path("penguins.safetensors").exists()
