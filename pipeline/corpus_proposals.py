"""Single proposals with topics and stance but no article around them: more to learn these two labels from.

A file holds one language, a JSON object a line: `{"text": "…", "topics": ["health"], "stance": "promote"}`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .corpus import AnnotatedArticle, CorpusError, Entity, GoldStatement, Problem, near_duplicates
from .corpus_paragraphs import join
from .schema import STANCES, Article

#: Where a corpus folder keeps them, beside its splits; they belong to train.
FOLDER = "proposals"
# Short texts share much by chance; above this they tell the same.
_ALIKE = 0.5


@dataclass(frozen=True)
class LabelledProposal:
    """The words of one proposal, its topics (most specific first) and its stance."""

    text: str
    topics: tuple[str, ...]
    stance: str


def load_proposals(path: Path, topics: Collection[str]) -> list[LabelledProposal]:
    """Return the proposals of a file; raise `CorpusError` that names the file and the line of a broken one."""
    return [proposal for _, proposal in _numbered(path, topics)]


def _numbered(path: Path, topics: Collection[str]) -> list[tuple[int, LabelledProposal]]:
    try:
        # Not by `splitlines`: JSON may hold line separators of other kinds.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: {error}") from None
    return [(n, _parse(line, f"{path}:{n}", topics)) for n, line in enumerate(lines, 1) if line.strip()]


def _parse(line: str, source: str, topics: Collection[str]) -> LabelledProposal:
    try:
        row: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise CorpusError(f"{source}: not JSON: {error}") from None
    for complaint in _complaints(row, topics):
        raise CorpusError(f"{source}: {complaint}")
    return LabelledProposal(row["text"], tuple(row["topics"]), row["stance"])


def _complaints(row: Any, topics: Collection[str]) -> Iterator[str]:
    if not isinstance(row, dict) or set(row) != {"text", "topics", "stance"}:
        yield "not an object with text, topics and stance alone"
        return
    text, labels = row["text"], row["topics"]
    if not isinstance(text, str) or not text.strip() or text != text.strip() or "\n" in text:
        yield "text is not one line of words without space at its edges"
    if not isinstance(labels, list) or not labels:
        yield "topics is not a list with at least one"
    else:
        for label in labels:
            if label not in topics:
                yield f"no topic {label!r} in configs/topics.toml"
        if len(set(map(str, labels))) < len(labels):
            yield "a topic twice"
    if row["stance"] not in STANCES:
        yield f"stance {row['stance']!r}; one of {', '.join(STANCES)}"


def pages(
    proposals: Sequence[LabelledProposal],
    size: int,
    seed: int | None = None,
    between: Sequence[AnnotatedArticle] = (),
) -> list[AnnotatedArticle]:
    """Return the proposals as made-up articles of `size` paragraphs, each by somebody of its own.

    Read together they cost less, and a model doesn't learn that a proposal is all that an article has. `seed` mixes
    who stands beside whom. Of `between`, paragraphs without proposals, each article gets one somewhere, so that not
    all that it reads is proposed; this needs a seed.
    """
    order = list(proposals)
    random_ = random.Random(seed)
    if seed is not None:
        random_.shuffle(order)
    found = []
    for at in range(0, len(order), size):
        parts = [_alone(proposal) for proposal in order[at : at + size]]
        if between and seed is not None:
            parts.insert(random_.randrange(len(parts) + 1), random_.choice(between))
        found.append(join(parts, f"{FOLDER}-{at // size + 1}"))
    return found


def _alone(proposal: LabelledProposal) -> AnnotatedArticle:
    holder = Entity("p", "person", "p")
    statement = GoldStatement(0, len(proposal.text), ("p",), "1", proposal.topics, proposal.stance)
    return AnnotatedArticle(Article(FOLDER, proposal.text), None, (holder,), (), (statement,))


def check_proposals(
    root: Path, topics: Collection[str], splits: Mapping[str, Iterable[AnnotatedArticle]]
) -> Iterator[Problem]:
    """Yield what is wrong with the single proposals of a corpus folder: the first broken line of each file, the same
    words twice, and words that stand in dev or test.
    """
    texts: dict[str, str] = {}
    for path in sorted(root.glob(f"{FOLDER}/*.jsonl")):
        try:
            texts |= {f"{FOLDER}/{path.name}:{n}": proposal.text for n, proposal in _numbered(path, topics)}
        except CorpusError as error:
            yield Problem(FOLDER, str(error))
    held_out = {
        f"{split}/{annotated.article.id}:{statement.start}": annotated.article.text[statement.start : statement.end]
        for split, articles in splits.items()
        if split != "train" and texts
        for annotated in articles
        for statement in annotated.statements
        if statement.n is not None
    }
    for single, other, share in (*_equal(texts, held_out), *_alike(texts, held_out)):
        if other in held_out:
            yield Problem(single, f"leaks: shares {share:.0%} of its word sequences with {other}")
        else:
            message = f"is much like another: shares {share:.0%} of its word sequences with {other}"
            yield Problem(single, message, "warning")


def _equal(texts: Mapping[str, str], held_out: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    """Yield the single proposals with the very words of another, or of one that is held out."""
    seen = {text.casefold(): key for key, text in held_out.items()}
    for key, text in texts.items():
        other = seen.setdefault(text.casefold(), key)
        if other != key:
            yield key, other, 1.0


def _alike(texts: Mapping[str, str], held_out: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    for first, second, share in near_duplicates({**texts, **held_out}, threshold=_ALIKE):
        if first not in texts:
            first, second = second, first
        if first in texts and texts[first].casefold() != (texts.get(second) or held_out[second]).casefold():
            yield first, second, share
