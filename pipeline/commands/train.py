"""`twosessions train`: the arguments; the work is in `pipeline.training`."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from . import stop

# What training imports of the `train` extra, some of it hours behind its start.
_NEEDED = ("torch", "transformers", "sklearn", "onnx", "onnxscript")


class Part(StrEnum):
    """What can be trained."""

    ALL = "all"
    TOPICS = "topics"


def train(
    part: Annotated[
        Part, typer.Argument(help="all, or topics: the topic head alone, on the model that is there.")
    ] = Part.ALL,
    config: Annotated[Path, typer.Option(help="The training config.")] = Path("configs/train.en.toml"),
    out: Annotated[
        Path | None,
        typer.Option(help="The model folder to write.", show_default="build/models/LANG, or LANG-topics with topics"),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            help="With all: where checkpoints go; a killed training resumes from them.",
            show_default="build/training/LANG",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="With all: the joint.pt of an earlier training, whose weights learn the data in the rounded epochs"
            " alone."
        ),
    ] = None,
    backbone: Annotated[
        str | None, typer.Option(help="With all: a hub id or folder, in place of the config's.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="With topics: the model folder to start from.", show_default="LANG")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Of the part, in place of the config's.")] = None,
    seed: Annotated[int | None, typer.Option(help="In place of the config's.")] = None,
    keep_torch: Annotated[bool, typer.Option(help="With all: write the encoder for --runtime torch as well.")] = False,
) -> None:
    """Train models from annotated articles (needs the `train` extra)."""
    of_topics = {"--model": model}
    of_all = {"--work": work, "--start": start, "--backbone": backbone, "--keep-torch": keep_torch or None}
    for option, given in (of_all if part is Part.TOPICS else of_topics).items():
        if given is not None:
            stop(f"{option} does not go with {part}")
    if start is not None and epochs is not None:
        stop("--start leaves the joint epochs out: it does not go with --epochs")
    for module in _NEEDED:
        if find_spec(module) is None:
            stop(f"{module} is not installed: pip install -c constraints.txt -e '.[train]'")
    from ..corpus import CorpusError
    from ..evaluation.gold import GoldError
    from ..training.recipe import TrainingError, load_recipe
    from ..training.run import train_all
    from ..training.topics import train_topics

    try:
        recipe = load_recipe(config, backbone, epochs if part is Part.ALL else None, seed)
        if part is Part.TOPICS and epochs is not None:
            recipe = replace(recipe, topics=replace(recipe.topics, epochs=epochs))
        out = out or Path("build/models") / (f"{recipe.lang}-topics" if part is Part.TOPICS else recipe.lang)
        if part is Part.TOPICS:
            scores = train_topics(recipe, model or recipe.lang, out, log=_log)
        else:
            work = work or Path("build/training") / recipe.lang
            scores = train_all(recipe, out, work, keep_torch, log=_log, start=start)
    except (TrainingError, CorpusError, GoldError, OSError) as error:
        stop(error)
    for name, value in scores.items():
        print(f"{name}\t{value:.4f}")
    print(out)


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
