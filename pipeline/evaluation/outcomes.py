"""What came of each article: several systems of one pipeline run over a set, what they share only once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from spacy.tokens import Doc

from ..document import mentions_of
from .gold import GoldArticle, GoldSet
from .predictions import may_open, open_sources, read_doc
from .reliability import Judgement
from .scores import Claim, Match, Tallies, match_claims, wrong_predictions
from .stages import StageScore, score_stage
from .system import CLASSIFY, PIPELINE, RECOGNISE, STAGES, System, fresh
from .tallies import annotated_tallies, source_tallies, whole_tallies

_BATCH = 16


@dataclass(frozen=True)
class Outcome:
    """What became of one article: its text, what was to be found, what was found, and which is which.

    Nothing was to be found where the whole pipeline was not run; `on_gold` are the records that the last stage alone
    was given, with what it says of each. `mentions`: the scores of the mentions found, and whether each is right.
    `unknown`: the aspects of the gold records that are not annotated. `listed`: as in `Prediction`.
    """

    id: str
    text: str
    gold: tuple[Claim, ...] = ()
    predicted: tuple[Claim, ...] = ()
    matches: tuple[Match, ...] = ()
    wrong: Mapping[int, str] = field(default_factory=dict)
    tallies: Tallies = field(default_factory=dict)
    on_gold: tuple[tuple[Claim, Claim], ...] = ()
    mentions: tuple[Judgement, ...] = ()
    unknown: frozenset[str] = frozenset()
    listed: frozenset[bool] = frozenset()

    @property
    def asked(self) -> tuple[Claim, ...]:
        """The gold records that there can be errors about: those to be found, or else those given to the last stage."""
        return self.gold or tuple(claim for claim, _ in self.on_gold)

    @property
    def missed(self) -> tuple[int, ...]:
        """The gold records that were not found, by index."""
        found = {match.gold for match in self.matches if match.found}
        return tuple(index for index in range(len(self.gold)) if index not in found)

    @property
    def pairs(self) -> tuple[tuple[Claim, Claim], ...]:
        """The found records with what was predicted of them."""
        return tuple((self.gold[m.gold], self.predicted[m.predicted]) for m in self.matches if m.found)


@dataclass(frozen=True)
class _Shared:
    """What is the same of one article for all systems that do not replace a stage, by that stage.

    `scored`: the stage alone; `reached`: the document behind it where none before it is replaced either.
    """

    scored: dict[str, StageScore] = field(default_factory=dict)
    reached: dict[str, Doc] = field(default_factory=dict)


def article_outcomes(systems: Sequence[System], gold: GoldSet, parts: Sequence[str]) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each article, one a system; what its set does not annotate is not in their tallies.

    `parts`: the whole pipeline (`PIPELINE`), stages alone, or both.
    """
    for at in range(0, len(gold.articles), _BATCH):
        batch = gold.articles[at : at + _BATCH]
        prepared = systems[0].prepare([item.article for item in batch])
        for item, doc in zip(batch, prepared, strict=True):
            shared = _Shared()
            found = [_outcome(system, item, doc, gold.labels, parts, shared) for system in systems]
            yield [
                replace(outcome, tallies=annotated_tallies(outcome.tallies, gold.unknown), unknown=gold.unknown)
                for outcome in found
            ]


def without_unsaid(outcomes: Sequence[Outcome], system: System) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """Leave out of the tallies, and name, what the system's linker can't say; that is no error of any article.

    What it can say and does not is one.
    """
    given = {key for outcome in outcomes for key, tally in outcome.tallies.items() if tally.predicted}
    asked = {key for outcome in outcomes for key in outcome.tallies}
    unsaid, notes = set[str](), []
    memberships = {"link.gold/BODY", "link.predicted/BODY", "holder.gold/BODY"}
    listed = frozenset[bool]().union(*(outcome.listed for outcome in outcomes))
    if memberships & asked and listed == {False}:
        unsaid |= memberships
        notes.append("memberships → person: this linker does not say which one is whose")
    if "source" in asked - given and not may_open(system):
        unsaid.add("source")
        notes.append("sources: this linker names only those of delegates' proposals, and there are none")
    kept = (
        replace(outcome, tallies={key: tally for key, tally in outcome.tallies.items() if key not in unsaid})
        for outcome in outcomes
    )
    return tuple(kept), tuple(notes)


def _outcome(
    system: System, item: GoldArticle, prepared: Doc, labels: Sequence[str], parts: Sequence[str], shared: _Shared
) -> Outcome:
    whole = PIPELINE in parts
    outcome = Outcome(item.article.id, item.article.text)
    if whole:
        outcome = _whole_outcome(system, item, prepared, labels, shared.reached)
    for stage in STAGES:
        # The mentions of the whole pipeline are those of the first stage alone.
        if stage not in parts or (stage == RECOGNISE and whole):
            continue
        known = {} if stage in system.replaced else shared.scored
        if stage not in known:
            known[stage] = score_stage(stage, system, item, prepared, labels)
        score = known[stage]
        outcome = replace(
            outcome,
            tallies=outcome.tallies | score.tallies,
            on_gold=outcome.on_gold or score.on_gold,
            listed=outcome.listed | score.listed,
        )
    return outcome


def _whole_outcome(
    system: System, item: GoldArticle, prepared: Doc, labels: Sequence[str], reached: dict[str, Doc]
) -> Outcome:
    """Return what the whole pipeline makes of an article; `reached` as in `_Shared`."""
    text = item.article.text
    doc = _whole_run(system, item, prepared, reached)
    found = read_doc(doc)
    gold, predicted = (item.claims, found.claims) if item.claims is not None else ((), ())
    matches = match_claims(text, gold, predicted)
    tallies = whole_tallies(item, found, matches, labels)
    if item.attributions is not None:
        tallies |= source_tallies(item, open_sources(system, prepared, item.article))
    return Outcome(
        id=item.article.id,
        text=text,
        gold=gold,
        predicted=predicted,
        matches=matches,
        wrong=wrong_predictions(text, gold, predicted, matches),
        tallies=tallies,
        mentions=tuple(_mention_judgements(item, doc, labels)),
        listed=found.listed,
    )


def _whole_run(system: System, item: GoldArticle, prepared: Doc, reached: dict[str, Doc]) -> Doc:
    """Return the document behind the last stage; those before the first replaced one run once for all systems."""
    stages = list(dict.fromkeys(stage for stage, _ in system.components() if stage is not None))
    after = None
    for stage in takewhile(lambda stage: stage not in system.replaced, stages):
        if stage not in reached:
            # A copy goes on, so that what a later stage writes is not seen by another system.
            doc = reached[after].copy() if after else fresh(system.nlp, prepared, item.article)
            reached[stage] = system.run(doc, {}, stage, after)
        after = stage
    if after is None:
        return system.run(fresh(system.nlp, prepared, item.article), {})
    return reached[after] if after == CLASSIFY else system.run(reached[after].copy(), {}, after=after)


def _mention_judgements(item: GoldArticle, doc: Doc, labels: Sequence[str]) -> Iterator[Judgement]:
    if item.mentions is None:
        return
    wanted = {(mention.start, mention.end, mention.label) for mention in item.mentions}
    for mention in mentions_of(doc):
        if mention.label in labels:
            yield Judgement(mention.score, (mention.start, mention.end, mention.label) in wanted)
