"""A report into a folder, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import Engine

from ..exporters.atomic import whole_folder
from ..exporters.source import ExportError
from ..query import snapshot
from ..report import Report, Source, read_articles, read_report
from .page import FIXED, GENERATOR, PAGE, TABLES, article_file, fixed_files, report_files

ARTICLES = "articles"


def write_report(engine: Engine, name: str, out: Path) -> Report:
    """Write the report of a store into the folder `out` and return it; an older report there is replaced at the end.

    `name` is how the report calls the store. Raises `ExportError` for a folder that holds anything but a report, or
    that can't be written.
    """
    try:
        with snapshot(engine) as connection, whole_folder(out, refuse_other_folder) as folder:
            report = read_report(connection, name)
            for file, text in (*fixed_files(), *report_files(report)):
                _write(folder / file, text)
            (folder / ARTICLES).mkdir()
            for article_id, text, records in read_articles(connection):
                file = f"{Source(article_id).file}.js"
                _write(folder / ARTICLES / file, article_file(article_id, text, records))
    except OSError as error:
        raise ExportError(f"{out}: {(error.strerror or str(error)).lower()}") from None
    return report


def refuse_other_folder(folder: Path) -> str | None:
    """Return why a folder must not be replaced, or None: it holds a report and nothing else."""
    page = folder / PAGE
    if not page.is_file() or GENERATOR not in page.read_text(encoding="utf-8", errors="replace")[:500]:
        return "a folder that is no earlier report; name a new one, or an empty one"
    known = {PAGE, TABLES, ARTICLES, *FIXED}
    others = sorted(path.name for path in folder.iterdir() if path.name not in known)
    if others:
        return f"holds {others[0]} beside an earlier report, and would be replaced as a whole; move that away first"
    return None


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
