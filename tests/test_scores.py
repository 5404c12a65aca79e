"""Every metric against a case counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.evaluation.intervals import Measure, Tally, compare, count_articles, estimate, figure, resample_weights
from pipeline.evaluation.reliability import Judgement, calibrate, risk_coverage
from pipeline.evaluation.scores import (
    LOOK_ALIKE,
    SURPLUS,
    WRONG_PROPONENT,
    WRONG_SPAN,
    Claim,
    Holding,
    Party,
    Tag,
    agrees,
    attribution_tallies,
    characters,
    core_right,
    holder_tallies,
    likeness,
    link_tallies,
    match_claims,
    mention_tallies,
    normalise,
    overlap,
    posts_right,
    span_tallies,
    stance_confusions,
    stance_tallies,
    topic_confusions,
    topic_tallies,
    whole_right,
    wrong_predictions,
)

TEXT = "x" * 200
MA, LI, WANG = Party("Ma Huateng"), Party("Li Shijie"), Party("Wang Fang")


def claim(party: Party, *spans: tuple[int, int], **more: object) -> Claim:
    return Claim(party, spans, **more)  # type: ignore[arg-type]


def attribution(gold: list[Claim], predicted: list[Claim], text: str = TEXT) -> dict[str, Tally]:
    return attribution_tallies(text, gold, predicted, match_claims(text, gold, predicted))


# Names


@pytest.mark.parametrize(
    ("gold", "predicted", "right"),
    [
        (Party("Ma Huateng"), Party("MA HUATENG"), True),
        (Party("Ma Huateng"), Party("Huateng Ma"), True),
        (Party("Ma Huateng"), Party("Ma"), True),
        (Party("Ma"), Party("Ma Huateng"), True),
        (Party("Ma Huateng"), Party("Pony Ma"), False),
        (Party("Ma Huateng", aliases=("Pony Ma",)), Party("Pony Ma"), True),
        (Party("Ma Huateng", aliases=("马化腾",)), Party("马化腾"), True),
        (Party("Ma Huateng", aliases=("马化腾",)), Party("Pony", aliases=("马化腾",)), True),
        (Party("Ma Huateng"), Party("Ma Huajun"), False),
        (Party("Ma Huateng"), Party("Ma Huateng", "organization"), False),
        (Party("The Jiusan Society", "organization"), Party("Jiusan Society", "organization"), True),
        (
            Party("Jiusan Society", "organization"),
            Party("Central Committee of the Jiusan Society", "organization"),
            True,
        ),
        (Party("Jiusan Society", "organization"), Party("China Zhi Gong Party", "organization"), False),
        (Party("All-China Federation", "organization", ("ACF",)), Party("ACF", "organization"), True),
        # What any organization may be called is the name of none: small words, countries, kinds of organizations.
        (Party("Central Committee of the Jiusan Society", "organization"), Party("Committee", "organization"), False),
        (Party("Central Committee of the Jiusan Society", "organization"), Party("of", "organization"), False),
        (Party("China Zhi Gong Party", "organization"), Party("China", "organization"), False),
        (Party("Central Committee of the Jiusan Society", "organization"), Party("Jiusan", "organization"), True),
        (Party("China Democratic League", "organization"), Party("Democratic League", "organization"), True),
        (Party("Bank of China Co., Ltd", "organization"), Party("Bank of China", "organization"), True),
        (Party("马化腾"), Party("马代表"), True),
        (Party("马化腾"), Party("化腾"), False),
        (Party("马化腾"), Party("马云"), False),
        (Party("腾讯", "organization"), Party("腾讯公司", "organization"), True),
        (Party("九三学社中央", "organization"), Party("九三学社", "organization"), True),
        (Party("北京大学", "organization"), Party("大学", "organization"), False),
        (Party("中国银行", "organization"), Party("银行", "organization"), False),
        (Party("银行", "organization"), Party("银行", "organization"), True),
    ],
)
def test_a_proponent_agrees_by_name(gold: Party, predicted: Party, right: bool) -> None:
    assert agrees(gold, predicted) is right


# Spans


def test_edges_lose_white_space_quotation_marks_and_final_punctuation() -> None:
    text = "He said: “ Ban it now!” , and left."
    start, end = text.index("“"), text.index(", and")
    (span,) = normalise(text, [(start, end)])
    assert text[slice(*span)] == "Ban it now"
    assert normalise("...", [(0, 3)]) == ()
    assert normalise("a, b", [(0, 4), (0, 4)]) == ((0, 4),)


def test_overlap_is_the_intersection_over_the_union_of_characters() -> None:
    assert overlap(characters([(0, 10)]), characters([(5, 20)])) == pytest.approx(5 / 20)
    assert overlap(characters([(0, 5), (10, 15)]), characters([(0, 15)])) == pytest.approx(10 / 15)
    assert overlap(frozenset(), frozenset()) == 0


# Attribution


def test_missing_gold_records_and_surplus_predictions_count() -> None:
    gold = [claim(MA, (0, 20)), claim(LI, (30, 50)), claim(WANG, (60, 80))]
    predicted = [claim(MA, (0, 20)), claim(LI, (100, 120))]
    found = attribution(gold, predicted)
    assert found["attribution.overlap"] == Tally(1, 3, 2)
    assert found["attribution.overlap"].f1 == pytest.approx(2 / 5)
    assert found["attribution.exact"] == Tally(1, 3, 2)
    assert found["proponent"] == Tally(2, 3, 2)


def test_a_duplicate_is_right_once() -> None:
    found = attribution([claim(MA, (0, 20))], [claim(MA, (0, 20)), claim(MA, (0, 20))])
    assert found["attribution.overlap"] == Tally(1, 1, 2)
    assert found["proponent"] == Tally(1, 1, 1)
    assert found["attribution.characters"] == Tally(20, 20, 20)


def test_swapped_names_find_nothing_but_both_proponents() -> None:
    found = attribution([claim(MA, (0, 20)), claim(LI, (30, 50))], [claim(LI, (0, 20)), claim(MA, (30, 50))])
    assert found["attribution.overlap"] == Tally(0, 2, 2)
    assert found["attribution.characters"] == Tally(0, 40, 40)
    assert found["proponent"] == Tally(2, 2, 2)


def test_discontinuous_spans_are_matched_as_one_union() -> None:
    gold = [claim(MA, (0, 20), (40, 60))]
    # 20 of 40 characters: exactly the threshold. 19 of 40: below.
    assert attribution(gold, [claim(MA, (0, 20))])["attribution.overlap"] == Tally(1, 1, 1)
    assert attribution(gold, [claim(MA, (0, 20))])["attribution.exact"] == Tally(0, 1, 1)
    assert attribution(gold, [claim(MA, (0, 19))])["attribution.overlap"] == Tally(0, 1, 1)
    assert attribution(gold, [claim(MA, (40, 60), (0, 20))])["attribution.exact"] == Tally(1, 1, 1)
    # Two predicted records for one gold record: one of them is surplus.
    assert attribution(gold, [claim(MA, (0, 20)), claim(MA, (40, 60))])["attribution.overlap"] == Tally(1, 1, 2)


def test_the_assignment_has_the_largest_total_overlap() -> None:
    gold = [claim(MA, (0, 100)), claim(MA, (0, 60))]
    predicted = [claim(MA, (0, 60)), claim(MA, (0, 55))]
    # Greedy by gold order would take 0.6 + 0.917 = 1.517; the other way 0.55 + 1 = 1.55.
    assert [(m.gold, m.predicted) for m in match_claims(TEXT, gold, predicted)] == [(0, 1), (1, 0)]


def test_an_article_without_records_counts_what_is_named_in_it() -> None:
    assert attribution([], [])["attribution.overlap"] == Tally(0, 0, 0)
    assert attribution([], [])["attribution.overlap"].f1 is None
    found = attribution([], [claim(MA, (0, 10))])
    assert found["attribution.overlap"] == Tally(0, 0, 1)
    assert found["attribution.overlap"].f1 == 0
    assert found["attribution.characters"] == Tally(0, 0, 10)
    assert found["proponent"] == Tally(0, 0, 1)


def test_a_joint_proposal_is_one_record_for_each() -> None:
    gold = [claim(MA, (0, 20)), claim(LI, (0, 20))]
    assert attribution(gold, gold)["attribution.overlap"] == Tally(2, 2, 2)
    assert attribution(gold, [claim(LI, (0, 20))])["attribution.overlap"] == Tally(1, 2, 1)
    assert attribution(gold, [claim(LI, (0, 20))])["attribution.characters"] == Tally(20, 40, 20)


def test_characters_of_a_proponent_are_pooled_over_records_and_names() -> None:
    gold = [claim(MA, (0, 20)), claim(MA, (20, 40)), claim(LI, (50, 60))]
    predicted = [claim(Party("Ma"), (10, 30)), claim(Party("Huateng"), (25, 45)), claim(WANG, (50, 60))]
    # Ma: 10..45 given (35), 10..40 of it right (30); Wang's 10 are given in vain.
    found = attribution(gold, predicted)["attribution.characters"]
    assert found == Tally(30, 50, 45)
    assert found.f1 == pytest.approx(60 / 95)


def test_a_proponent_is_one_whatever_aliases_its_records_list() -> None:
    gold = [claim(replace(MA, aliases=("Pony Ma",)), (0, 20)), claim(replace(MA, name="MA HUATENG"), (20, 40))]
    found = attribution(gold, [claim(MA, (0, 20), (20, 40))])
    assert found["attribution.characters"] == Tally(40, 40, 40)
    found = attribution(gold, [claim(Party("Pony Ma"), (0, 40))])
    assert (found["attribution.characters"], found["proponent"]) == (Tally(40, 40, 40), Tally(1, 1, 1))
    predicted = [claim(replace(MA, aliases=("马化腾",)), (0, 20)), claim(MA, (20, 40))]
    assert attribution([claim(MA, (0, 40))], predicted)["attribution.characters"] == Tally(40, 40, 40)


def test_the_same_name_goes_before_others_that_may_mean_the_same() -> None:
    assert likeness(MA, Party("MA HUATENG")) > 2 * likeness(MA, Party("Ma")) > 0
    assert likeness(MA, LI) == 0


def test_buckets_count_the_recall_of_gold_records() -> None:
    gold = [claim(MA, (0, 20), traits=("list", "several delegates")), claim(LI, (30, 50), traits=("list",))]
    found = attribution(gold, [claim(MA, (0, 20))])
    assert found["bucket/list"] == Tally(1, 2, 2)
    assert found["bucket/several delegates"] == Tally(1, 1, 1)


def test_wrong_predictions_are_told_apart() -> None:
    gold = [claim(MA, (0, 20)), claim(LI, (30, 50)), claim(MA, (60, 100))]
    predicted = [
        claim(MA, (0, 20)),  # right
        claim(MA, (0, 20)),  # the same again
        claim(WANG, (30, 50)),  # proposes nothing in the gold
        claim(MA, (30, 50)),  # Li's words
        claim(MA, (60, 65)),  # too short
        claim(LI, (150, 160)),  # words of nobody
    ]
    matches = match_claims(TEXT, gold, predicted)
    assert wrong_predictions(TEXT, gold, predicted, matches) == {
        1: SURPLUS,
        2: LOOK_ALIKE,
        3: WRONG_PROPONENT,
        4: WRONG_SPAN,
        5: SURPLUS,
    }


# Whole records

FULL = Claim(MA, ((0, 20),), "NPC", ("Chairman and CEO",), ("Tencent",), ("metaverse", "data"), "both")


def test_a_whole_record_has_everything_right() -> None:
    assert whole_right(FULL, FULL)
    assert whole_right(FULL, replace(FULL, roles=("chairman and ceo",), organizations=("TENCENT",)))
    for wrong in (
        replace(FULL, body="CPPCC"),
        replace(FULL, roles=()),
        replace(FULL, roles=("Chairman and CEO", "founder")),
        replace(FULL, organizations=()),
        replace(FULL, organizations=("Alibaba",)),
        replace(FULL, topics=("metaverse",)),
        replace(FULL, stance="promote"),
    ):
        assert not whole_right(FULL, wrong)
    assert whole_right(replace(FULL, stance_also=("promote",)), replace(FULL, stance="promote"))
    found = attribution([FULL, replace(FULL, proponent=LI, spans=((30, 50),))], [FULL])
    assert found["record.whole"] == found["record.core"] == Tally(1, 2, 1)
    # Right in all but the place: no whole record.
    assert attribution([FULL], [replace(FULL, spans=((15, 60),))])["record.whole"] == Tally(0, 1, 1)


def test_a_record_without_topics_or_stance_in_the_gold_is_no_whole_one() -> None:
    for gold in (replace(FULL, topics=()), replace(FULL, stance=None)):
        other = replace(FULL, spans=((30, 50),))
        # Nor is what finds it a wrong one; what finds nothing is.
        found = attribution([gold, other], [FULL, other, replace(FULL, spans=((60, 80),))])
        assert found["record.whole"] == found["record.core"] == Tally(1, 1, 2)
        assert found["attribution.overlap"] == Tally(2, 2, 3)


def test_a_core_record_needs_no_posts_and_one_topic() -> None:
    assert core_right(FULL, replace(FULL, roles=(), topics=("data", "fintech")))
    # Two of three missed, and one in their place.
    three = replace(FULL, topics=("metaverse", "data", "health"))
    assert core_right(three, replace(FULL, topics=("data",)))
    assert core_right(three, replace(FULL, topics=("data", "fintech")))
    assert not core_right(FULL, replace(FULL, topics=("data", "fintech", "health")))
    assert not core_right(FULL, replace(FULL, topics=("fintech",)))
    assert not core_right(FULL, replace(FULL, topics=()))
    assert not core_right(FULL, replace(FULL, body=None))


def test_an_organization_is_right_by_any_of_its_names() -> None:
    gold = replace(FULL, organizations=("Cyberspace Administration of China", "CAC"))
    assert posts_right(gold, replace(FULL, organizations=("the Cyberspace Administration of China",)))
    assert posts_right(gold, replace(FULL, organizations=("CAC",)))
    assert not posts_right(gold, replace(FULL, organizations=()))
    # A record names organizations beside posts only.
    assert posts_right(replace(gold, roles=()), replace(FULL, roles=(), organizations=()))


def test_an_organization_with_generic_words_is_a_name_of_it() -> None:
    gold = replace(FULL, organizations=("腾讯", "腾讯公司"))
    assert posts_right(gold, replace(FULL, organizations=("腾讯",)))
    assert posts_right(gold, replace(FULL, organizations=("腾讯公司",)))
    assert not posts_right(gold, replace(FULL, organizations=()))
    assert not posts_right(replace(gold, organizations=("腾讯", "腾讯音乐")), replace(FULL, organizations=("腾讯",)))


def test_loose_gold_takes_posts_that_contain_each_other() -> None:
    gold = replace(FULL, loose=True, roles=("Professor and Vice Dean",), organizations=("Insurance School at UIBE",))
    assert posts_right(gold, replace(FULL, roles=("Vice Dean", "founder"), organizations=("Insurance School",)))
    assert not posts_right(gold, replace(FULL, roles=("Dean of Law",), organizations=("Insurance School",)))
    assert posts_right(replace(gold, roles=(), organizations=()), FULL)


# Mentions, links, statements


def test_mentions_are_scored_strictly_and_by_overlap() -> None:
    gold = [Tag(0, 10, "PERSON"), Tag(20, 30, "PERSON"), Tag(40, 50, "ORG"), Tag(60, 70, "ROLE")]
    predicted = [Tag(0, 10, "PERSON"), Tag(22, 30, "PERSON"), Tag(28, 33, "PERSON"), Tag(40, 50, "ROLE")]
    found = mention_tallies(gold, predicted)
    assert found["mention.strict/PERSON"] == Tally(1, 2, 3)
    assert found["mention.partial/PERSON"] == Tally(2, 2, 3)
    assert found["mention.strict/ORG"] == Tally(0, 1, 0)
    assert found["mention.partial/ROLE"] == Tally(0, 1, 1)
    assert found["mention.strict/BODY"].f1 is None
    assert found["mention.strict"] == Tally(1, 4, 4)
    assert found["mention.strict/PERSON"].precision == pytest.approx(1 / 3)


def test_one_long_mention_over_two_gold_ones_is_right_once() -> None:
    found = mention_tallies([Tag(0, 5, "ORG"), Tag(6, 10, "ORG")], [Tag(0, 10, "ORG")])
    assert found["mention.partial/ORG"] == Tally(1, 2, 1)


def test_links_are_pairs_of_a_range_and_a_holder() -> None:
    gold = [Holding(0, 5, "ROLE", MA), Holding(0, 5, "ROLE", LI), Holding(10, 15, "ORG", MA)]
    predicted = [Holding(0, 5, "ROLE", MA), Holding(0, 6, "ROLE", LI), Holding(10, 15, "ORG", LI)]
    found = link_tallies("link", gold, predicted)
    assert found == {"link/ROLE": Tally(1, 2, 2), "link/ORG": Tally(0, 1, 1)}
    assert link_tallies("link", gold[:1], [gold[0], gold[0]]) == {"link/ROLE": Tally(1, 1, 1)}


def test_the_holder_of_a_mention_may_be_nobody() -> None:
    mentions = [Tag(0, 5, "ORG"), Tag(10, 15, "ORG"), Tag(20, 25, "ORG"), Tag(30, 35, "ORG")]
    gold = [Holding(0, 5, "ORG", MA), Holding(0, 5, "ORG", LI), Holding(10, 15, "ORG", MA)]
    predicted = [Holding(0, 5, "ORG", LI), Holding(10, 15, "ORG", LI), Holding(30, 35, "ORG", MA)]
    # One of two holders: right. Another's: wrong. Nobody's, given to nobody: right. Nobody's, given away: wrong.
    assert holder_tallies("holder", mentions, gold, predicted) == {"holder/ORG": Tally(2, 4, 4)}


def test_statement_spans_are_scored_whoever_speaks() -> None:
    found = span_tallies("span", TEXT, [(0, 20), (30, 50)], [(0, 20), (41, 50), (60, 70)])
    assert found == {"span.overlap": Tally(1, 2, 3), "span.exact": Tally(1, 2, 3)}


# Topics and stance


def topics(*labels: str) -> Claim:
    return Claim(MA, (), topics=labels)


def stance(label: str, *also: str) -> Claim:
    return Claim(MA, (), stance=label, stance_also=also)


def test_topics_micro_and_macro() -> None:
    pairs = [(topics("a", "b"), topics("a")), (topics("a"), topics("a", "c"))]
    found = topic_tallies("topic", pairs)
    assert found["topic"] == Tally(2, 3, 3)
    assert found["topic/a"] == Tally(2, 2, 2)
    assert found["topic/b"] == Tally(0, 1, 0)
    counts = count_articles([found])
    # Labels a, b, c: F1 1, 0, 0.
    assert figure(Measure("topic", "macro"), counts.keys, counts.values.sum(axis=0)) == pytest.approx(1 / 3)
    assert topic_confusions(pairs) == {("a", "a"): 2, ("b", "-"): 1, ("-", "c"): 1}
    assert topic_confusions([(topics("a"), topics("b"))]) == {("a", "b"): 1}


def test_another_stance_that_counts_is_right() -> None:
    pairs = [
        (stance("promote"), stance("promote")),
        (stance("promote", "both"), stance("both")),
        (stance("regulate"), stance("promote")),
    ]
    found = stance_tallies("stance", pairs)
    assert found["stance"] == Tally(2, 3, 3)
    assert found["stance/promote"] == Tally(1, 1, 2)
    assert found["stance/both"] == Tally(1, 1, 1)
    assert found["stance/regulate"] == Tally(0, 1, 0)
    counts = count_articles([found])
    # promote 2/3, both 1, regulate 0.
    assert figure(Measure("stance", "macro"), counts.keys, counts.values.sum(axis=0)) == pytest.approx(5 / 9)
    assert stance_confusions(pairs) == {
        ("promote", "promote"): 1,
        ("both", "both"): 1,
        ("regulate", "promote"): 1,
    }


# Calibration


def test_ece_over_bins_of_equal_mass() -> None:
    judgements = [Judgement(0.9, True), Judgement(0.8, False), Judgement(0.2, False), Judgement(0.4, True)]
    found = calibrate(judgements, bins=2)
    # Low bin: mean score 0.3, half right; high bin: 0.85, half right. (2 * 0.2 + 2 * 0.35) / 4
    assert [(b.count, round(b.score, 6), b.accuracy) for b in found.bins] == [(2, 0.3, 0.5), (2, 0.85, 0.5)]
    assert found.ece == pytest.approx(0.275)
    assert calibrate([]).ece is None


def test_equal_scores_share_a_bin() -> None:
    found = calibrate([Judgement(0.7, at < 7) for at in range(10)])
    assert len(found.bins) == 1
    assert found.ece == pytest.approx(0.0)


def test_risk_coverage_counts_what_is_kept() -> None:
    judgements = [Judgement(0.9, True), Judgement(0.6, True), Judgement(0.6, False), Judgement(0.1, False)]
    everything, half, none = risk_coverage(judgements, gold=4, thresholds=(0.0, 0.6, 0.95))
    assert (everything.coverage, everything.precision, everything.recall) == (1, 0.5, 0.5)
    assert (half.coverage, half.precision, half.recall) == (0.75, pytest.approx(2 / 3), 0.5)
    assert (none.coverage, none.precision, none.recall) == (0, None, 0)


# Intervals


def articles(*tallies: tuple[int, int, int]) -> list[dict[str, Tally]]:
    return [{"f": Tally(*tally)} for tally in tallies]


def test_the_bootstrap_of_a_constant_has_no_width() -> None:
    counts = count_articles(articles((1, 2, 2), (1, 2, 2), (1, 2, 2)))
    found = estimate(counts, [Measure("f"), Measure("f", "precision")])
    assert (found[Measure("f")].value, found[Measure("f")].low, found[Measure("f")].high) == (0.5, 0.5, 0.5)


def test_an_interval_holds_the_figure_and_the_seed_settles_it() -> None:
    counts = count_articles(articles((1, 1, 1), (0, 1, 1), (1, 2, 1), (3, 3, 4)))
    first, again = (estimate(counts, [Measure("f")])[Measure("f")] for _ in range(2))
    assert first == again
    # 5 right of 7 gold and 7 given.
    assert first.value == pytest.approx(5 / 7)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 5 / 7 < first.high


def test_an_undefined_figure_has_no_value() -> None:
    found = estimate(count_articles(articles((0, 0, 0))), [Measure("f"), Measure("absent")])
    assert all(item.value is None and item.low is None for item in found.values())


def test_every_resample_has_as_many_articles() -> None:
    weights = resample_weights(7, resamples=50)
    assert weights.shape == (50, 7)
    assert np.all(weights.sum(axis=1) == 7)
    with pytest.raises(ValueError, match="no articles"):
        resample_weights(0)


def test_identical_systems_differ_by_nothing() -> None:
    counts = count_articles(articles((1, 2, 2), (0, 1, 3), (4, 4, 4)))
    found = compare(counts, counts, [Measure("f")])[Measure("f")]
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_a_system_that_is_better_everywhere_is_significantly_better() -> None:
    better = count_articles(articles(*[(9, 10, 10)] * 20))
    worse = count_articles(articles(*[(5, 10, 10)] * 20))
    found = compare(better, worse, [Measure("f")])[Measure("f")]
    assert found.value == pytest.approx(0.4)
    assert found.p == pytest.approx(2 / 1001)
    with pytest.raises(ValueError, match="nothing to pair"):
        compare(better, count_articles(articles((1, 1, 1))), [Measure("f")])
