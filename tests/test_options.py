"""Options in groups, in the words that people use."""

import click
from click.testing import CliRunner

from pellucid.cli.options import GroupedCommand, in_group, option_name, parameter_options


def test_help_has_a_part_for_each_group_with_columns_in_line():
    @click.command(cls=GroupedCommand)
    @in_group("Data")("--rows", type=click.IntRange(1, 9), help="How many.")
    @in_group("Output")("--a-longer-name", metavar="FILE", help="Where to.")
    @click.option("--plain", is_flag=True, help="Of no group.")
    def command(**_):
        pass

    text = CliRunner().invoke(command, ["--help"]).output
    data, output = text.index("Data:"), text.index("Output:")
    assert data < text.index("--rows") < output < text.index("--plain") < text.index("--help")
    assert "[1<=x<=9]" not in text  # of the range an error tells
    columns = {
        line.index(words)
        for line in text.splitlines()
        for words in ("How many.", "Where to.", "Of no group.")
        if words in line
    }
    assert len(columns) == 1


def test_options_of_parameters_come_as_text_by_the_name_of_the_parameter():
    @click.command(cls=GroupedCommand)
    @parameter_options("Network")
    def command(**given):
        click.echo({name: value for name, value in given.items() if value is not None})

    done = CliRunner().invoke(command, ["--max-epochs", "3", "--hidden-dim", "[6, 5]"])
    assert done.output == "{'max_epochs': '3', 'hidden_dim': '[6, 5]'}\n"
    assert option_name("max_epochs") == "--max-epochs"
