"""Options that commands share, and help in groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

UNANSWERED = 3
"""The exit code where some of many pictures cannot be used, and all others are answered."""

# Parameters of estimators with an option of their own; all others go in by --set.
PARAMETERS = {
    "max_epochs": ("N", "Times that all rows are used.  [default: by rows]"),
    "batch_size": ("N", "Rows in a training step.  [default: by rows]"),
    "learning_rate": ("RATE", "The largest learning rate."),
    "hidden_dim": ("N", "Width of the hidden layers."),
    "num_layers": ("N", "Number of hidden layers."),
    "dropout": ("SHARE", "Share of outputs dropped in training."),
    "loss": ("NAME", "mse, huber, mae or quantile, for numbers."),
    "target_transform": ("NAME", "log: learn the logarithm of a skewed target."),
}


class Option(click.Option):
    """An option that help shows in a group, and without the range of its numbers."""

    def __init__(self, *names: Any, group: str, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.group = group

    def get_help_extra(self, ctx: click.Context) -> Any:
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class GroupedCommand(click.Command):
    """A command whose help shows options by group; those of none are in the last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if record is not None:
                name = getattr(option, "group", None) or [*groups][-1]
                groups.setdefault(name, []).append(record)
        longest = max(len(names) for records in groups.values() for names, _ in records)
        for name, records in groups.items():
            with formatter.section(name):
                formatter.write_dl([(names.ljust(longest), text) for names, text in records])


def in_group(group: str) -> Callable[..., Any]:
    """``click.option`` for one group."""

    def option(*names: str, **settings: Any) -> Any:
        return click.option(*names, cls=Option, group=group, **settings)

    return option


def option_name(parameter: str) -> str:
    """``--max-epochs`` for ``max_epochs``."""
    return f"--{parameter.replace('_', '-')}"


def parameter_options(group: str) -> Callable[[Any], Any]:
    """An option for each of :data:`PARAMETERS`."""

    def decorate(command: Any) -> Any:
        for name, (metavar, text) in reversed(PARAMETERS.items()):
            command = in_group(group)(option_name(name), metavar=metavar, help=text)(command)
        return command

    return decorate


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object; lines go to standard error."
)
encoding_option = click.option(
    "--encoding", metavar="NAME", help="Encoding of a text file, such as gbk."
)
