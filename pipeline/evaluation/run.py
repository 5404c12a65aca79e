"""A request to evaluate → reports: loads the gold, the pipelines and the baselines, and runs them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

from spacy.language import Language

from ..build import load_pipeline
from ..corpus import CorpusError, load_topics
from ..corpus_proposals import FOLDER, load_proposals, pages
from ..evaluate import PARTS, PIPELINE, Comparison, Report, compare_reports, evaluate_together
from ..languages import Languages, load_languages
from ..resources import resource
from .baselines import BASELINES, MAJORITY, NEAREST, RULES, TFIDF, BaselineError, baseline, rule_pipeline
from .gold import GoldArticle, GoldSet, from_annotated, load_gold
from .system import CLASSIFY, LINK, System

ALL, NONE = "all", "none"


@dataclass(frozen=True)
class Request:
    """What to evaluate on what, and against which baselines and other models; no model means the language's own."""

    data: Path
    format: str | None = None
    model: str | None = None
    baselines: tuple[str, ...] = (ALL,)
    against: tuple[str, ...] = ()
    parts: tuple[str, ...] = PARTS


@dataclass(frozen=True)
class Evaluation:
    """A report, how it compares, and what could not be had."""

    report: Report
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the report as JSON, with the figures of the other systems and the paired differences to them."""
        value = self.report.to_dict()
        value["comparisons"] = [
            {
                "system": comparison.other.system,
                "figures": {m.name: asdict(found) for m, found in comparison.other.figures.items()},
                "differences": {m.name: asdict(found) for m, found in comparison.differences.items()},
            }
            for comparison in self.comparisons
        ]
        value["notes"] = list(self.notes)
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def run_evaluation(
    request: Request, load: Callable[[str], Language] = load_pipeline, tell: Callable[[str], None] = lambda _: None
) -> Evaluation:
    """Return the evaluation of a request; `tell` hears of each system before it is run.

    With baselines "all", one that can't be had here becomes a note; one that was asked for by name raises
    `BaselineError`. Raises `GoldError` for gold that can't be read and `OSError` for a model that can't. All of that
    comes before anything is scored.
    """
    gold = load_gold(request.data, request.format)
    model, gold = _model_of(request.model, gold)
    load = cache(load)
    nlp = load(model)
    baselines, notes = _baseline_systems(request, model, nlp, load, gold)
    systems = [System(model, nlp), *baselines, *(System(name, load(name)) for name in request.against)]
    # Baselines that only replace a stage of the model share its run; the reports keep the order of the request.
    together = [system for system in systems if system.nlp is nlp]
    reports: dict[int, Report] = {}
    for group in (together, *([system] for system in systems if system.nlp is not nlp)):
        tell(", ".join(system.name for system in group))
        for system, report in zip(group, evaluate_together(group, gold, request.parts), strict=True):
            reports[id(system)] = report
    first, *others = (reports[id(system)] for system in systems)
    return Evaluation(first, tuple(compare_reports(first, other) for other in others), notes)


def _baseline_systems(
    request: Request, model: str, nlp: Language, load: Callable[[str], Language], gold: GoldSet
) -> tuple[list[System], tuple[str, ...]]:
    """Return the baselines of a request, and why those of "all" that are missing can't be had."""
    found, notes = [], []
    lang = _language(gold, nlp)
    for name in _baselines(request, model, gold, lang):
        try:
            found.append(baseline(name, nlp, load, partial(_training_data, name, lang), lang))
        except BaselineError as error:
            if ALL not in request.baselines:
                raise
            notes.append(str(error))
    return found, tuple(notes)


def _model_of(name: str | None, gold: GoldSet) -> tuple[str, GoldSet]:
    """Return the model to evaluate and the gold that it can be run on: without a name, that of the most articles."""
    if name:
        return name, gold
    languages = load_languages()
    models = [languages.model(lang) for lang in _languages_of(gold, languages)]
    known = Counter(model for model in models if model)
    if not known:
        raise BaselineError(f"{gold.name}: there is no model for the language of these articles; name one by --model")
    model = known.most_common(1)[0][0]
    kept = tuple(item for item, own in zip(gold.articles, models, strict=True) if own == model)
    if len(kept) < len(gold.articles):
        note = f"{len(gold.articles) - len(kept)} articles in languages of another model"
        gold = replace(gold, articles=kept, left_out=(*gold.left_out, note))
    return model, gold


def _languages_of(gold: GoldSet, languages: Languages) -> list[str | None]:
    """Return the language of each article; one that does not name its own is told by its text."""
    texts = [item.article.text for item in gold.articles]
    if gold.format == "bio":
        # A sentence is too little to tell by; the file is in one language.
        return [languages.detect("\n".join(texts))] * len(texts)
    return [item.article.lang or languages.detect(item.article.text) for item in gold.articles]


def _language(gold: GoldSet, nlp: Language) -> str:
    """Return the language of the most articles; those that don't name theirs are in the pipeline's."""
    known = Counter(item.article.lang or nlp.lang or "" for item in gold.articles)
    return known.most_common(1)[0][0] if known else nlp.lang or ""


def _baselines(request: Request, model: str, gold: GoldSet, lang: str) -> Sequence[str]:
    """Return the baselines to run; "all" are those that differ from the model in something that is measured."""
    unknown = [name for name in request.baselines if name not in (*BASELINES, ALL, NONE)]
    if unknown:
        raise BaselineError(f"no baseline {unknown[0]!r}; there are: {', '.join(BASELINES)}, {ALL}, {NONE}")
    if NONE in request.baselines:
        others = [name for name in request.baselines if name != NONE]
        if others:
            raise BaselineError(f"baseline {NONE!r} goes with no other, not with {others[0]!r}")
        return ()
    if ALL not in request.baselines:
        return request.baselines
    found = [] if model == rule_pipeline(lang) else [RULES]
    records = any(item.claims is not None for item in gold.articles)
    if records and {PIPELINE, LINK} & set(request.parts):
        found.append(NEAREST)
    if records and {PIPELINE, CLASSIFY} & set(request.parts) and not {"topics", "stance"} <= gold.unknown:
        found += [MAJORITY, TFIDF]
    return found


def _training_data(name: str, lang: str) -> tuple[GoldArticle, ...]:
    """Return what a baseline learns from: a language's train split, and for words all that the models learn from."""
    split = [item for item in _train_split() if item.article.lang in (None, lang)]
    return (*split, *(_single_proposals(lang) if name == TFIDF else ()))


@cache
def _train_split() -> tuple[GoldArticle, ...]:
    try:
        return load_gold(resource("data", "annotated", "train"), "xml").articles
    except FileNotFoundError as error:
        raise BaselineError(f"this baseline learns from the train split: {error}") from None


@cache
def _single_proposals(lang: str) -> tuple[GoldArticle, ...]:
    """Return the proposals of all files of a language: `en.jsonl`, and `en-*.jsonl` beside it."""
    try:
        folder = resource("data", "annotated", FOLDER)
        files = [*folder.glob(f"{lang}.jsonl"), *sorted(folder.glob(f"{lang}-*.jsonl"))]
        found = [proposal for file in files for proposal in load_proposals(file, load_topics())]
    except FileNotFoundError:
        return ()
    except CorpusError as error:
        raise BaselineError(f"this baseline learns from single proposals: {error}") from None
    return tuple(map(from_annotated, pages(found, size=1)))
