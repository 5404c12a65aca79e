"""What is wrong with a whole corpus: each article by itself, and all of them together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from .corpus import (
    CHARACTERS_A_WORD,
    AnnotatedArticle,
    CorpusError,
    GoldMention,
    GoldStatement,
    Problem,
    files_in,
    load_annotated,
    near_duplicates,
    parse_xml,
    splits_of,
)
from .corpus_proposals import check_proposals
from .formats import guess_format
from .languages import load_languages
from .people import is_name_like
from .schema import BODIES, MENTION_LABELS, REFERENCE, STANCES
from .scripts import HAN, chinese, whole_words, word_count

WORDS = range(100, 1101)
#: The same length in Chinese characters.
CHARACTERS = range(int(100 * CHARACTERS_A_WORD), int(1100 * CHARACTERS_A_WORD) + 1)
_LABELS = (*MENTION_LABELS, REFERENCE)
# A single set of fewer articles is a part of a corpus: it needn't have every topic and stance.
_WHOLE = 100
Splits = Mapping[str, Sequence[AnnotatedArticle]]


def check_path(path: Path, topics: Sequence[str], format: str | None = None) -> tuple[int, list[Problem]]:
    """Return how many articles a corpus holds, and everything that is wrong with it, worst first.

    `path` is a folder with the splits train, dev and test, one split, or one file, in any format. Where there are
    several splits all that an article must have is asked for, also what is no more than a warning elsewhere.
    """
    problems: list[Problem] = []
    splits = {}
    places = splits_of(path)
    for split, place in places.items():
        splits[split], found = _load(place, split, topics, format)
        problems += found
    broken = {problem.source for problem in problems if problem.level == "error"}
    if len(places) > 1:
        problems = [replace(problem, level="error") for problem in problems]
    problems += check_splits(splits, topics, broken)
    problems += check_proposals(path, topics, splits)
    unique = dict.fromkeys(problems)
    return sum(map(len, splits.values())), sorted(unique, key=lambda problem: problem.level != "error")


def _load(
    path: Path, split: str, topics: Sequence[str], format: str | None
) -> tuple[list[AnnotatedArticle], list[Problem]]:
    try:
        if (format or guess_format(path)) != "xml":
            return load_annotated(path, format), []
    except CorpusError as error:
        return [], [Problem(split, str(error))]
    found, problems = [], []
    for file in files_in(path, (".xml",)):
        annotated, complaints = parse_xml(file.read_bytes(), file.name, topics)
        if annotated is not None:
            found.append(annotated)
        problems += [Problem(f"{split}/{file.stem}", problem.message, problem.level) for problem in complaints]
    return found, problems


def check_splits(splits: Splits, topics: Sequence[str], broken: Collection[str] = ()) -> Iterator[Problem]:
    """Yield what is wrong with the articles of each split, and with the splits together.

    Of the `broken` ones (`split/id`) the XML was complained of; they are not looked at one by one.
    """
    for split, articles in splits.items():
        for annotated in articles:
            if f"{split}/{annotated.article.id}" in broken:
                continue
            for problem in check_article(annotated, topics):
                yield Problem(f"{split}/{problem.source}", problem.message, problem.level)
    yield from _duplicate_ids(splits)
    yield from _near_duplicates(splits)
    yield from _shared_years(splits)
    yield from _balance(splits, topics)


def check_article(annotated: AnnotatedArticle, topics: Sequence[str]) -> Iterator[Problem]:
    """Yield what is wrong with one article, whatever format it came from."""
    source = annotated.article.id
    for message in (
        *_language(annotated), *_offsets(annotated), *_overlaps(annotated), *_labels(annotated, topics)
    ):  # fmt: skip
        yield Problem(source, message)
    yield from _untagged(annotated)
    words, characters = word_count(annotated.article.text), len(re.findall(f"[{HAN}]", annotated.article.text))
    number, unit, usual = (characters, "characters", CHARACTERS) if 2 * characters > words else (words, "words", WORDS)
    if number not in usual:
        yield Problem(source, f"{number} {unit}; {usual[0]} to {usual[-1]} are usual", "warning")


@cache
def _known_languages() -> tuple[str, ...]:
    return tuple(load_languages().table)


def _language(annotated: AnnotatedArticle) -> Iterator[str]:
    lang = annotated.article.lang
    if lang is not None and lang not in _known_languages():
        yield f"lang {lang!r} is no language of configs/languages.toml: {', '.join(_known_languages())}"


def _offsets(annotated: AnnotatedArticle) -> Iterator[str]:
    text = annotated.article.text
    items: tuple[GoldMention | GoldStatement, ...] = (*annotated.mentions, *annotated.statements)
    for item in items:
        what = getattr(item, "label", "statement")
        if not 0 <= item.start < item.end <= len(text):
            yield f"{what} at {item.start}..{item.end} lies outside of the text (0..{len(text)})"
        elif text[item.start : item.end] != text[item.start : item.end].strip():
            yield f"{what} '{text[item.start : item.end][:40]}' at {item.start} has a space at its edge"
        elif "\n" in text[item.start : item.end]:
            yield f"{what} '{text[item.start : item.end][:40]!r}' at {item.start} crosses a paragraph border"


def _overlaps(annotated: AnnotatedArticle) -> Iterator[str]:
    text = annotated.article.text
    for name, items in (("mentions", annotated.mentions), ("statements", annotated.statements)):
        ordered: Sequence = sorted(items, key=lambda item: (item.start, item.end))
        for first, second in pairwise(ordered):
            if second.start < first.end:
                one, two = text[first.start : first.end][:30], text[second.start : second.end][:30]
                yield f"the {name} '{one}' at {first.start} and '{two}' at {second.start} overlap"
    for mention in annotated.mentions:
        for statement in annotated.statements:
            if mention.start < statement.start < mention.end or mention.start < statement.end < mention.end:
                words = text[mention.start : mention.end][:30]
                yield f"{mention.label} '{words}' at {mention.start} crosses a statement's edge"


def _labels(annotated: AnnotatedArticle, topics: Sequence[str]) -> Iterator[str]:
    text = annotated.article.text
    known = {entity.id for entity in annotated.entities}
    if len(known) < len(annotated.entities):
        yield "two entities have one id"
    for mention in annotated.mentions:
        words = f"{mention.label} '{text[mention.start : mention.end][:30]}' at {mention.start}"
        if mention.label not in _LABELS:
            yield f"{words}: no such label"
        if mention.label == "BODY" and mention.is_ not in (*BODIES, "unknown"):
            yield f"{words}: is={mention.is_!r}; one of {', '.join(BODIES)}, unknown"
        for holder in mention.of:
            if holder not in known:
                yield f"{words} belongs to {holder!r}, which is no entity"
    for statement in annotated.statements:
        words = f"the statement '{text[statement.start : statement.end][:30]}' at {statement.start}"
        for holder in statement.by:
            if holder not in known:
                yield f"{words} is by {holder!r}, which is no entity"
        if statement.n is None:
            continue
        if not statement.by:
            yield f"{words} proposes, but nobody is its proponent"
        if statement.stance not in STANCES:
            yield f"{words} has the stance {statement.stance!r}; one of {', '.join(STANCES)}"
        if not statement.topics:
            yield f"{words} has no topic"
        for topic in statement.topics:
            if topic not in topics:
                yield f"{words} has the topic {topic!r}, which configs/topics.toml doesn't have"


def _untagged(annotated: AnnotatedArticle) -> Iterator[Problem]:
    text = annotated.article.text
    for name in {entity.name for entity in annotated.entities if entity.kind == "person"}:
        if not is_name_like(name):
            continue
        for match in re.finditer(whole_words(re.escape(name)), text):
            if not any(m.start < match.end() and match.start() < m.end for m in annotated.mentions):
                # Two Chinese characters may as well be a word, or a part of one.
                level = "warning" if len(name) == 2 and chinese(name) else "error"
                message = f"the name '{name}' at {match.start()} is not marked"
                yield Problem(annotated.article.id, message, level)


def _duplicate_ids(splits: Splits) -> Iterator[Problem]:
    holders: dict[str, list[str]] = defaultdict(list)
    for split, articles in splits.items():
        for annotated in articles:
            holders[annotated.article.id].append(split)
    for article_id, where in holders.items():
        if len(where) > 1:
            yield Problem(article_id, f"{len(where)} articles have this id, in {', '.join(sorted(set(where)))}")


def _near_duplicates(splits: Splits) -> Iterator[Problem]:
    texts = {
        f"{split}/{annotated.article.id}": annotated.article.text
        for split, articles in splits.items()
        for annotated in articles
    }
    for first, second, share in near_duplicates(texts):
        crosses = first.split("/")[0] != second.split("/")[0]
        what = "leaks across splits: shares" if crosses else "is much like another: shares"
        yield Problem(
            first, f"{what} {share:.0%} of its word sequences with {second}", "error" if crosses else "warning"
        )


def _shared_years(splits: Splits) -> Iterator[Problem]:
    years: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for split, articles in splits.items():
        for annotated in articles:
            if annotated.article.session_year is not None:
                years[annotated.article.session_year][split].append(annotated.article.id)
    for year, where in sorted(years.items()):
        if len(where) > 1:
            fewest = min(where, key=lambda split: len(where[split]))
            counts = ", ".join(f"{split} ({len(ids)})" for split, ids in where.items())
            ids = ", ".join(where[fewest][:5])
            yield Problem(
                f"{fewest}/{year}", f"the session year {year} is in several splits: {counts}; in {fewest}: {ids}"
            )


def _balance(splits: Splits, topics: Sequence[str]) -> Iterator[Problem]:
    if len(splits) < 2 and sum(map(len, splits.values())) < _WHOLE:
        return
    for split, articles in splits.items():
        proposals = [s for annotated in articles for s in annotated.statements if s.n is not None]
        for what, all_, seen in (
            ("topic", topics, {topic for s in proposals for topic in s.topics}),
            ("stance", STANCES, {s.stance for s in proposals}),
        ):
            missing = _missing(all_, seen)
            if articles and missing:
                yield Problem(split, f"no record with the {what} {', '.join(missing)}", "warning")


def _missing(wanted: Iterable[str], seen: Iterable[str | None]) -> list[str]:
    have = set(seen)
    return [label for label in wanted if label not in have]
