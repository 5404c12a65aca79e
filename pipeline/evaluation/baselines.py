"""What a model has to beat: nearest name, majority, TF-IDF with logistic regression, and the rules."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..classify import stance_label
from ..document import article_of, mentions_of, statements_of
from ..languages import load_languages
from ..rules.lexicon import Lexicon, load_lexicon
from ..rules.link import SAME_RECORD, link
from ..schema import PROPOSAL, Mention
from ..scripts import HAN, chinese
from .gold import GoldArticle
from .system import CLASSIFY, LINK, System

NEAREST, MAJORITY, TFIDF, RULES = "nearest-name", "majority", "tfidf", "rules"
BASELINES = (RULES, NEAREST, MAJORITY, TFIDF)
# Words of two characters or more, and those of a text without spaces between them: each of its characters.
_WORDS = r"(?u)\b\w\w+\b"
_CHARACTERS = rf"[{HAN}]|[^\W{HAN}]{{2,}}"


class BaselineError(ValueError):
    """A baseline that can't be had here; the message says what it needs."""


@dataclass(frozen=True)
class TrainingText:
    """The words of a gold record of the train split, its topics and its stance."""

    text: str
    topics: tuple[str, ...]
    stance: str


def rule_pipeline(lang: str) -> str:
    """Return the name of the rule pipeline of a language, which has one if there is such a config."""
    return f"{lang}-rules"


def baseline(
    name: str,
    nlp: Language,
    load: Callable[[str], Language],
    train: Callable[[], Sequence[GoldArticle]],
    lang: str | None = None,
) -> System:
    """Return a baseline of a pipeline: `nlp` with a stage replaced, or the rules; `train` gives what it may learn from.

    `lang` is the language of the articles, by default that of `nlp`. Raises `BaselineError` for an unknown name, or
    where what the baseline needs is missing.
    """
    lang = lang or nlp.lang or ""
    if name in (RULES, NEAREST):
        try:
            if name == RULES:
                return System(RULES, load(rule_pipeline(lang)))
            return System(NEAREST, nlp, {LINK: NearestName(load_lexicon(lang))})
        except FileNotFoundError as error:
            raise BaselineError(f"baseline {name} needs rules for {load_languages().name(lang)}: {error}") from None
    if name in (MAJORITY, TFIDF):
        texts = training_texts(train())
        if not texts:
            raise BaselineError(f"baseline {name}: the train split holds no record")
        return System(name, nlp, {CLASSIFY: Majority(texts) if name == MAJORITY else Tfidf(texts)})
    raise BaselineError(f"no baseline {name!r}; there are: {', '.join(BASELINES)}, all, none")


def training_texts(articles: Sequence[GoldArticle]) -> list[TrainingText]:
    """Return the gold records of articles as texts with their labels."""
    return [
        TrainingText(" ".join(item.article.text[a:b] for a, b in claim.spans), claim.topics, claim.stance or "neither")
        for item in articles
        for claim in item.claims or ()
    ]


class NearestName:
    """Links each proposal span to the person named nearest to it, and keeps it where that person has a membership.

    Where no person is named at all, the nearest organization is taken. Posts go to people as in the rules: by nearness.
    Without a `lexicon` that of each article's language is taken.
    """

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self.lexicon = lexicon

    def __call__(self, doc: Doc) -> Doc:
        mentions = mentions_of(doc)
        lexicon = self.lexicon or load_lexicon(article_of(doc).lang or doc.lang_)
        entities, _ = link(doc.text, mentions, (), lexicon)
        owner = {tuple(place): index for index, entity in enumerate(entities) for place in entity["mentions"]}
        proposals: list[dict[str, Any]] = []
        for statement in statements_of(doc):
            source = nearest(statement, [m for m in mentions if m.label == "PERSON"]) or nearest(
                statement, [m for m in mentions if m.label == "ORG"]
            )
            if source is None or statement.label != PROPOSAL:
                continue
            entity = owner.get((source.start, source.end))
            if entity is None:
                entity = owner[source.start, source.end] = len(entities)
                entities.append(_organization(source, entity))
            if entities[entity]["kind"] == "person" and not entities[entity]["member"]:
                continue
            last = proposals[-1] if proposals else None
            close = lexicon.reach(SAME_RECORD)
            if last and last["entity"] == entity and statement.start - last["spans"][-1][1] < close:
                last["spans"].append([statement.start, statement.end])
                continue
            spans = [[statement.start, statement.end]]
            proposals.append({"entity": entity, "spans": spans, "score": statement.score})
        doc._.entities, doc._.proposals = entities, proposals
        return doc


def nearest(statement: Mention, mentions: Sequence[Mention]) -> Mention | None:
    """Return the mention outside of a statement with the fewest characters between; None where there is none."""
    outside = [m for m in mentions if m.end <= statement.start or m.start >= statement.end]
    return min(outside, key=lambda m: max(m.start - statement.end, statement.start - m.end), default=None)


def _organization(mention: Mention, index: int) -> dict[str, Any]:
    return {
        "id": f"e{index}", "kind": "organization", "name": mention.text, "name_zh": None, "body": None, "member": False,
        "roles": [], "mentions": [[mention.start, mention.end]],
    }  # fmt: skip


class _Classifier(ABC):
    """What both text classifiers share: the words of a proposal in, topics and stance out."""

    def __call__(self, doc: Doc) -> Doc:
        proposals = doc._.proposals or []
        words = [" ".join(doc.text[start:end] for start, end in proposal["spans"]) for proposal in proposals]
        found = self.classify(words) if words else []
        doc._.proposals = [{**proposal, **labels} for proposal, labels in zip(proposals, found, strict=True)]
        return doc

    @abstractmethod
    def classify(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return `topics` and `stance` of each text."""


class Majority(_Classifier):
    """Gives every proposal the most frequent set of topics and the most frequent stance of the train split."""

    def __init__(self, texts: Sequence[TrainingText]) -> None:
        topics, count = Counter(tuple(sorted(item.topics)) for item in texts).most_common(1)[0]
        sides = {
            side: round(sum(item.stance in (side, "both") for item in texts) / len(texts), 4)
            for side in ("promote", "regulate")
        }
        stance = Counter(item.stance for item in texts).most_common(1)[0][0]
        self.answer: dict[str, Any] = {
            "topics": [{"label": label, "score": round(count / len(texts), 4)} for label in topics],
            "stance": {"label": stance, **sides},
        }

    def classify(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return the same answer for each text."""
        return [self.answer for _ in texts]


class Tfidf(_Classifier):
    """TF-IDF of words and word pairs, and a logistic regression a topic and a side of the stance."""

    def __init__(self, texts: Sequence[TrainingText]) -> None:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
            from sklearn.linear_model import LogisticRegression
        except ImportError:
            raise BaselineError("baseline tfidf needs scikit-learn: pip install 'two-sessions[train]'") from None
        unspaced = 2 * sum(chinese(item.text) for item in texts) > len(texts)
        pattern = _CHARACTERS if unspaced else _WORDS
        self.vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, token_pattern=pattern)
        rows = self.vectorizer.fit_transform([item.text for item in texts])
        labels = Counter(topic for item in texts for topic in item.topics)
        wanted = {topic: [topic in item.topics for item in texts] for topic in sorted(labels)}
        for side in ("promote", "regulate"):
            wanted[f"stance {side}"] = [item.stance in (side, "both") for item in texts]

        def fit(answers: Sequence[bool]) -> Any:
            # A label that all texts have, or none, can't be learned; its share is known all the same.
            if len(set(answers)) == 1:
                return float(answers[0])
            return LogisticRegression(C=10, class_weight="balanced", solver="liblinear").fit(rows, answers)

        # The solver lets other threads run; a regression a label is most of the work of this baseline.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            self.models: dict[str, Any] = dict(zip(wanted, pool.map(fit, wanted.values()), strict=True))

    def classify(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return the topics over one half, the best one where none is, and both sides of the stance."""
        rows = self.vectorizer.transform(texts)
        columns = {
            label: [model] * len(texts) if isinstance(model, float) else model.predict_proba(rows)[:, 1]
            for label, model in self.models.items()
        }
        found = []
        for index in range(len(texts)):
            probs = {label: round(float(column[index]), 4) for label, column in columns.items()}
            promote, regulate = probs.pop("stance promote"), probs.pop("stance regulate")
            ranked = sorted(probs, key=lambda label: -probs[label])
            kept = [label for label in ranked if probs[label] >= 0.5] or ranked[:1]
            stance = {"label": stance_label(promote >= 0.5, regulate >= 0.5), "promote": promote, "regulate": regulate}
            found.append({"topics": [{"label": label, "score": probs[label]} for label in kept], "stance": stance})
        return found
