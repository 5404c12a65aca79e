"""`twosessions report`: argument parsing only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from . import DEFAULT_STORE, Exit, StoreUrl, stop


def report(
    store: StoreUrl = DEFAULT_STORE,
    out: Annotated[Path, typer.Option(help="The folder to write; an older report in it is replaced.")] = Path("report"),
) -> None:
    """Write pages to look at: one folder that a browser opens from disk, without a network."""
    from ..export import ExportError, existing_store
    from ..report_page.folder import write_report
    from ..store import StoreError

    try:
        engine = existing_store(store)
    except StoreError as error:
        stop(error)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        made = write_report(engine, shown, out)
    except ExportError as error:
        stop(error, Exit.FAILED)
    finally:
        engine.dispose()
    if not made.entries:
        print(f"{shown}: holds no records yet; the report says so", file=sys.stderr)
    print(out / "index.html")
