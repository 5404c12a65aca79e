"""What a training config says, decoded and checked."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..windows import WindowOptions
from .augment import Rates
from .joint import DEFAULT_WEIGHTS, JointOptions


class TrainingError(ValueError):
    """The config, the data or the backbone can't be used; the message says which and why."""


@dataclass(frozen=True)
class TopicOptions:
    """How to train the topic head alone; the rate is that of AdamW."""

    epochs: int = 60
    rate: float = 1e-3


@dataclass(frozen=True)
class Recipe:
    """A decoded training config; paths are relative to where the command runs.

    Without `augment` articles are trained on as they are. `outside` are sets of named entities that help to train the
    mentions. `proposals` are files of single proposals that help to train topics and stance: the models over words from
    all of them, the joint model from one of `proposal_parts` an epoch, or from none where there are 0 parts. Without
    `sayings` statements that are no proposals are left out, which only serves to see what they are good for.
    """

    lang: str
    train: Path
    dev: Path
    augment: Rates | None
    outside: tuple[Path, ...]
    proposals: tuple[Path, ...]
    proposal_parts: int
    sayings: bool
    backbone: str
    sha256: str | None
    shapes: bool
    joint: JointOptions
    topics: TopicOptions


@dataclass(frozen=True)
class _Wanted:
    """What a key of the config may hold, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _whole(least: int) -> _Wanted:
    return _Wanted(f"a whole number, {least} at least", lambda value: type(value) is int and value >= least)


_TEXT = _Wanted("text", lambda value: isinstance(value, str))
_TEXTS = _Wanted("a list of texts", lambda value: isinstance(value, list) and all(isinstance(x, str) for x in value))
_TRUTH = _Wanted("true or false", lambda value: isinstance(value, bool))
_INTEGER = _Wanted("a whole number", lambda value: type(value) is int)
_NUMBER = _Wanted("a number, 0 at least", lambda value: type(value) in (int, float) and 0 <= value < math.inf)
_SHARE = _Wanted("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1)

_Keys = Mapping[str, "_Wanted | _Keys"]
#: All that a config may hold.
_KEYS: _Keys = {
    "lang": _TEXT,
    "data": {
        "train": _TEXT, "dev": _TEXT, "outside": _TEXTS,
        "proposals": _TEXTS, "proposal_parts": _whole(0), "sayings": _TRUTH,
    },
    "augment": {rate.name: _SHARE for rate in fields(Rates)},
    "backbone": {"name": _TEXT, "sha256": _TEXT, "shapes": _TRUTH},
    "joint": {
        "epochs": _whole(1), "batch": _whole(1), "seed": _INTEGER, "patience": _whole(0),
        "encoder_rate": _NUMBER, "head_rate": _NUMBER, "weight_decay": _NUMBER,
        "warmup": _SHARE, "dropout": _SHARE, "body_dropout": _SHARE, "freeze_layers": _whole(0),
        "rounded_epochs": _whole(0), "rounded_rate": _NUMBER, "window_size": _whole(1), "window_overlap": _whole(0),
        "weights": dict.fromkeys(DEFAULT_WEIGHTS, _NUMBER),
    },
    "topics": {"epochs": _whole(1), "rate": _NUMBER},
}  # fmt: skip


def _check(table: Mapping[str, Any], known: _Keys, name: str = "") -> None:
    """Raise `ValueError` that names a key which a table can't have, or a value which its key can't."""
    place = f" in [{name}]" if name else ""
    for key, value in table.items():
        if key not in known:
            raise ValueError(f"there is no key {key}{place}; the keys are {', '.join(known)}")
        wanted = known[key]
        if not isinstance(wanted, _Wanted):
            if not isinstance(value, dict):
                raise ValueError(f"{key} is {value!r}{place}; a table is wanted")
            _check(value, wanted, f"{name}.{key}" if name else key)
        elif not wanted.fits(value):
            raise ValueError(f"{key} is {value!r}{place}; {wanted.words} is wanted")


def load_recipe(path: Path, backbone: str | None = None, epochs: int | None = None, seed: int | None = None) -> Recipe:
    """Return the recipe of a config file, some of its values replaced; `epochs` are those of the joint training.

    Raises `TrainingError` that names a missing or an unknown key, or one whose value can't be used.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        _check(data, _KEYS)
        joint = dict(data["joint"])
        window = WindowOptions(joint.pop("window_size"), joint.pop("window_overlap"))
        options = JointOptions(**joint, window=window)
        recipe = Recipe(
            lang=data["lang"],
            train=Path(data["data"]["train"]),
            dev=Path(data["data"]["dev"]),
            augment=Rates(**data["augment"]) if "augment" in data else None,
            outside=tuple(Path(path) for path in data["data"].get("outside", ())),
            proposals=tuple(Path(path) for path in data["data"].get("proposals", ())),
            proposal_parts=data["data"].get("proposal_parts", 0),
            sayings=data["data"].get("sayings", True),
            backbone=backbone or data["backbone"]["name"],
            sha256=None if backbone else data["backbone"].get("sha256"),
            shapes=data["backbone"].get("shapes", True),
            joint=options,
            topics=TopicOptions(**data.get("topics", {})),
        )
        if not 0 <= window.overlap < window.size - 2:
            raise ValueError(f"window_overlap {window.overlap} does not fit window_size {window.size}")
    except KeyError as error:
        raise TrainingError(f"{path}: no value for {error}") from None
    except (OSError, TypeError, ValueError) as error:
        raise TrainingError(f"{path}: {error}") from None
    if epochs is not None:
        recipe = replace(recipe, joint=replace(recipe.joint, epochs=epochs))
    return recipe if seed is None else replace(recipe, joint=replace(recipe.joint, seed=seed))


def rounded_options(options: JointOptions) -> JointOptions:
    """Return how to train with the rounding of int8, behind a training with these options."""
    return replace(
        options,
        epochs=options.rounded_epochs,
        encoder_rate=options.rounded_rate * options.encoder_rate,
        head_rate=options.rounded_rate * options.head_rate,
        seed=options.seed + 1,
    )
