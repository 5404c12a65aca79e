"""The `twosessions` command: argument parsing only; each command hands over to a module."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .commands import DEFAULT_STORE, Exit, StoreUrl, stop
from .commands.corpus import app as corpus_app
from .commands.evaluate import evaluate as evaluate_command
from .commands.export import export as export_command
from .commands.report import report as report_command
from .commands.train import train as train_command

if TYPE_CHECKING:
    from rich.console import Console
    from spacy.language import Language
    from spacy.tokens import Doc

    from .extract import Extractor
    from .read import Failure, ReadOptions


class RuntimeName(StrEnum):
    """What can run the encoder; torch needs a model that was trained with --keep-torch."""

    ONNX = "onnx"
    TORCH = "torch"


app = typer.Typer(
    name="twosessions",
    help="Turn coverage of China's Two Sessions into records: who proposes what, on which topic, with which stance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[
    list[str], typer.Argument(help="Files (.txt .md .html .jsonl), folders of them, or - for standard input.")
]
Lang = Annotated[str, typer.Option(help="Language code of the articles; auto detects it.")]
Model = Annotated[
    str | None, typer.Option(help="A model folder, or the name of one that is shipped, in place of the language's own.")
]
Runtime = Annotated[RuntimeName | None, typer.Option(help="What runs the encoder, in place of the model's own choice.")]
MinScore = Annotated[float, typer.Option(min=0, max=1, help="Leave out records scored below this.")]
MaxMegabytes = Annotated[float, typer.Option(min=0.001, help="The largest file, or line of JSON, that is read.")]


@app.callback(invoke_without_command=True)
def _version(
    ctx: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        from . import __version__

        print(__version__)
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        raise typer.Exit(Exit.USAGE)


@app.command()
def extract(
    paths: Paths,
    lang: Lang = "auto",
    model: Model = None,
    runtime: Runtime = None,
    min_score: MinScore = 0.0,
    max_megabytes: MaxMegabytes = 20,
) -> None:
    """Print the records of articles, one JSON object a line; nothing is stored."""
    from .read import Failure, read_articles

    extractor, options = _collaborators(lang, model, runtime, min_score, max_megabytes)
    failed = 0
    printed: set[str] = set()
    for item in extractor.records(_progress(read_articles(paths, options), "extracting")):
        if isinstance(item, Failure):
            failed += 1
            _report(item)
        elif item.record_id not in printed:
            # The same article may be among the inputs twice.
            printed.add(item.record_id)
            _print(json.dumps(item.to_dict(), ensure_ascii=False))
    raise typer.Exit(Exit.FAILED if failed else Exit.OK)


@app.command()
def run(
    paths: Paths,
    store: StoreUrl = DEFAULT_STORE,
    lang: Lang = "auto",
    model: Model = None,
    runtime: Runtime = None,
    min_score: MinScore = 0.0,
    max_megabytes: MaxMegabytes = 20,
    table: Annotated[bool, typer.Option("--table", help="Print a table of the records as well.")] = False,
) -> None:
    """Put the records of articles into the store and print a summary; what is there already is left alone."""
    from .extract import article_records
    from .inspect import records_table
    from .query import stored_records
    from .read import Failure, read_articles
    from .store import StoreError, open_store, writing
    from .summary import summary_view

    extractor, options = _collaborators(lang, model, runtime, min_score, max_megabytes)
    try:
        engine = open_store(store)
        with writing(engine, extractor.models(), min_score) as writer:
            inputs = _progress(read_articles(paths, options), "processing")
            for item in extractor.docs(inputs, skip=writer.holds, known=writer):
                if isinstance(item, Failure):
                    writer.fail(item)
                    _report(item)
                else:
                    writer.write(*article_records(item))
            summary = writer.finish()
            if table:
                with engine.connect() as connection:
                    _console().print(records_table(stored_records(connection)))
    except StoreError as error:
        stop(error)
    _console().print(summary_view(summary))
    raise typer.Exit(Exit.FAILED if summary.failures else Exit.OK)


@app.command()
def inspect(
    file: Annotated[str, typer.Argument(help="One article, or - for standard input.")],
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write a page for a browser here, in place of printing; into a folder, a page for each article."
        ),
    ] = None,
    lang: Lang = "auto",
    model: Model = None,
    runtime: Runtime = None,
    max_megabytes: MaxMegabytes = 20,
) -> None:
    """Show articles with their mentions, proposals and links marked in the text."""
    from .inspect import terminal_view
    from .read import Failure, read_articles

    extractor, options = _collaborators(lang, model, runtime, 0.0, max_megabytes)
    failed = 0

    def docs() -> Iterator[Doc]:
        nonlocal failed
        for item in extractor.docs(read_articles([file], options)):
            if isinstance(item, Failure):
                failed += 1
                _report(item)
            else:
                yield item

    if html is None:
        for doc in docs():
            _console().print(terminal_view(doc))
    else:
        _write_pages(docs(), html)
    raise typer.Exit(Exit.FAILED if failed else Exit.OK)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a record."""
    from .schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def _write_pages(docs: Iterator[Doc], out: Path) -> None:
    """Write the page of one article as the file `out`, or those of several into the folder `out`, made if need be."""
    from .inspect import html_view, page_name

    # Two articles are looked at before anything is written: one page must not take the place of the other.
    first = list(islice(docs, 2))
    into_folder = out.is_dir() or len(first) > 1
    if into_folder and out.suffix and not out.is_dir():
        stop(f"{out}: one page, and there are several articles; name a folder")
    path = out
    try:
        if into_folder:
            out.mkdir(exist_ok=True)
        for doc in chain(first, docs):
            path = out / page_name(doc) if into_folder else out
            path.write_text(html_view(doc), encoding="utf-8")
            print(path)
    except OSError as error:
        stop(f"{path}: {(error.strerror or str(error)).lower()}")


def _collaborators(
    lang: str, model: str | None, runtime: str | None, min_score: float, max_megabytes: float
) -> tuple[Extractor, ReadOptions]:
    from .build import load_pipeline
    from .extract import Extractor
    from .languages import load_languages
    from .read import MEGABYTE, ReadOptions

    languages = load_languages()
    if lang != "auto" and not (model or languages.model(lang)):
        with_models = ", ".join(code for code in languages.table if languages.model(code))
        stop(f"--lang {lang}: there is no model for it; there is one for: {with_models}")

    def load(name: str) -> Language:
        nlp = load_pipeline(name, runtime=runtime)
        for label in _unknown_topics(nlp):
            print(
                f"topic {label}: the model {name} does not know it; `twosessions train topics` teaches it",
                file=sys.stderr,
            )
        return nlp

    extractor = Extractor(languages, load, model=model, min_score=min_score)
    try:
        known = extractor.pipeline("en" if lang == "auto" else lang)
    except (OSError, ValueError) as error:
        stop(error)
    if known is None and lang != "auto":
        stop(f"--lang {lang}: the model {model} is for another language")
    return extractor, ReadOptions(languages, lang, int(max_megabytes * MEGABYTE))


def _unknown_topics(nlp: Language) -> list[str]:
    """Return the topics of the config that a trained model can't give: none for rules, which read the config itself."""
    from .stage import TrainedStage
    from .topics import topic_table

    stages = [stage for _, stage in nlp.pipeline if isinstance(stage, TrainedStage) and "topics" in stage.settings]
    return [topic.label for stage in stages for topic in topic_table() if topic.label not in stage.settings["topics"]]


def _progress(items: Iterable[Any], task: str) -> Iterator[Any]:
    """Pass items on, with a count of them on the terminal; silent in a pipe."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} inputs"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, description=task, total=None)


def _print(line: str) -> None:
    """Print a line of output; stop quietly where the reader of a pipe has gone."""
    try:
        sys.stdout.write(line + "\n")
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(Exit.OK) from None


def _report(failure: Failure) -> None:
    from .inspect import visible

    # Names and reasons come from the inputs: one line each, and nothing that a terminal would obey.
    print(visible(f"{failure.source}: {failure.reason}").replace("\n", "\u240a"), file=sys.stderr)


def _console() -> Console:
    from rich.console import Console

    # A pipe has no width: take one at which tables can be read.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


app.add_typer(corpus_app)
app.command("evaluate")(evaluate_command)
app.command("export")(export_command)
app.command("report")(report_command)
app.command("train")(train_command)


def main() -> None:
    """Run the command; output is UTF-8 whatever the terminal's locale."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    app()


if __name__ == "__main__":
    main()
