"""The group of commands; bad input ends it with one line and the exit code 2."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import click

from pellucid import __version__
from pellucid.cli.card import card
from pellucid.cli.compile import compile_kernels
from pellucid.cli.evaluate import evaluate
from pellucid.cli.export import export
from pellucid.cli.fit import fit
from pellucid.cli.predict import predict
from pellucid.cli.report import report
from pellucid.cli.search import search
from pellucid.cli.summary import summary
from pellucid.terminal import filled

# What the library raises on bad input. All else is a fault of the library: its traceback shows.
_BAD_INPUT = (ValueError, TypeError, OSError, ImportError, ArithmeticError, MemoryError)


class _Application(click.Group):
    """A group whose errors are one line each."""

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> Any:
        """Run a command and exit with its code."""
        code: Any = 2
        run: Any = super().main
        try:
            with _spoken_warnings():
                code = run(*args, standalone_mode=False, **kwargs)
        except click.Abort:
            _say("pellucid: stopped.")
            code = 130
        except click.UsageError as error:
            page = error.ctx.command_path if error.ctx else "pellucid"
            _say(f"pellucid: error: {_sentence(error.format_message())} See '{page} --help'.")
        except click.ClickException as error:
            _say(f"pellucid: error: {_sentence(error.format_message())}")
        except _BAD_INPUT as error:
            if "--debug" in (kwargs.get("args") or sys.argv):
                raise
            if _was_interrupted(error):
                _say("pellucid: stopped.")
                code = 130
            else:
                _say(f"pellucid: error: {_sentence(str(error) or type(error).__name__)}")
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C led to `error`: some libraries' imports make an ImportError of it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _sentence(text: str) -> str:
    """`text` on one line, ending as a sentence does."""
    line = " ".join(text.split())
    return line if line.endswith((".", "?", "!")) else f"{line}."


def _say(text: str) -> None:
    click.echo(text, err=True)


@contextlib.contextmanager
def _spoken_warnings() -> Iterator[None]:
    """Show a warning without its place in the code."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        _say(filled(f"pellucid: warning: {_sentence(str(message))}", 2))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@click.group(
    cls=_Application,
    invoke_without_command=True,
    context_settings={"max_content_width": 80, "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="pellucid %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def application(context: click.Context, debug: bool) -> None:
    """Neural networks for tables, pictures and series, on a CPU.

    \b
    pellucid fit penguins.csv --target species
    pellucid predict penguins.safetensors new.csv
    pellucid fit pictures/ --network cnn
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in (fit, search, predict, evaluate, report, summary, card, export, compile_kernels):
    application.add_command(_command)
