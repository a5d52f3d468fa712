"""The judge of a crowd's story finds each fault that is planted in it, and none in a story without."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster.story import Attribute, CallSide, Event, Said, Stay, Story, judge


def good() -> Story:
    """A story in which everything is as it has to be."""
    story = Story()
    mailing = story.mailings["ada", "bo"]
    mailing.sent = ["m1", "m2", "m3", "m4"]
    mailing.stored = {"m1", "m2", "m4"}
    mailing.doubtful = {"m3"}
    mailing.taken = ["m1", "m2", "m4"]
    nudged = story.mailings["ada", "cy"]
    nudged.sent, nudged.stored, nudged.repeats = ["n1", "n2"], {"n1", "n2"}, True
    nudged.taken = ["n1", "n1", "n2"]

    events = [
        Event(2, "join", "web"),
        Event(3, "say", "ada", "c1"),
        Event(4, "say", "bo", "c2"),
        Event(5, "say", "web", "c3"),
    ]
    story.said = {
        "c1": Said("ada", "hall", "e", accepted=True),
        "c2": Said("bo", "hall", "e"),
        "c3": Said("web", "hall", "", accepted=True),
    }
    story.stays = [
        Stay("ada", "hall", "e", after=0, members=("ada",), events=[Event(1, "join", "bo"), *events]),
        Stay("bo", "hall", "e", after=1, members=("ada", "bo"), events=list(events)),
        Stay("web", "hall", members=("ada", "bo", "web"), events=events[1:2], over="broken"),
        Stay("web", "hall", members=("ada", "bo", "web"), events=events[2:]),
        Stay(
            "ada",
            "__agora_user_online",
            "s",
            events=[Event(1, "online", "bo"), Event(2, "offline", "cy"), Event(3, "online", "cy")],
        ),
    ]
    story.calls = {
        ("k1", "ada"): CallSide("k1", "ada", "caller", ["invited", "confirmed", "accepted", "ended"]),
        ("k1", "bo"): CallSide("k1", "bo", "callee", ["rings", "accepted", "bye"]),
        ("k2", "bo"): CallSide("k2", "bo", "caller", ["invited", "refused"]),
        ("k2", "ada"): CallSide("k2", "ada", "callee", ["rings", "refused"]),
        ("k3", "ada"): CallSide("k3", "ada", "caller", ["invited", "failed"]),
    }
    story.attributes["ada", "colour"] = Attribute(tried=["1", "2", "3"], stored=["1", "2"], found="3")
    story.truth.online = {"ada": True, "bo": True, "cy": True, "di": False}
    story.truth.found_online = dict(story.truth.online)
    story.truth.members = {"hall": {"ada", "bo", "web"}}
    story.truth.found_members = {"hall": {"ada", "bo", "web"}}
    return story


def test_a_story_without_fault_is_found_good() -> None:
    verdict = judge(good())
    assert verdict, str(verdict)


def _mail(story: Story) -> list[str]:
    return story.mailings["ada", "bo"].taken


def _hall(story: Story, index: int) -> list[Event]:
    return story.stays[index].events


Plant = Callable[[Story], object]

WRONG: dict[str, Plant] = {
    "a message twice": lambda story: _mail(story).append("m4"),
    "messages out of order": lambda story: _mail(story).reverse(),
    "a message that nobody sent": lambda story: _mail(story).append("m9"),
    "a doubtful message twice": lambda story: _mail(story).extend(["m3", "m3"]),
    "a refused message that came": lambda story: (
        story.mailings["ada", "bo"].refused.add("m3"),
        _mail(story).append("m3"),
    ),
    "a call that rings twice": lambda story: story.calls["k1", "bo"].words.insert(0, "rings"),
    "an event left out": lambda story: _hall(story, 0).pop(2),
    "an event twice": lambda story: _hall(story, 0).insert(2, _hall(story, 0)[1]),
    "events that changed places": lambda story: _hall(story, 1).reverse(),
    "a number that means two things": lambda story: _hall(story, 1).__setitem__(
        1, Event(3, "say", "ada", "x")
    ),
    "a message that nobody said": lambda story: [
        _hall(story, i).append(Event(6, "say", "x", "y")) for i in (0, 1)
    ],
    "a message that is in the log twice": lambda story: [
        _hall(story, i).append(Event(6, "say", "ada", "c1")) for i in (0, 1)
    ],
    "an original that heard something twice": lambda story: _hall(story, 3).append(_hall(story, 3)[0]),
    "a member that joined twice to an original that returned": lambda story: _hall(story, 3).extend(
        [Event(0, "join", "bo"), Event(0, "join", "bo")]
    ),
    "a join of a listed member to an original that was not broken off": lambda story: (
        setattr(story.stays[2], "over", "left"),
        _hall(story, 3).append(Event(0, "join", "bo")),
    ),
    "an original that heard in another order": lambda story: _hall(story, 3).reverse(),
    "an original that missed something over a break": lambda story: _hall(story, 3).pop(0),
    "somebody who joins twice": lambda story: [
        _hall(story, i).append(Event(6, "join", "web")) for i in (0, 1)
    ],
    "somebody who leaves and was not there": lambda story: [
        _hall(story, i).append(Event(6, "leave", "cy")) for i in (0, 1)
    ],
    "online twice": lambda story: story.stays[4].events.append(Event(4, "online", "cy")),
    "two outcomes": lambda story: story.calls["k2", "bo"].words.append("failed"),
    "an answer behind the end": lambda story: story.calls["k2", "bo"].words.append("accepted"),
    "a confirmation behind the answer": lambda story: story.calls["k1", "ada"].words.__setitem__(
        slice(1, 3), ["accepted", "confirmed"]
    ),
    "accepted to one side only": lambda story: story.calls["k1", "bo"].words.remove("accepted"),
    "refused to one side only": lambda story: story.calls["k2", "ada"].words.__setitem__(1, "bye"),
    "accepted and failed": lambda story: story.calls["k1", "ada"].words.__setitem__(slice(1, 4), ["failed"]),
    "a call that nobody made": lambda story: story.calls.pop(("k2", "bo")),
    "an attribute that was lost": lambda story: setattr(story.attributes["ada", "colour"], "found", "1"),
    "an attribute that nobody set": lambda story: setattr(story.attributes["ada", "colour"], "found", "9"),
    "something odd to a client": lambda story: story.oddities.append("a version was used twice"),
}

MISSING: dict[str, Plant] = {
    "a stored message": lambda story: _mail(story).pop(),
    "the rest of a channel": lambda story: _hall(story, 1).pop(),
    "the rest of a channel to an original": lambda story: _hall(story, 3).pop(),
    "an accepted message of a channel": lambda story: story.said.__setitem__(
        "c9", Said("ada", "hall", "e", accepted=True)
    ),
    "the end of a call": lambda story: story.calls["k2", "bo"].words.pop(),
    "the answer to a caller": lambda story: story.calls["k1", "ada"].words.__setitem__(slice(1, 4), ["bye"]),
    "an offline that nobody told": lambda story: story.truth.online.__setitem__("cy", False),
    "an attribute that a member sees otherwise": lambda story: story.attributes.__setitem__(
        ("hall", "topic"), Attribute(tried=["1", "2"], stored=["1", "2"], found="2")
    ),
    "a ghost that is online": lambda story: story.truth.found_online.__setitem__("di", True),
    "a ghost in a channel": lambda story: story.truth.found_members["hall"].add("cy"),
    "a member that is not listed": lambda story: story.truth.found_members["hall"].discard("web"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_never_be_right_is_wrong(name: str) -> None:
    story = good()
    WRONG[name](story)
    verdict = judge(story)
    assert verdict.wrong, name


@pytest.mark.parametrize("name", MISSING)
def test_what_may_yet_come_is_missing(name: str) -> None:
    story = good()
    MISSING[name](story)
    verdict = judge(story)
    assert verdict.missing, name
    assert not verdict.wrong, str(verdict)


EXCUSED: dict[str, Plant] = {
    "what ours were told is lost": lambda story: (
        story.stays[1].lost.append((2, 1)),
        _hall(story, 1).pop(1),
    ),
    "what is behind the end of a session": lambda story: (
        setattr(story.stays[1], "over", "gone"),
        _hall(story, 1).pop(),
    ),
    "a missed join of a member whom the list behind a break has": lambda story: _hall(story, 3).insert(
        0, Event(0, "join", "bo")
    ),
    "a doubtful message that came": lambda story: _mail(story).append("m3"),
    "a channel whose memory is lost": lambda story: (
        [setattr(stay, "over", "gone") for stay in story.stays],
        story.said.__setitem__("c9", Said("ada", "hall", "e", accepted=True)),
        story.stays.append(Stay("ada", "hall", "e2", members=("ada",))),
    ),
    "sides that differ where one was left in doubt": lambda story: (
        story.calls["k1", "bo"].words.remove("accepted"),
        setattr(story.calls["k1", "bo"], "doubtful", True),
    ),
}


@pytest.mark.parametrize("name", EXCUSED)
def test_what_is_allowed_to_be_lost_is_excused(name: str) -> None:
    story = good()
    EXCUSED[name](story)
    verdict = judge(story)
    assert verdict, str(verdict)


def test_an_original_need_not_hear_what_was_said_when_it_had_left() -> None:
    """SPEC L7, C9: between its leave and its next join it was no member."""
    story = good()
    log = [
        Event(1, "join", "bo"),
        Event(2, "join", "web"),
        Event(3, "say", "ada", "c1"),
        Event(4, "leave", "web"),
        Event(5, "say", "bo", "c2"),
        Event(6, "join", "web"),
        Event(7, "say", "web", "c3"),
    ]
    story.stays[0].events, story.stays[1].events = log, log[1:]
    story.stays[2].events, story.stays[3].events = [log[2]], [log[6]]
    verdict = judge(story)
    assert verdict, str(verdict)
