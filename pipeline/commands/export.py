"""`twosessions export`: argument parsing only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from . import DEFAULT_STORE, Exit, StoreUrl, stop


class TargetName(StrEnum):
    """The targets by name, as `pipeline.export.TARGETS` has them (which would be slow to import here)."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    DUCKDB = "duckdb"
    SQLITE = "sqlite"
    POSTGRES = "postgres"


class StanceName(StrEnum):
    """The stances, as `pipeline.schema.STANCES` has them."""

    PROMOTE = "promote"
    REGULATE = "regulate"
    BOTH = "both"
    NEITHER = "neither"


class BodyName(StrEnum):
    """The bodies, as `pipeline.schema.BODIES` has them."""

    NPC = "NPC"
    CPPCC = "CPPCC"
    LOCAL = "local"


def export(
    destination: Annotated[
        str,
        typer.Argument(
            metavar="DEST",
            help="A file (jsonl, where - is standard output; duckdb; sqlite), a folder (csv, parquet) "
            "or postgresql://user@host/database.",
        ),
    ],
    to: Annotated[TargetName, typer.Option("--to", help="What to write.")],
    store: StoreUrl = DEFAULT_STORE,
    session_year: Annotated[
        list[int] | None, typer.Option(help="Only records of this session year; repeatable.")
    ] = None,
    topic: Annotated[list[str] | None, typer.Option(help="Only records with this topic; repeatable.")] = None,
    stance: Annotated[list[StanceName] | None, typer.Option(help="Only records with this stance; repeatable.")] = None,
    body: Annotated[
        list[BodyName] | None, typer.Option(help="Only records of members of this body; repeatable.")
    ] = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Only records scored at least this.")] = 0.0,
    since_run: Annotated[
        int | None, typer.Option(min=1, help="Only what this run or a later one wrote (the table run lists them).")
    ] = None,
) -> None:
    """Write the store, or a part of it, as a feed for other tools; the destination changes whole or not at all."""
    from ..export import ExportError, existing_store, export_store
    from ..selection import Selection
    from ..store import StoreError

    selection = Selection(
        session_years=tuple(session_year or ()),
        topics=tuple(topic or ()),
        stances=tuple(value.value for value in stance or ()),
        bodies=tuple(value.value for value in body or ()),
        min_score=min_score,
        since_run=since_run,
    )
    try:
        engine = existing_store(store)
    except StoreError as error:
        stop(error)
    try:
        with _bar() as progress:
            written = export_store(engine, to.value, destination, selection, progress)
    except ExportError as error:
        stop(error, Exit.FAILED)
    except BrokenPipeError:
        # The reader of a pipe has seen enough.
        sys.stderr.close()
        raise typer.Exit(Exit.OK) from None
    finally:
        engine.dispose()
    if destination != "-":
        records = written.get("records", written.get("proposal", 0))
        print(f"{_shown(destination)}: {records} records", file=sys.stderr)


@contextmanager
def _bar() -> Iterator[Callable[[int], Callable[[str, int], None]] | None]:
    """Give what draws a progress bar on a terminal; nothing in a pipe, where counting ahead would be work in vain."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def start(total: int) -> Callable[[str, int], None]:
            task = bar.add_task("exporting", total=total)

            def tick(name: str, rows: int) -> None:
                bar.update(task, advance=rows, description=name)

            return tick

        yield start


def _shown(destination: str) -> str:
    """Return a destination without a password."""
    if "://" not in destination:
        return destination
    import sqlalchemy as sa

    return sa.make_url(destination).render_as_string(hide_password=True)
