"""What a channel is made of: built-in attributes and what they do (SPEC C7, C8, C10, C11, P4, P5)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.saying_no import refused
from signalpost.domain import channels as rules
from signalpost.domain.channels import Counted
from signalpost.domain.limits import Limits

LIMITS = Limits()

RANGES = {
    "_userNotification": (0, 1),
    "_channel_ttl": (0, 86_400),
    "_auto_update_num": (0, 3_600),
    "_auto_update_total_num": (0, 3_600),
    "_sendmsg_limit": (1, 200),
    "_setattr_limit": (1, 1_000),
}


@pytest.mark.parametrize("name", RANGES)
def test_a_built_in_takes_its_range_and_no_more(name: str) -> None:
    """SPEC C11: at the edges; digits as text."""
    least, most = RANGES[name]
    for number in (least, most):
        assert rules.check_attribute(name, str(number), LIMITS) == str(number)
    for number in (least - 1, most + 1, -1, 10**9, 10**30):
        with refused(1004):
            rules.check_attribute(name, str(number), LIMITS)


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("value", ["", "x", "1.0", " 1", "1 ", "true", "null", "+1", "0x1", "一"])
def test_a_built_in_takes_nothing_that_makes_no_sense(name: str, value: str) -> None:
    """SPEC C11."""
    with refused(1004):
        rules.check_attribute(name, value, LIMITS)


def test_digits_are_stored_as_the_number_they_spell() -> None:
    """SPEC C11."""
    assert rules.check_attribute("_channel_ttl", "007", LIMITS) == "7"


def test_a_channels_rate_is_at_most_the_apps() -> None:
    """SPEC C7: `_sendmsg_limit` 1 to the app's maximum, even if that is lowered later."""
    limits = Limits(channel_messages=50)
    assert rules.check_attribute("_sendmsg_limit", "50", limits) == "50"
    with refused(1004):
        rules.check_attribute("_sendmsg_limit", "51", limits)


@pytest.mark.parametrize("name", ["_member_num", "_total_member_num"])
def test_what_the_server_counts_is_read_only(name: str) -> None:
    """SPEC C11."""
    with refused(1004):
        rules.check_attribute(name, "5", LIMITS)
    with refused(1004):
        rules.check_deletable(name)


@pytest.mark.parametrize("name", ["_", "_mine", "_Channel_ttl", "__agora_x", "_conn_timeout", " a b "])
def test_other_names_are_ordinary(name: str) -> None:
    """SPEC C11."""
    assert rules.check_attribute(name, "anything", LIMITS) == "anything"
    rules.check_deletable(name)


@pytest.mark.parametrize("name", RANGES)
def test_a_built_in_may_be_deleted(name: str) -> None:
    """SPEC C10."""
    rules.check_deletable(name)


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀"])
def test_names_and_values_have_their_limits_in_bytes(unit: str) -> None:
    """SPEC C10: at N and N + 1."""
    size = len(unit.encode())
    name = unit * (128 // size) + "a" * (128 % size)
    value = unit * (8096 // size) + "a" * (8096 % size)
    assert rules.check_attribute(name, value, LIMITS) == value
    with refused(1005):
        rules.check_attribute(name + "a", value, LIMITS)
    with refused(1005):
        rules.check_attribute(name, value + "a", LIMITS)
    with refused(1005):
        rules.check_deletable(name + "a")


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """SPEC C10."""
    with refused(1004):
        rules.check_attribute(name, "1", LIMITS)
    with refused(1004):
        rules.check_deletable(name)


def test_a_channel_has_room_for_100_attributes_besides_what_the_server_keeps() -> None:
    """SPEC C10."""
    full = {f"a{n}": "" for n in range(100)} | {"_member_num": "1", "_total_member_num": "1"}
    rules.check_room_for(full, "a0")
    with refused(1001):
        rules.check_room_for(full, "b")
    del full["a0"]
    rules.check_room_for(full, "b")


def test_clearing_leaves_names_with_an_underscore() -> None:
    """SPEC C10."""
    assert rules.clearable({"a": "", "_b": "", "c_": "", "_channel_ttl": "5"}) == ["a", "c_"]


def test_without_built_ins_the_defaults_hold() -> None:
    """SPEC C7, C8, C10, C11."""
    assert rules.notifies_members({})
    assert rules.channel_seconds({}, LIMITS) == 7200.0
    assert rules.counting({}) == (0, False)


def test_built_ins_hold_where_they_are_set() -> None:
    """SPEC C8, C10, C11."""
    assert not rules.notifies_members({"_userNotification": "0"})
    assert rules.notifies_members({"_userNotification": "1"})
    assert rules.channel_seconds({"_channel_ttl": "0"}, LIMITS) == 0.0


@pytest.mark.parametrize(
    ("each", "total", "counting"),
    [("0", "0", (0, False)), ("5", "0", (5, False)), ("0", "5", (0, False)), ("5", "9", (5, True))],
)
def test_the_total_needs_both_attributes(each: str, total: str, counting: tuple[int, bool]) -> None:
    """SPEC C11."""
    assert rules.counting({"_auto_update_num": each, "_auto_update_total_num": total}) == counting


# --- which numbers are published when --------------------------------------------------------------

KEPT = {"_auto_update_num": "10", "_member_num": "2"}


Said = tuple[dict[str, str], list[str], float | None]


def said(at: float, members: int, joins: int, *, total: bool = False) -> Counted:
    """What was published then."""
    return Counted(at, members, joins, 0, "e", total)


def count(attributes: dict[str, str], last: Counted, members: int, joins: int, now: float) -> Said:
    """What is published, withdrawn, and when to look again."""
    found = rules.count(attributes, last, members=members, joins=joins, now=now)
    return found.publish, found.withdraw, found.again


def test_a_channel_that_keeps_no_numbers_publishes_none() -> None:
    """SPEC C11."""
    assert count({}, said(0.0, 0, 0), 5, 5, 100.0) == ({}, [], None)


def test_the_first_number_comes_at_once() -> None:
    """SPEC C11: or when it was withdrawn."""
    attributes = {"_auto_update_num": "10"}
    for last in (said(0.0, 0, 0), said(0.0, 2, 2)):
        assert count(attributes, last, 2, 2, 100.0) == ({"_member_num": "2"}, [], None)


def test_nothing_comes_if_nobody_came_or_went() -> None:
    """SPEC C11."""
    assert count(KEPT, said(100.0, 2, 2), 2, 2, 5000.0) == ({}, [], None)


def test_a_change_waits_for_the_interval() -> None:
    """SPEC C11: at most one in n seconds; at n seconds it comes."""
    last = said(100.0, 2, 2)
    assert count(KEPT, last, 3, 3, 109.9) == ({}, [], 110.0)
    assert count(KEPT, last, 3, 3, 110.0) == ({"_member_num": "3"}, [], None)


def test_one_who_came_and_went_is_a_change() -> None:
    """SPEC C11: somebody came."""
    assert count(KEPT, said(100.0, 2, 2), 2, 3, 110.0) == ({"_member_num": "2"}, [], None)


def test_the_totals_first_number_comes_at_once_and_alone() -> None:
    """SPEC C11: the other number is not published again for it."""
    attributes = {**KEPT, "_auto_update_total_num": "10"}
    assert count(attributes, said(100.0, 2, 2), 2, 2, 101.0) == ({"_total_member_num": "2"}, [], None)
    assert count(attributes, said(100.0, 2, 2), 3, 3, 101.0) == ({"_total_member_num": "3"}, [], 110.0)
    both = {**attributes, "_total_member_num": "2"}
    assert count(both, said(100.0, 2, 2, total=True), 3, 3, 110.0) == (
        {"_member_num": "3", "_total_member_num": "3"},
        [],
        None,
    )


def test_what_is_kept_no_more_is_withdrawn() -> None:
    """SPEC C11."""
    numbers = {"_member_num": "2", "_total_member_num": "3"}
    last = said(100.0, 2, 3, total=True)
    assert count(numbers, last, 2, 3, 101.0) == ({}, ["_member_num", "_total_member_num"], None)
    attributes = {**numbers, "_auto_update_num": "10"}
    assert count(attributes, last, 2, 3, 101.0) == ({}, ["_total_member_num"], None)


def test_another_interval_counts_from_the_last_number() -> None:
    """SPEC C11."""
    last = said(100.0, 2, 2)
    assert count({**KEPT, "_auto_update_num": "60"}, last, 3, 3, 130.0)[2] == 160.0
    assert count({**KEPT, "_auto_update_num": "5"}, last, 3, 3, 130.0)[0] == {"_member_num": "3"}


def test_a_number_that_is_on_its_way_is_not_published_twice() -> None:
    """SPEC C11: it is being stored, or that has failed: then it comes an interval later."""
    attributes = {"_auto_update_num": "10"}
    assert count(attributes, said(100.0, 2, 2), 2, 2, 101.0) == ({}, [], 110.0)
    assert count(attributes, said(100.0, 2, 2), 2, 2, 110.0) == ({"_member_num": "2"}, [], None)


def test_what_stands_there_wrongly_is_put_right() -> None:
    """SPEC C11: of two that were stored in the same moment the older one may be told last."""
    assert count({**KEPT, "_member_num": "9"}, said(100.0, 2, 2), 2, 2, 101.0) == ({}, [], 110.0)


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from([-1, 0, 1])), max_size=50))
def test_numbers_keep_their_distance_and_end_up_right(steps: list[tuple[int, int]]) -> None:
    """SPEC C11: at most one in n seconds, and the last one is true n seconds later."""
    attributes = {"_auto_update_num": "10"}
    last = said(0.0, 0, 0)
    members, joins, now = 1, 1, 100.0
    published: list[float] = []
    again: float | None = None

    def look() -> None:
        nonlocal last, again
        found = rules.count(attributes, last, members=members, joins=joins, now=now)
        again, last = found.again, found.last
        if found.publish:
            published.append(now)
            attributes.update(found.publish)

    look()
    for wait, change in [*steps, (10, 0)]:
        end = now + wait
        if again is not None and again <= end:
            now = again
            look()
        now = end
        if change and members + change >= 0:
            members += change
            joins += change > 0
            look()
    assert attributes["_member_num"] == str(members)
    assert all(later - earlier >= 10 for earlier, later in pairwise(published))


# --- names that are reserved ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["__agora_user_online", "__agora_channel_event"])
def test_the_special_channels_may_be_joined_but_not_spoken_in(name: str) -> None:
    """SPEC P4, P5."""
    rules.check_channel(name)
    with refused(1004):
        rules.check_open_channel(name)


@pytest.mark.parametrize("name", ["__agora_", "__agora_other", "__agora_user_online2"])
def test_other_reserved_names_are_no_channels(name: str) -> None:
    """SPEC P5."""
    with refused(1004):
        rules.check_channel(name)
    with refused(1004):
        rules.check_open_channel(name)


@pytest.mark.parametrize("name", ["_agora_x", "__AGORA_x", "a__agora_"])
def test_names_that_only_look_alike_are_ordinary(name: str) -> None:
    """SPEC P5."""
    rules.check_channel(name)
    rules.check_open_channel(name)


@pytest.mark.parametrize(("name", "code"), [("", 1004), ("a b", 1004), ("a\u3000", 1004), ("é" * 65, 1005)])
def test_a_channel_has_a_name(name: str, code: int) -> None:
    """SPEC §1."""
    for check in (rules.check_channel, rules.check_open_channel):
        with refused(code):
            check(name)
