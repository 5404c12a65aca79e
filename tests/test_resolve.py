"""One delegate over many articles: who is merged and who is kept apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import pytest

from pipeline.people import delegate_id
from pipeline.resolve import (
    KnownDelegate,
    Resolution,
    resolve_delegate,
    same_delegate,
    same_organization,
    same_proposal,
    settle_firsts,
)
from pipeline.schema import Body, Delegate, Kind, Role


def person(
    name: str = "Ma Lan",
    body: Body | None = "NPC",
    organizations: Iterable[str] = (),
    name_zh: str | None = None,
    kind: Kind = "person",
) -> Delegate:
    roles = tuple(Role("chairman", organization, 0, 8) for organization in organizations)
    return Delegate(delegate_id(kind, name, body), name, name_zh, kind, body, 1.0, roles, ())


def known(
    name: str = "Ma Lan",
    bodies: Iterable[tuple[str, int | None]] = (("NPC", 2022),),
    organizations: Iterable[str] = (),
    name_zh: str | None = None,
    kind: str = "person",
    id: str = "known",
) -> KnownDelegate:
    return KnownDelegate(id, kind, name, name_zh, frozenset(bodies), frozenset(organizations))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Harbour Group", "Harbour Group Co., Ltd."),
        ("Tencent", "Tencent Holdings Limited"),
        ("the University of Donghu", "Donghu University"),
        ("HARBOUR", "Harbour"),
        ("腾讯", "腾讯公司"),
        ("中国银行", "中国银行股份有限公司"),
        ("大学", "大学"),
    ],
)
def test_names_of_one_organization(first: str, second: str) -> None:
    assert same_organization(first, second)
    assert same_organization(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Harbour Group", "River Group"),
        ("China Group", "Chinese Company"),
        ("", "Harbour"),
        ("Donghu University", "Xihu University"),
        ("北京大学", "大学"),
        ("中国银行", "银行"),
        ("腾讯公司", "百度公司"),
        ("腾讯", "Tencent"),
    ],
)
def test_names_of_two_organizations(first: str, second: str) -> None:
    assert not same_organization(first, second)


@pytest.mark.parametrize(
    ("before", "new", "year"),
    [
        (known(), person(), 2022),
        (known(), person("MA LAN"), 2022),
        (known(), person("Lan Ma"), 2022),
        (known(), person(), 2025),
        (known(), person(body="CPPCC"), 2025),
        (known(), person(body="CPPCC"), None),
        (known(), person(body=None), 2022),
        (known(), person(body="local"), 2022),
        (known(bodies=[("local", 2022)]), person(), 2022),
        (known(bodies=[]), person(), 2022),
        (known(organizations=["Harbour Group"]), person(organizations=["Harbour Group Co., Ltd."]), 2022),
        (known(organizations=["Harbour", "River"]), person(organizations=["Sea", "River"]), 2022),
        (known(organizations=["Harbour"]), person(), 2022),
        (known(), person(organizations=["Harbour"]), 2022),
        (known(name_zh="马兰", organizations=["Harbour"]), person(name_zh="马兰", organizations=["River"]), 2022),
        (
            known("Jiusan Society", kind="organization", bodies=[]),
            person("Jiusan Society", None, kind="organization"),
            2022,
        ),
        # The Chinese name alone, in an article of the other language.
        (known(name_zh="马兰"), person("马兰"), 2022),
        (known("马兰"), person(name_zh="马兰"), 2022),
        (known("马兰"), person("马兰"), 2022),
        (known(name_zh="马兰"), person("马兰", name_zh="马兰"), 2022),
        (known(name_zh="马兰", organizations=["Tencent"]), person("马兰", organizations=["腾讯公司"]), 2022),
        (known(name_zh="马兰", organizations=["Baidu", "腾讯"]), person("马兰", organizations=["腾讯公司"]), 2022),
        (known("马兰", organizations=["TCL", "东湖学院"]), person("马兰", organizations=["TCL集团"]), 2022),
        (known("九三学社", kind="organization", bodies=[]), person("九三学社", None, kind="organization"), 2022),
    ],
)
def test_one_delegate(before: KnownDelegate, new: Delegate, year: int | None) -> None:
    assert same_delegate(before, new, year)


@pytest.mark.parametrize(
    ("before", "new", "year"),
    [
        (known(), person("Ma Li"), 2022),
        (known(), person("Ma"), 2022),
        (known(), person(kind="organization"), 2022),
        (known(), person(body="CPPCC"), 2022),
        (known(bodies=[("CPPCC", 2022)]), person(), 2022),
        (known(organizations=["Harbour Group"]), person(organizations=["River Group"]), 2022),
        (known(organizations=["Harbour Group"]), person(organizations=["River Group"]), 2025),
        (known(name_zh="马兰"), person(name_zh="马岚"), 2022),
        (known(name_zh="马兰"), person("马岚"), 2022),
        (known(name_zh="马兰"), person("马"), 2022),
        (known("马兰"), person(name_zh="马岚"), 2022),
        (known(), person("马兰"), 2022),
        (known("马兰"), person(), 2022),
        (known(name_zh="马兰"), person("马兰", body="CPPCC"), 2022),
        (known("马兰", organizations=["腾讯公司"]), person("马兰", organizations=["北京大学"]), 2022),
        (known(name_zh="马兰", organizations=["Baidu", "腾讯"]), person("马兰", organizations=["北京大学"]), 2022),
    ],
)
def test_namesakes(before: KnownDelegate, new: Delegate, year: int | None) -> None:
    assert not same_delegate(before, new, year)


def test_first_of_a_name_gets_the_id_of_its_name() -> None:
    assert resolve_delegate(person(), 2022, []) == Resolution(delegate_id("person", "Ma Lan", "NPC"), new=True)


def test_known_delegate_keeps_its_id() -> None:
    assert resolve_delegate(person(), 2024, [known("Ma Li"), known(id="x")]) == Resolution("x", new=False)


def test_namesake_gets_an_id_of_its_own() -> None:
    first = person(organizations=["Harbour Group"])
    taken = known(organizations=["Harbour Group"], id=first.id)
    resolution = resolve_delegate(person(organizations=["River Group"]), 2022, [taken])
    assert resolution.new
    assert resolution.id != first.id
    assert resolution.candidates == ()


def test_where_several_fit_none_is_chosen() -> None:
    both = [known(id="x", organizations=["Harbour"]), known(id="y", organizations=["River"])]
    resolution = resolve_delegate(person(), 2022, both)
    assert resolution.new
    assert resolution.candidates == ("x", "y")
    assert resolution.id not in ("x", "y")


def test_ambiguous_delegate_is_found_again() -> None:
    taken = [known(id=person().id, organizations=["Harbour"]), known(id="y", organizations=["River"])]
    first = resolve_delegate(person(), 2022, taken)
    assert first.new
    again = resolve_delegate(person(), 2022, [*taken, known(id=first.id)])
    assert again == Resolution(first.id, new=False)


def test_known_delegates_may_come_as_a_stream() -> None:
    taken = [known(id=person().id, organizations=["Harbour"])]
    new = person(organizations=["River"])
    assert resolve_delegate(new, 2022, iter(taken)) == resolve_delegate(new, 2022, taken)
    assert resolve_delegate(new, 2022, iter(taken)).id != taken[0].id


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (
            "Schools should open their sports grounds on Sundays.",
            "their sports grounds: schools should open Sundays",
            True,
        ),
        (
            "Schools should open their sports grounds on Sundays.",
            "A law on drones above sports stadiums is overdue.",
            False,
        ),
        ("Open the schools.", "open the SCHOOLS.", True),
        ("Open the schools.", "Open the gates.", False),
        ("", "", True),
        ("建议加快数据立法，支持企业研发。", "支持企业研发，加快数据立法。", True),
        ("建议加快数据立法，支持企业研发。", "建议学校在星期日上午开放体育场。", False),
        ("开放学校", "开放体育场", False),
        ("开放学校", "开放学校", True),
    ],
)
def test_one_proposal_in_two_articles(first: str, second: str, same: bool) -> None:
    assert same_proposal(first, second) is same
    assert same_proposal(second, first) is same


def test_share_of_words_that_makes_one_proposal() -> None:
    # Three of the five long words of the shorter text recur: just enough.
    assert same_proposal("alpha beta gamma delta epsilon", "alpha beta gamma other words here more")
    assert not same_proposal("alpha beta gamma delta epsilon", "alpha beta other words here more than")


@pytest.mark.parametrize(
    ("links", "firsts"),
    [
        ({"b": "a"}, {"b": "a"}),
        ({"c": "b", "b": "a"}, {"b": "a", "c": "a"}),
        # What they were led to is gone: they stay together, but not with those who were led to something else.
        ({"c": ("a", "x"), "b": ("a", "x"), "d": ("a", "y")}, {"b": "b", "c": "b", "d": "d"}),
        ({"d": "c", "c": ("a", "x"), "b": ("a", "x")}, {"b": "b", "c": "b", "d": "b"}),
        # Two that lead to each other, and one that leads to them.
        ({"b": "c", "c": "b", "a": "c"}, {"a": "a", "b": "a", "c": "a"}),
    ],
)
def test_firsts_are_settled(links: dict[str, Hashable], firsts: dict[str, str]) -> None:
    assert settle_firsts(links) == firsts
