"""`twosessions corpus`: check, compile, count, compare and convert annotated articles."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import Exit, stop

if TYPE_CHECKING:
    from ..corpus import AnnotatedArticle

app = typer.Typer(
    name="corpus",
    help="Check, compile, count, compare and convert annotated articles.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """The formats by name, as `pipeline.formats.FORMATS` has them (which would be slow to import here)."""

    XML = "xml"
    JSONL = "jsonl"
    LABEL_STUDIO = "label-studio"
    PRODIGY = "prodigy"
    DOCCANO = "doccano"
    BRAT = "brat"
    IOB = "iob"
    DOCBIN = "docbin"


Source = Annotated[Path, typer.Argument(help="A folder with train, dev and test, one of these, or a file.")]
FormatOption = Annotated[Format | None, typer.Option("--format", help="The format; by default it is recognised.")]
MapOption = Annotated[
    list[str] | None, typer.Option("--map", help="OLD=NEW: a label or relation of the file; OLD= leaves it out.")
]
DEFAULT = Path("data/annotated")


@app.command()
def check(
    path: Source = DEFAULT,
    format: FormatOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
) -> None:
    """Print what is wrong with annotated articles; the status is 1 where there is an error."""
    from ..corpus import load_topics
    from ..corpus_checks import check_path

    _exists(path)
    articles, problems = check_path(path, load_topics(), format.value if format else None)
    for problem in problems:
        print(problem)
    errors = sum(problem.level == "error" for problem in problems)
    print(f"{articles} articles, {errors} errors, {len(problems) - errors} warnings", file=sys.stderr)
    if not articles and not problems:
        stop(f"{path}: no annotated article there")
    raise typer.Exit(Exit.FAILED if errors or (strict and problems) else Exit.OK)


@app.command("compile")
def compile_(
    path: Source = DEFAULT,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("build/corpus"),
) -> None:
    """Write <split>.jsonl and <split>.spacy (DocBin) for training and evaluation, ordered by id."""
    from ..corpus import CorpusError, compile_corpus

    _exists(path)
    try:
        sizes = compile_corpus(path, out)
    except (CorpusError, OSError) as error:
        stop(error, Exit.FAILED)
    for split, size in sizes.items():
        print(f"{out / split}.jsonl, {split}.spacy: {size} articles")


@app.command()
def stats(
    path: Source = DEFAULT,
    format: FormatOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Print how many articles, records, topics, stances, years, outlets and shapes there are."""
    from ..corpus import CorpusError, load_annotated, load_topics, splits_of
    from ..corpus_stats import count, table, to_dict

    _exists(path)
    try:
        splits = {
            split: count(load_annotated(place, format.value if format else None))
            for split, place in splits_of(path).items()
        }
    except CorpusError as error:
        stop(error, Exit.FAILED)
    if as_json:
        print(json.dumps(to_dict(splits), ensure_ascii=False, indent=1))
        return
    from rich.console import Console

    Console(highlight=False, width=None if sys.stdout.isatty() else 120).print(table(splits, load_topics()))


@app.command()
def agree(
    first: Annotated[Path, typer.Argument(help="A folder or file of annotated articles.")],
    second: Annotated[Path, typer.Argument(help="Another annotation of the same texts; others are left out.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Print how far two annotations of the same texts agree: Cohen's kappa, raw agreement and F1, a label a line."""
    from ..corpus import CorpusError, load_topics
    from ..evaluation.agreement import compare, table, to_dict

    try:
        comparison = compare(_load(first, None, None), _load(second, None, None), load_topics())
    except CorpusError as error:
        stop(error, Exit.FAILED)
    if as_json:
        print(json.dumps(to_dict(comparison), ensure_ascii=False, indent=1))
        return
    records = " / ".join(map(str, comparison.records))
    print(f"{comparison.articles} articles, {comparison.tokens} tokens, {records} records\n")
    print(table(comparison))


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A file or folder of an annotation tool.")],
    out: Annotated[Path, typer.Option(help="A .jsonl or .ndjson file (nothing is lost), or a folder for XML.")],
    format: FormatOption = None,
    map: MapOption = None,
) -> None:
    """Turn a tool's annotations into the compiled form (.jsonl) or into XML to go on with."""
    from ..corpus import CorpusError
    from ..formats import format_module

    articles = _load(path, format, map)
    try:
        format_module("jsonl" if out.suffix.lower() in (".jsonl", ".ndjson") else "xml").write(articles, out)
    except (CorpusError, OSError) as error:
        stop(error, Exit.FAILED)
    print(f"{out}: {len(articles)} articles")


@app.command()
def export(
    path: Source,
    to: Annotated[Format, typer.Option("--to", help="The format to write.")],
    out: Annotated[Path, typer.Option(help="The file to write; for brat and xml, a folder.")],
    format: FormatOption = None,
    map: MapOption = None,
    config: Annotated[Path | None, typer.Option(help="label-studio: write a labelling config here as well.")] = None,
) -> None:
    """Write annotated articles in the format of an annotation tool."""
    from ..corpus import CorpusError, load_topics
    from ..formats import format_module

    if config is not None and to is not Format.LABEL_STUDIO:
        stop("--config goes with --to label-studio")
    articles = _load(path, format, map)
    try:
        format_module(to.value).write(articles, out)
        if config is not None:
            from ..formats.label_studio import labelling_config

            config.write_text(labelling_config(load_topics()) + "\n", encoding="utf-8")
    except (CorpusError, OSError) as error:
        stop(error, Exit.FAILED)
    print(f"{out}: {len(articles)} articles")


def _load(path: Path, format: Format | None, map: list[str] | None) -> list[AnnotatedArticle]:
    from ..corpus import CorpusError, load_annotated

    _exists(path)
    labels = {}
    for entry in map or ():
        old, sign, new = entry.partition("=")
        if not sign or not old:
            stop(f"--map {entry}: write OLD=NEW")
        labels[old] = new
    try:
        return load_annotated(path, format.value if format else None, labels)
    except CorpusError as error:
        stop(error, Exit.FAILED)


def _exists(path: Path) -> None:
    if not path.exists():
        stop(f"{path}: there is no such file or folder")
