"""Annotated articles cut into their paragraphs, and paragraphs of any origin joined to an article."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .corpus import AnnotatedArticle
from .schema import Article

_GAP = "\n\n"


def background(gold: AnnotatedArticle) -> Iterator[AnnotatedArticle]:
    """Yield the paragraphs of an article in which nobody states anything, each as an article with its mentions."""
    start = 0
    for line in gold.article.text.split("\n"):
        end = start + len(line)
        if line.strip() and not any(s.start < end and start < s.end for s in gold.statements):
            mentions = tuple(
                replace(m, start=m.start - start, end=m.end - start)
                for m in gold.mentions
                if start <= m.start and m.end <= end
            )
            named = {entity for mention in mentions for entity in mention.of}
            entities = tuple(entity for entity in gold.entities if entity.id in named)
            yield AnnotatedArticle(Article(f"{gold.article.id}:{start}", line), None, entities, mentions, ())
        start = end + 1


def join(parts: Sequence[AnnotatedArticle], article_id: str) -> AnnotatedArticle:
    """Return articles as one, a blank line between them; nobody in one part is somebody in another."""
    entities, mentions, statements = [], [], []
    start = 0
    for number, part in enumerate(parts, 1):
        new = {entity.id: f"{entity.id}-{number}" for entity in part.entities}
        entities += [replace(entity, id=new[entity.id]) for entity in part.entities]
        mentions += [
            replace(m, start=m.start + start, end=m.end + start, of=tuple(new[of] for of in m.of))
            for m in part.mentions
        ]
        statements += [
            replace(s, start=s.start + start, end=s.end + start, by=tuple(new[by] for by in s.by))
            for s in part.statements
        ]
        start += len(part.article.text) + len(_GAP)
    text = _GAP.join(part.article.text for part in parts)
    return AnnotatedArticle(Article(article_id, text), None, tuple(entities), tuple(mentions), tuple(statements))
