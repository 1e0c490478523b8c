"""Progress: a bar on a terminal, some lines elsewhere, silence when asked."""

import io
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from pellucid.terminal import width
from pellucid.training.notebook import Cell
from pellucid.training.progress import Progress, described, short_count, short_loss, short_time


class Terminal(io.StringIO):
    def isatty(self):
        return True


def row(epoch, **more):
    return {"epoch": epoch, "loss": 0.51239, "rows_per_second": 123456.0, **more}


FULL = {"accuracy": 0.91234, "validation_loss": 0.61239, "validation_accuracy": 0.81234}


def shown(verbose, epochs, stream, *, stop=None, **more):
    """What a fit of `epochs`, stopped after `stop`, prints."""
    with Progress(verbose, epochs, 100, stream) as progress:
        for epoch in range(1, (stop or epochs) + 1):
            progress.advance(50, 0.7)
            progress.epoch(row(epoch, **more))
        progress.close(f"all {epochs} epochs done")
    return stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["file", "terminal"])
def test_silent(stream):
    with Progress(0, 5, 100, stream) as progress:
        progress.note("compiling kernels")
        progress.epoch(row(1))
        progress.close("done")
    assert stream.getvalue() == ""


def test_about_ten_lines_where_there_is_no_terminal():
    lines = shown(1, 200, io.StringIO(), **FULL).splitlines()
    epochs = [int(line.split()[1].split("/")[0]) for line in lines[:-1]]
    assert epochs == [1, *range(20, 201, 20)]
    assert lines[0].startswith(
        "epoch   1/200  loss 0.5124  acc 0.912  val 0.6124 0.812  123k rows/s"
    )
    assert lines[-1].startswith("all 200 epochs done, ") and lines[-1].endswith(" s")


@pytest.mark.parametrize("epochs", [1, 2, 3, 9, 10, 11, 19, 20, 55, 1000])
def test_the_first_and_last_epochs_are_always_there(epochs):
    lines = shown(1, epochs, io.StringIO()).splitlines()[:-1]
    assert f" 1/{epochs} " in lines[0]
    assert f"{epochs}/{epochs}" in lines[-1]
    assert min(epochs, 9) <= len(lines) <= 14


def test_a_line_an_epoch():
    assert len(shown(2, 30, io.StringIO()).splitlines()) == 31
    assert len(shown(2, 30, Terminal()).splitlines()) == 31  # even on a terminal


def test_lines_fit_in_eighty_columns():
    lines = shown(2, 9999, io.StringIO(), stop=50, **FULL).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert all(line.endswith(" left") and " rows/s " in line for line in lines[:-1])


numbers = st.floats() | st.floats(0, 10) | st.floats(0, 1e6)


@settings(derandomize=True, max_examples=300)
@given(
    st.fixed_dictionaries(
        {"epoch": st.integers(1, 10**9), "loss": numbers, "rows_per_second": numbers},
        optional={
            "accuracy": st.floats(0, 1),
            "validation_loss": numbers,
            "validation_accuracy": st.floats(0, 1),
        },
    ),
    st.integers(1, 10**9),
    st.sampled_from([1, 2]),
    st.text(
        st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="/\\"), max_size=300
    ),
)
def test_whatever_the_numbers_are_lines_fit_in_eighty_columns(row, epochs, verbose, text):
    stream = io.StringIO()
    with Progress(verbose, epochs, 100, stream) as progress:
        progress.note(text)
        progress.epoch(row)
        progress.close(text)
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    (line,) = [each for each in lines if described(row) in each]
    assert line.startswith("epoch ") and f" {row['epoch']}/" in line


def test_the_last_epoch_is_shown_when_stopped_early():
    lines = shown(1, 200, io.StringIO(), stop=33).splitlines()
    epochs = [int(line.split()[1].split("/")[0]) for line in lines[:-1]]
    assert epochs == [1, 20, 33]


def test_what_was_before_the_first_epoch_says_nothing_of_the_pace(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    stream = io.StringIO()
    with Progress(2, 11, 100, stream) as progress:
        clock[0] = 1000.0  # compiled for so long
        progress.begin()
        clock[0] = 1001.0
        progress.epoch(row(1))
    assert stream.getvalue().endswith("  10 s left\n")


def test_epochs_of_fits_before_count():
    # a warm start, or one call of partial_fit of many
    stream = io.StringIO()
    with Progress(2, 2, 100, stream) as progress:
        progress.epoch(row(61))
        progress.epoch(row(62))
    assert [line[:12] for line in stream.getvalue().splitlines()] == [
        "epoch 61/62 ",
        "epoch 62/62 ",
    ]


def test_lines_are_plain():
    text = shown(1, 50, io.StringIO(), **FULL)
    assert "\r" not in text and "\x1b" not in text


def test_a_bar_on_a_terminal():
    stream = Terminal()
    with Progress(1, 4, 100, stream) as progress:
        progress.note("compiling kernels (once on this machine) ...")
        for epoch in range(1, 5):
            progress.epoch(row(epoch, **FULL))
        progress.close("all 4 epochs done")
    text = stream.getvalue()
    assert "compiling kernels (once on this machine) ...\n" in text
    assert "4/4" in text and "loss 0.5124  acc 0.912  val 0.6124 0.812" in text
    assert "123k rows/s" in text and " left  " in text
    assert text.splitlines()[-1].startswith("all 4 epochs done")


def test_the_bar_fits_in_eighty_columns(monkeypatch):
    monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda stream: (80, 24))
    text = shown(1, 2000, Terminal(), stop=3, **FULL)
    drawn = text.replace("\n", "\r").split("\r")
    assert max(map(len, drawn)) <= 80
    assert any("val 0.6124 0.812  123k rows/s" in each and "left" in each for each in drawn)


def test_the_bar_moves_within_an_epoch(monkeypatch):
    stream, now = Terminal(), [0.0]
    monkeypatch.setattr("pellucid.training.progress.time.perf_counter", lambda: now[0])
    with Progress(1, 2, 100, stream) as progress:
        for done in (25, 50, 75, 100):
            now[0] += 1.0
            progress.advance(done, done / 100)
        assert "loss 0.2500" in stream.getvalue() and "loss 0.7500" in stream.getvalue()
        assert "loss 1.0000" not in stream.getvalue()  # the epoch's own row comes at once
        assert progress._bar.n == 0.75
        progress.advance(20, 0.2)
        now[0] += 0.01
        progress.advance(10, 0.1)
        assert "loss 0.2000" in stream.getvalue()
        assert "loss 0.1000" not in stream.getvalue()  # ten times a second are enough


def test_the_bar_ends_with_the_last_epoch_when_stopped_early():
    stream = Terminal()
    with Progress(1, 100, 100, stream) as progress:
        for epoch in range(1, 8):  # quicker than the bar is drawn
            progress.epoch({**row(epoch), "loss": float(epoch)})
        progress.close("no better validation loss for 3 epochs")
    bar = stream.getvalue().split("\r")[-1]
    assert bar.startswith("7/100") and "loss 7.0000" in bar


def test_the_time_left_of_a_fit_that_goes_on_is_that_of_its_own_epochs(monkeypatch):
    stream, now = Terminal(), [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    monkeypatch.setattr("pellucid.training.progress.time.perf_counter", lambda: now[0])
    with Progress(1, 20, 100, stream) as progress:
        now[0] += 50.0  # to compile
        progress.begin(10)
        now[0] += 2.0
        progress.epoch(row(11))
        bar = stream.getvalue().split("\r")[-1]
    assert bar.startswith("11/20") and " 00:18 left" in bar


def test_no_bar_stays_where_nothing_was_left_to_train():
    stream = Terminal()
    with Progress(1, 40, 100, stream) as progress:
        progress.close("all 40 epochs done")
    *_, bar, line = stream.getvalue().split("\r")
    assert not bar.strip() and line.startswith("all 40 epochs done, ")


def test_the_bar_is_closed_when_the_fit_fails():
    stream = Terminal()
    with pytest.raises(RuntimeError, match="broken"), Progress(1, 4, 100, stream) as progress:
        raise RuntimeError("broken")
    assert progress._bar is None


def test_standard_error_is_the_one_of_the_moment(capsys):
    with Progress(1, 1, 10) as progress:
        progress.note("hello")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_a_stream_that_can_only_write():
    class Log:
        lines = []

        def write(self, text):
            self.lines.append(text)

        def flush(self):
            pass

    with Progress(1, 1, 10, Log()) as progress:
        progress.note("hello")
    assert "".join(Log.lines) == "hello\n"


def test_a_program_without_a_console(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Progress(1, 1, 10) as progress:
        progress.note("hello")
        progress.epoch(row(1))
        progress.close("done")


@pytest.mark.parametrize(
    "loss, text",
    [(0.0, "0.0000"), (0.69314, "0.6931"), (0.001, "0.0010"), (9999.0, "9999.0000"),
     (1.234e-5, "1.234e-05"), (12345678.9, "1.235e+07"), (1e300, "1.000e+300"),
     (float("inf"), "inf"), (float("nan"), "nan")],
)  # fmt: skip
def test_losses_in_ten_characters(loss, text):
    assert short_loss(loss) == text and len(text) <= 10


@pytest.mark.parametrize(
    "seconds, text",
    [(0, "0 s"), (99.4, "99 s"), (99.6, "2 min"), (5000, "83 min"), (7200, "2 h"),
     (86400 * 5, "5 d"), (86400 * 12345, "12.3k d")],
)  # fmt: skip
def test_times_in_a_few_characters(seconds, text):
    assert short_time(seconds) == text


def test_a_row_in_words():
    assert described({"loss": 1.0}) == "loss 1.0000"
    assert described({"loss": 1.0, "validation_loss": 2.0}) == "loss 1.0000  val 2.0000"


@pytest.mark.parametrize(
    "number, text",
    [(0, "0"), (850, "850"), (999.4, "999"), (999.6, "1k"), (12345, "12.3k"), (999960, "1M"),
     (4.56e6, "4.56M"), (7e9, "7G"), (3e12, "3e+12")],
)  # fmt: skip
def test_counts_in_five_characters(number, text):
    assert short_count(number) == text and len(text) <= 5


class Notebook:
    """What a notebook shows: its displays, each with the texts that it had."""

    def __init__(self):
        self.displays = []

    def display(self, data, raw, display_id):
        assert raw and display_id
        shown = [data["text/plain"]]
        self.displays.append(shown)
        return SimpleNamespace(update=lambda data, raw: shown.append(data["text/plain"]))


@pytest.mark.parametrize("verbose", (1, 2))
def test_a_notebook_shows_one_display_that_is_updated(verbose):
    notebook = Notebook()
    cell = Cell(notebook.display)
    Progress(verbose, 1, 1, cell).note("compiling kernels ...")
    assert notebook.displays == [["compiling kernels ..."]]
    with Progress(verbose, 30, 100, cell) as progress:
        progress.note("a note")
        for epoch in range(1, 31):
            progress.advance(50, 0.7)
            progress.epoch(row(epoch, **FULL))
        progress.close("all 30 epochs done")
    (texts,) = notebook.displays
    lines = texts[-1].splitlines()
    assert lines[:2] == ["compiling kernels ...", "a note"]
    assert lines[-1].startswith("all 30 epochs done, ")
    if verbose == 1:  # one line for all epochs
        assert len(lines) == 4 and lines[2].startswith("30/30 ")
        assert "loss 0.5124  acc 0.912  val 0.6124 0.812" in lines[2] and len(lines[2]) <= 80
    else:
        assert len(lines) == 33 and len(texts) < 20  # not a message an epoch


def test_a_fit_that_fails_in_a_notebook_shows_how_far_it_came():
    notebook = Notebook()
    with pytest.raises(RuntimeError), Progress(1, 4, 9, Cell(notebook.display)) as progress:
        for epoch in range(1, 4):
            progress.epoch(row(epoch))
        raise RuntimeError("broken")
    (texts,) = notebook.displays
    assert "/4 " in texts[-1]


def test_other_bars_around_it_do_not_move_the_one_of_a_notebook():
    notebook, outer = Notebook(), tqdm(total=2, file=io.StringIO())
    with Progress(1, 2, 100, Cell(notebook.display)) as progress:
        progress.epoch(row(1))
        progress.epoch(row(2))
        progress.close("done")
    outer.close()
    assert [len(texts[-1].splitlines()) for texts in notebook.displays] == [2]


def test_notes_of_wide_characters_fit_too():
    stream = io.StringIO()
    Progress(1, 1, 1, stream).note("收入" * 60)
    assert max(map(width, stream.getvalue().splitlines())) <= 80
