"""Articles → records: picks the pipeline of each article's language and runs it in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

from spacy.language import Language
from spacy.tokens import Doc

from .build import load_pipeline, model_digest
from .document import article_of, make_doc
from .languages import Languages
from .read import Failure
from .resolve import own_ids
from .schema import Article, Record, stable_hash


class Known(Protocol):
    """What is known of earlier runs."""

    def known_id(self, value: Article) -> str | None:
        """Return the id that an article, or a version of it, has already; None for a new one."""
        ...

    def is_other(self, name: str, value: Article) -> bool:
        """Tell whether an id belongs to an article with another text."""
        ...


@dataclass
class Extractor:
    """Runs articles of any language; pipelines are loaded when the first article needs them.

    `load` turns a model's name into a pipeline; `model` overrides the one that `languages` names for the language that
    it is for; records scored below `min_score` are left out.
    """

    languages: Languages
    load: Callable[[str], Language] = load_pipeline
    model: str | None = None
    min_score: float = 0.0
    batch_size: int = 16
    _loaded: dict[str, Language] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)

    def pipeline(self, lang: str | None) -> Language | None:
        """Return the pipeline for a language, or None where there is none."""
        if self.model is not None:
            override = self._pipeline(self.model)
            if lang is not None and override.lang in (lang, "xx"):
                return override
        name = self.languages.model(lang)
        return None if name is None else self._pipeline(name)

    def _pipeline(self, name: str) -> Language:
        if name not in self._loaded:
            self._loaded[name] = self.load(name)
        return self._loaded[name]

    def models(self) -> dict[str, str]:
        """Return the digest of each configured language's model."""
        found = {}
        for code in self.languages.table:
            nlp = self.pipeline(code)
            if nlp is not None:
                found[code] = model_digest(nlp)
        return found

    def docs(
        self,
        inputs: Iterable[Article | Failure],
        skip: Callable[[Article], bool] = lambda _: False,
        known: Known | None = None,
    ) -> Iterator[Doc | Failure]:
        """Yield a processed `Doc` for each article, in order, and pass failures on.

        `skip` is asked once for each article; those it answers True for are left out. `known` tells of the articles
        of earlier runs, so that each keeps its id. An article whose language has no model, or on which a stage fails,
        becomes a failure.
        """
        stream = iter(inputs)
        while batch := list(islice(stream, self.batch_size)):
            kept = [
                item
                for item in (self._with_own_id(item, known) if isinstance(item, Article) else item for item in batch)
                if isinstance(item, Failure) or not skip(item)
            ]
            yield from self._batch(kept)

    def _with_own_id(self, article: Article, known: Known | None) -> Article:
        """Keep different articles apart that come with one id (the same file name in two folders)."""
        digest = stable_hash(article.text)
        held = known.known_id(article) if known else None
        if held and self._seen.setdefault(held, digest) == digest:
            return replace(article, id=held)
        for name in own_ids(article):
            taken = known is not None and article.file is not None and known.is_other(name, article)
            if not taken and self._seen.setdefault(name, digest) == digest:
                return replace(article, id=name)
        raise ValueError(f"{article.id}: no id is left for it")

    def _batch(self, items: list[Article | Failure]) -> Iterator[Doc | Failure]:
        results: dict[int, Doc | Failure] = {}
        waiting: dict[str | None, list[int]] = {}
        for index, item in enumerate(items):
            if isinstance(item, Failure):
                results[index] = item
            elif self.pipeline(item.lang) is None:
                name = self.languages.name(item.lang) if item.lang else "an unknown language"
                results[index] = Failure(item.id, f"in {name}; there is no model for it")
            else:
                waiting.setdefault(item.lang, []).append(index)
        for lang, indexes in waiting.items():
            nlp = self.pipeline(lang)
            assert nlp is not None
            results.update(zip(indexes, _process(nlp, [items[i] for i in indexes]), strict=True))  # type: ignore[misc]
        for index in range(len(items)):
            result = results[index]
            if isinstance(result, Doc) and self.min_score > 0:
                result._.proposals = [p for p in result._.proposals or [] if p["score"] >= self.min_score]
            yield result

    def records(self, inputs: Iterable[Article | Failure]) -> Iterator[Record | Failure]:
        """Yield the records of each article, in order, and pass failures on."""
        for result in self.docs(inputs):
            if isinstance(result, Failure):
                yield result
            else:
                yield from result._.records


def _process(nlp: Language, articles: list[Article]) -> list[Doc | Failure]:
    try:
        docs = [make_doc(nlp, article) for article in articles]
        for doc, article in zip(docs, articles, strict=True):
            doc._.models = {article.lang or "": model_digest(nlp)}
        return list(nlp.pipe(docs, batch_size=len(docs)))
    except Exception as error:
        if len(articles) == 1:
            return [Failure(articles[0].id, f"a stage failed on it: {type(error).__name__}: {error}")]
    # One article broke the batch: find it, so that the others are not lost.
    return [result for article in articles for result in _process(nlp, [article])]


def article_records(doc: Doc) -> tuple[Article, list[Record]]:
    """Return the article of a processed document and its records."""
    return article_of(doc), doc._.records
