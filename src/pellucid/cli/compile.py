"""``pellucid compile``: the kernels, ahead of the first fit."""

from __future__ import annotations

import click


@click.command("compile", short_help="Compile all kernels ahead of the first fit.")
def compile_kernels() -> None:
    """Compile all kernels now, so that the first fit need not wait for it."""
    from time import perf_counter

    from pellucid import engine
    from pellucid.words import counted

    start = perf_counter()
    with engine.announced(click.echo):
        count = engine.compile_all(report=lambda name: click.echo(f"compiling {name}"))
    seconds, folder = perf_counter() - start, engine.cache_folder()
    if count == 0:
        click.echo(f"All kernels have been compiled before. They are kept in {folder}.")
    elif folder is None:
        click.echo(f"{counted(count, 'kernel')} compiled in {seconds:.1f} s, and not kept.")
    else:
        click.echo(f"{counted(count, 'kernel')} compiled in {seconds:.1f} s, and kept in {folder}.")
