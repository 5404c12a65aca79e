"""Names: which are one person's, and how they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.people import delegate_id, display_name, is_name_like, name_words, same_name, surname


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
        ("马兰", "马"),
        ("马兰", "马云"),
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
        ("", ""),
    ],
)
def test_capitals_are_not_shown(printed: str, shown: str) -> None:
    assert display_name(printed) == shown


def test_full_names_have_two_words() -> None:
    assert is_name_like("Ma Lan")
    assert is_name_like("马兰")
    assert not is_name_like("Ma")
    assert not is_name_like("马")


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
