"""`twosessions evaluate`: argument parsing only."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import Exit, stop


class Part(StrEnum):
    """What can be evaluated alone, as `pipeline.evaluate.PARTS` has it (which would be slow to import here)."""

    PIPELINE = "pipeline"
    RECOGNISE = "recognise"
    ATTRIBUTE = "attribute"
    LINK = "link"
    CLASSIFY = "classify"


def evaluate(
    data: Annotated[Path, typer.Argument(help="An annotated set: a folder or a file.")],
    format: Annotated[
        str | None,
        typer.Option(
            help="The format of the set: xml, coverage, polnear, bio, or one that `corpus import` reads. "
            "By default it is told from what is there."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A model folder, or a shipped model's name; by default the language's own.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page for a browser here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all figures as JSON here.")] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare with rules, nearest-name, majority, tfidf, all (the default) or none, which is quickest; "
            "repeatable."
        ),
    ] = None,
    against: Annotated[list[str] | None, typer.Option(help="Compare with another model, pairwise; repeatable.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Print every error in its text.")] = False,
    stage: Annotated[
        list[Part] | None,
        typer.Option(help="Only the whole pipeline, or only a stage with gold before it; repeatable."),
    ] = None,
) -> None:
    """Score a pipeline on annotated articles: as a whole, a stage at a time, against baselines and other models."""
    from ..evaluate import PARTS
    from ..evaluation.run import Request, run_evaluation
    from ..evaluation.tables import errors_view, report_view

    request = Request(
        data=data,
        format=format,
        model=model,
        baselines=tuple(baseline or ("all",)),
        against=tuple(against or ()),
        parts=tuple(part.value for part in stage) if stage else PARTS,
    )
    # Said before minutes of work, not behind them.
    for out in (report, json):
        trouble = _trouble(out) if out is not None else None
        if trouble:
            stop(f"{out} can't be written: {trouble}")
    try:
        found = run_evaluation(request, tell=_tell)
    except (OSError, ValueError) as error:
        stop(error)
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    try:
        console.print(report_view(found.report, found.comparisons))
        for note in found.notes:
            print(note, file=sys.stderr)
        if errors:
            for part in errors_view(found.report):
                console.print(part)
    finally:
        # Behind the figures, which a full disk can't take away, nor can `| head` take away the files.
        if json is not None:
            _write(json, found.to_json())
        if report is not None:
            from ..evaluation.page import report_page

            _write(report, report_page(found.report, found.comparisons))
    raise typer.Exit(Exit.OK)


def _trouble(path: Path) -> str | None:
    """Return in words why a file can't be written; None where nothing speaks against it."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.is_dir():
        return "it is a folder"
    return None if os.access(path if path.exists() else path.parent, os.W_OK) else "no permission"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        stop(f"{path} can't be written: {error.strerror}")
    print(path, file=sys.stderr)


def _tell(system: str) -> None:
    if sys.stderr.isatty():
        print(f"evaluating {system} …", file=sys.stderr)
