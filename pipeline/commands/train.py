"""`twosessions train`: the arguments; the work is in `pipeline.training`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
    work: Annotated[Path, typer.Option(help="Where checkpoints go; a killed training resumes from them.")] = Path(
        "build/training"
    ),
    start: Annotated[
        Path | None,
        typer.Option(
            help="The joint.pt of an earlier training: its weights learn the data in the rounded epochs alone."
        ),
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="A hub id or folder, in place of the config's.")] = None,
    model: Annotated[str, typer.Option(help="With topics: the model folder to start from.")] = "en",
    epochs: Annotated[int | None, typer.Option(min=1, help="In place of the config's.")] = None,
    seed: Annotated[int | None, typer.Option(help="In place of the config's.")] = None,
    keep_torch: Annotated[bool, typer.Option(help="Write the encoder for --runtime torch as well.")] = False,
) -> None:
    """Train models from annotated articles (needs the `train` extra)."""
    try:
        from ..training.recipe import TrainingError, load_recipe, train_all
        from ..training.topics import train_topics
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed: pip install -c constraints.txt -e '.[train]'", file=sys.stderr)
        raise typer.Exit(2) from None
    if start is not None and (part is Part.TOPICS or epochs is not None):
        print("--start leaves the joint epochs out: it goes neither with topics nor with --epochs", file=sys.stderr)
        raise typer.Exit(2)
    from ..corpus import CorpusError
    from ..evaluation.gold import GoldError

    try:
        recipe = load_recipe(config, backbone, epochs, seed)
        out = out or Path("build/models") / (f"{recipe.lang}-topics" if part is Part.TOPICS else recipe.lang)
        if part is Part.TOPICS:
            scores = train_topics(recipe, model, out, log=_log)
        else:
            scores = train_all(recipe, out, work, keep_torch, log=_log, start=start)
    except (TrainingError, CorpusError, GoldError, OSError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    for name, value in scores.items():
        print(f"{name}\t{value:.4f}")
    print(out)


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
