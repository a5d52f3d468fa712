"""The client's end of the inbox (client/inbox.py)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signalpost.client.inbox import Inbox


def inbox(most: int = 10) -> Inbox:
    made = Inbox(most)
    made.begin("e1")
    return made


def test_versions_are_taken_once_and_ascending() -> None:
    """SPEC M6."""
    box = inbox()
    assert [box.take(version) for version in (5, 5, 4, 9)] == [1, 0, 0, 2]
    assert box.taken == 9


def test_only_what_is_seen_with_all_before_it_is_acknowledged() -> None:
    """SPEC M6."""
    box = inbox()
    one, two, three = (box.take(version) for version in (5, 7, 9))
    box.see(two)
    assert (box.seen, box.is_seen) == (0, False)
    box.see(one)
    assert box.acknowledge() == 7
    box.see(one)
    box.see(three)
    assert (box.seen, box.is_seen) == (9, True)


def test_what_is_no_mark_changes_nothing() -> None:
    """A mark of an item that is done, or of none."""
    box = inbox()
    box.take(5)
    for mark in (0, -1, 2, 1000):
        box.see(mark)
    assert (box.seen, box.is_seen) == (0, False)


def test_what_there_is_no_room_for_is_let_go_and_so_is_all_behind_it() -> None:
    """SPEC M6: order is kept; the server has it still."""
    box = inbox(2)
    marks = [box.take(version) for version in (1, 2, 3)]
    assert marks == [1, 2, 0]
    assert box.behind
    box.see(1)
    assert box.take(4) == 0
    assert box.taken == 2
    box.see(2)
    box.behind = False
    assert box.take(3) == 3


def test_news_counts_what_came_since_the_last_acknowledgement() -> None:
    """PROTOCOL §12: repeats too, since the server counts them."""
    box = inbox()
    box.take(1)
    box.take(1)
    assert box.news == 2
    box.acknowledge()
    assert box.news == 0


def test_in_another_epoch_versions_begin_anew() -> None:
    """PROTOCOL §12: what was taken in the old one acknowledges nothing in the new one."""
    box = inbox()
    old = box.take(100)
    box.begin("e1")
    assert box.take(100) == 0
    box.begin("e2")
    assert (box.epoch, box.taken, box.seen) == ("e2", 0, 0)
    new = box.take(1)
    assert new == old + 1
    box.see(old)
    assert box.seen == 0
    box.see(new)
    assert box.seen == 1


def test_another_account_has_an_inbox_whose_marks_go_on() -> None:
    """SPEC M6: a late mark of the former account acknowledges nothing."""
    box = inbox()
    old = [box.take(version) for version in (1, 2)]
    box.see(old[0])
    other = box.of_another()
    other.begin("e1")
    new = other.take(1)
    assert new == 3
    other.see(old[1])
    assert other.seen == 0


def test_a_logout_sees_what_was_told_and_withdraws_the_rest() -> None:
    """SPEC M11: what was withdrawn comes again with a mark of its own, and its old one means nothing."""
    box = inbox()
    one, two, three = (box.take(version) for version in (5, 7, 9))
    box.tell(one)
    box.tell(two)
    box.see(one)
    box.withdraw()
    assert (box.seen, box.taken, box.known) == (7, 7, 9)
    assert not any(box.holds(mark) for mark in (one, two, three))
    for mark in (two, three):
        box.tell(mark)
        box.see(mark)
    assert box.seen == 7
    assert box.take(7) == 0
    again = box.take(9)
    assert again > three
    assert box.holds(again)
    box.see(again)
    assert box.seen == 9


def test_nothing_that_was_not_told_is_seen_by_a_logout_nor_what_is_behind_it() -> None:
    """SPEC M11, M6: the server knows one version only, up to which all is done."""
    box = inbox()
    box.take(1)
    box.tell(box.take(2))
    box.withdraw()
    assert (box.seen, box.taken) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from("tsb"), st.integers(0, 20))))
def test_nothing_unseen_is_acknowledged(script: list[tuple[str, int]]) -> None:
    """SPEC M6: whatever comes, and in whatever order it is seen."""
    box = inbox(4)
    taken: dict[int, int] = {}  # by mark
    seen: set[int] = set()
    for what, number in script:
        if what == "t":
            mark = box.take(number)
            if mark:
                assert mark not in taken
                taken[mark] = number
        elif what == "s":
            box.see(number)
            seen.add(number) if number in taken else None
        elif box.is_seen:
            box.behind = False
        unseen = [version for mark, version in taken.items() if mark not in seen]
        assert all(version > box.seen for version in unseen)
        assert box.is_seen == (not unseen)
