"""Names: which are one person's, and how they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.people import (
    delegate_id,
    display_name,
    is_chinese_name,
    is_name_like,
    name_words,
    same_but_generic,
    same_name,
    surname,
)


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("Ma Lan", "Ma Lan"),
        ("Ma Lan", "MA LAN"),
        ("Ma Lan", "Lan Ma"),
        ("Ma Lan", "Ma"),
        ("Ma Lan", "Lan"),
        ("Li Wei-min", "Li Wei Min"),
        ("Li Wei-min", "Li Weimin"),
        ("Ma Hua Teng", "Ma Huateng"),
        ("Ou Yang Xiu", "Ouyang Xiu"),
        ("Li Wei-min", "Li"),
        ("Ouyang Xiu", "Ouyang"),
        ("马兰", "马兰"),
        ("马兰", "马"),
        ("马化腾", "马代表"),
        ("马化腾", "马委员"),
        ("马化腾", "马先生"),
        ("马化腾", "马董事长"),
        ("马化腾", "马总"),
        ("马化腾", "老马"),
        ("马化腾", "马化腾代表"),
        ("马化腾代表", "马化腾"),
        ("马化腾代表", "马委员"),
        ("马　兰", "马兰"),
        ("马代表", "马"),
        ("欧阳娜娜", "欧阳"),
        ("欧阳娜娜", "欧阳女士"),
        ("诸葛亮", "老诸葛"),
        ("阿不力孜·买买提", "阿不力孜"),
        ("阿不力孜·买买提", "阿不力孜代表"),
        ("阿不力孜·买买提", "阿不力孜•买买提"),
    ],
)
def test_one_person(longer: str, shorter: str) -> None:
    assert same_name(longer, shorter)


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("Ma Lan", "Ma Li"),
        ("Ma Lan", "Wu"),
        ("Ma", "Ma Lan"),
        ("Ma Lan", ""),
        ("", "Ma"),
        ("Ma Lan", "!"),
        ("Ma Lan", "M"),
        ("Zhang Wei", "Z. Wei"),
        ("Chen Gang", "Cheng Ang"),
        ("Li Ang", "Liang"),
        ("Liang", "Li Ang"),
        ("马兰", "马云"),
        ("马兰", "兰"),
        ("马", "马兰"),
        ("马代表", "马化腾"),
        ("马化腾", "马腾"),
        ("马化腾", "李代表"),
        ("马化腾", "代表"),
        ("马化腾", "马化"),
        ("马化腾", "化腾"),
        # What looks like a given name is as well somebody's full name.
        ("周小川", "小川"),
        ("欧阳娜娜", "娜娜"),
        ("欧阳娜娜", "欧"),
        ("欧阳娜娜", "欧代表"),
        ("欧阳娜娜", "阳娜娜"),
        ("司马南", "马南"),
        # 小川 is a given name, no 川 whom they call 小.
        ("川建国", "小川"),
        ("阿不力孜·买买提", "阿"),
        ("阿不力孜·买买提", "买买提"),
        ("阿不力孜", "阿不力孜·买买提"),
        ("阿不力孜·买买提", "阿不力孜·吐尔逊"),
        ("Ma Huateng", "马化腾"),
    ],
)
def test_not_shown_to_be_one_person(longer: str, shorter: str) -> None:
    assert not same_name(longer, shorter)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_two_strings_can_be_compared(longer: str, shorter: str) -> None:
    assert same_name(longer, shorter) in (True, False)
    assert same_name(longer, longer) == bool(name_words(longer))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ma Lan", "ma"), ("Pony Ma", "ma"), ("Ma Li", "ma"), ("Lan", "lan"), ("Jack Smith", "jack"), ("", "")],
)
def test_the_surname_of_a_name(name: str, expected: str) -> None:
    assert surname(name, {"ma", "li"}) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("马化腾", "马"),
        ("马兰", "马"),
        ("马代表", "马"),
        ("老马", "马"),
        ("马", "马"),
        ("欧阳娜娜", "欧阳"),
        ("欧阳委员", "欧阳"),
        ("诸葛亮", "诸葛"),
        ("阿不力孜·买买提", "阿不力孜"),
    ],
)
def test_the_surname_of_a_chinese_name(name: str, expected: str) -> None:
    assert surname(name) == expected


def test_words_of_a_name() -> None:
    assert name_words("LI Wei-min") == ("li", "wei", "min")
    assert name_words("O’Neil") == ("o’neil",)
    assert name_words(" . ") == ()


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("MA LAN", "Ma Lan"),
        ("WU Jianping", "Wu Jianping"),
        ("Ma Lan", "Ma Lan"),
        ("Ma Lan II", "Ma Lan II"),
        ("A B", "A B"),
        ("马兰", "马兰"),
        ("马　兰", "马兰"),
        ("马化腾代表", "马化腾"),
        ("阿不力孜·买买提委员", "阿不力孜·买买提"),
        # Without a given name the title is all that there is to tell.
        ("马代表", "马代表"),
        ("欧阳女士", "欧阳女士"),
        ("", ""),
    ],
)
def test_capitals_are_not_shown(printed: str, shown: str) -> None:
    assert display_name(printed) == shown


def test_names_in_chinese_characters() -> None:
    assert is_chinese_name("马化腾")
    assert is_chinese_name("阿不力孜·买买提")
    assert is_chinese_name("马　兰")
    assert not is_chinese_name("马Huateng")
    assert not is_chinese_name("·")
    assert not is_chinese_name("")


def test_full_names_have_two_words() -> None:
    assert is_name_like("Ma Lan")
    assert is_name_like("马兰")
    assert not is_name_like("Ma")
    assert not is_name_like("马")


@pytest.mark.parametrize("name", ["马化腾", "化腾", "马　兰", "马化腾代表", "欧阳修", "阿不力孜·买买提"])
def test_full_chinese_names_have_a_given_name(name: str) -> None:
    assert is_name_like(name)


@pytest.mark.parametrize("name", ["马代表", "马董事长", "老马", "代表", "欧阳", "欧阳委员"])
def test_a_chinese_surname_with_a_title_is_no_full_name(name: str) -> None:
    assert not is_name_like(name)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("腾讯", "腾讯公司"),
        ("腾讯", "腾讯集团有限责任公司"),
        ("腾讯", "腾讯（集团）股份有限公司"),
        ("中国腾讯", "腾讯"),
        ("TCL", "TCL集团"),
        ("人民银行", "中国人民银行"),
        ("中国银行", "中国银行股份有限公司"),
        ("九三学社", "九三学社中央委员会"),
        ("民建", "民建中央"),
    ],
)
def test_an_organization_with_generic_words(first: str, second: str) -> None:
    assert same_but_generic(first, second)
    assert same_but_generic(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("北京大学", "大学"),
        ("北京大学", "北京"),
        ("中国银行", "银行"),
        ("中国银行", "中国"),
        ("中国集团有限公司", "集团公司"),
        ("中国科学院", "科学院"),
        ("民建", "民建北京市委"),
        ("腾讯", "百度公司"),
        ("腾讯", "腾讯音乐"),
        ("讯", "腾讯公司"),
        ("", "公司"),
        ("Harbour", "Harbour Group"),
    ],
)
def test_what_is_left_over_may_tell_organizations_apart(first: str, second: str) -> None:
    assert not same_but_generic(first, second)
    assert not same_but_generic(second, first)


def test_delegate_id_depends_on_kind_name_and_body_alone() -> None:
    same = {delegate_id("person", name, "NPC") for name in ("Ma Lan", "MA LAN", "Lan Ma")}
    others = {
        delegate_id("person", "Ma Lan", "CPPCC"),
        delegate_id("person", "Ma Lan", None),
        delegate_id("organization", "Ma Lan", "NPC"),
        delegate_id("person", "Ma Li", "NPC"),
    }
    assert len(same) == 1
    assert len(others | same) == 5


def test_delegate_id_of_a_name_without_words() -> None:
    assert delegate_id("person", "!!", None) != delegate_id("person", "??", None)
