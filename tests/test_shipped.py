"""The shipped English model on short articles in manners that one stage alone can't get right."""

from __future__ import annotations

import pytest
from spacy.language import Language

from pipeline.build import load_pipeline
from pipeline.document import make_doc
from pipeline.resources import resource
from pipeline.schema import Article, Record


@pytest.fixture(scope="module")
def english() -> Language:
    return load_pipeline("en")


def records(nlp: Language, *paragraphs: str) -> list[Record]:
    return list(nlp(make_doc(nlp, Article("shipped", "\n\n".join(paragraphs))))._.records)


def test_the_model_is_no_larger_than_it_may_be() -> None:
    # As people count megabytes: what an installation of it takes, the card with it.
    folder = resource("models", "en")
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 30_000_000


def test_people_of_a_group_propose_without_a_membership_of_their_own(english: Language) -> None:
    found = records(
        english,
        "Ninety-four political advisers from Hubei left Wuhan for Beijing on Sunday to attend the annual session of "
        "the CPPCC National Committee.",
        "This year they bring proposals on old-age care, river shipping and the use of algorithms at work.",
        "Deng Shaoyi underlined the need to limit how delivery platforms set their riders' routes.",
        "He said the algorithms ought to be filed with the labor authorities and that riders should be allowed to "
        "refuse an order in a storm without losing points.",
        "Deng also suggested that couriers' injuries be covered by a national insurance scheme.",
        "Luo Meihua called for three more locks on the Han River, which would let 2,000-tonne barges reach Xiangyang "
        "all year round.",
        '"Grain still goes by truck because the water is too shallow for four months," she said.',
        "Zhu Kai, a transport economist at Wuhan University, said the locks would cost more than they bring.",
    )
    assert {(r.delegate.name, r.delegate.body) for r in found} == {("Deng Shaoyi", "CPPCC"), ("Luo Meihua", "CPPCC")}


def test_without_the_group_nobody_does(english: Language) -> None:
    found = records(
        english,
        "A conference on couriers was held in Wuhan on Sunday.",
        "Deng Shaoyi suggested that couriers' injuries be covered by a national insurance scheme.",
        "Luo Meihua called for three more locks on the Han River, which would let 2,000-tonne barges reach Xiangyang.",
    )
    assert found == []


def test_a_delegate_in_one_word(english: Language) -> None:
    found = records(
        english,
        "What delegates want this year",
        "Delegate Shu Hong, a tyre-maker's president from Shandong, has asked for a trial of a four-and-a-half-day "
        "week in firms that have automated their lines.",
    )
    assert [r.delegate.name for r in found] == ["Shu Hong"]
    assert [role.title for role in found[0].delegate.roles] == ["president"]


def test_a_list_entry_in_quotation_marks(english: Language) -> None:
    found = records(
        english,
        "What they ask for",
        'CPPCC member and chairman of Lanhe Bank, Wu Shulin: "The digital yuan should be accepted on every bus in the '
        'country by 2026," he told reporters on Friday.',
        "NPC deputy and president of Qinzhou University, Luo Wen: Build 200 rural clinics with a doctor each, and pay "
        "for them from the provincial budget.",
    )
    assert [(r.delegate.name, r.delegate.body) for r in found] == [("Wu Shulin", "CPPCC"), ("Luo Wen", "NPC")]
    proposed = "The digital yuan should be accepted on every bus in the country by 2026"
    assert found[0].proposal.text.strip(",") == proposed


def test_an_announced_proposal_is_a_record_of_its_own(english: Language) -> None:
    found = records(
        english,
        "Cao Wenbin is a deputy to the National People's Congress and chairman of Puyang Rural Commercial Bank.",
        "Cao suggested that subsidies for grain be issued in digital yuan, and that village service points be given "
        "terminals free of charge.",
        "His third suggestion concerns the bank's own trade: small rural banks ought to be exempted from income tax "
        "for five years.",
    )
    assert len(found) == 2
    assert {r.delegate.name for r in found} == {"Cao Wenbin"}
    assert "income tax" in found[1].proposal.text
