"""Channels over the wire: joining, speaking, attributes, queries, order, breaks, many members (SPEC §5)."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.client import Line, RawClient, parse_line
from support.crowd import Crowd
from support.house import House
from support.server import ServerProcess, serving
from support.waiting import until
from support.web import metrics

OURS, WEB, PYTHON = "signalpost-python", "websdk", "javasdk"
CONFIG = """
[server]
connections_per_second = 100000

[apps.short]
allow_no_token = true

[apps.short.limits]
history_events = 5

[apps.loud]
allow_no_token = true

[apps.loud.limits]
user_messages = 100000
channel_messages = 100000
requests = 100000
"""
JOIN, LEAVE, ATTR, MSG = "channel_user_join", "channel_user_leave", "channel_attr_update", "channel_msg"
every_device = pytest.mark.parametrize("device", [OURS, WEB, PYTHON])


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("channels"), CONFIG) as server:
        yield server


@pytest.fixture
async def fleeting(directory: Path) -> AsyncIterator[House]:
    """A server of its own, so that its channels can be counted; they live for a few seconds."""
    with ServerProcess(directory, config="[limits]\nchannel_seconds = 2.5", flags=("--dev",)) as server:
        house = House(server)
        yield house
        for client in house.clients:
            await client.close()
        assert await server.stopped() == 0


async def channels(house: House, number: int) -> None:
    """Wait until so many channels are there; asking for one of them by name could bring it back."""

    async def so_many() -> bool:
        return metrics(house.server.http)["signalpost_channels"] == number

    await until(so_many, f"{number} channels are left")


async def joined(house: House, account: str, channel: str = "room", **login: Any) -> RawClient:
    client = await house.client(account, **login)
    await client.ok("channel_join", name=channel)
    return client


async def tells(client: RawClient, channel: str, *expected: tuple[str, ...]) -> None:
    """The next events of the channel are these, and there is nothing else."""
    seen = [short(await client.event(channel)) for _ in expected]
    assert seen == list(expected)
    await client.quiet()


def short(event: tuple[int, Line]) -> tuple[str, ...]:
    """TYPE and account, and for a message its text, for an attribute its change, name and value."""
    line = event[1]
    content = line.json
    assert content["uid"] == 0
    assert line.dst == content["channel"]
    match line.type:
        case "channel_msg":
            return line.type, content["account"], content["msg"]
        case "channel_attr_update":
            return line.type, content["account"], content["type"], content["name"], content["value"]
    return line.type, content["account"]


async def number_of(client: RawClient, channel: str = "room") -> int:
    number: int = (await client.ok("channel_query_num", name=channel))["num"]
    return number


# --- joining and leaving ------------------------------------------------------------------------


@every_device
async def test_a_join_is_answered_with_members_and_attributes(house: House, device: str) -> None:
    """SPEC C1: oldest first, oneself last, detached ones included; the others are told, oneself is not."""
    ada = await joined(house, "ada", device=device)
    await ada.ok("channel_set_attr", channel="room", name="topic", value="x")
    await ada.event("room")
    bo = await joined(house, "bo", device=device)
    await tells(ada, "room", (JOIN, "bo"))
    await bo.close()
    cy = await house.client("cy", device=device)
    answer = await cy.ok("channel_join", name="room")
    assert answer["list"] == [["ada", 0], ["bo", 0], ["cy", 0]]
    assert answer["attrs"] == {"topic": "x"}
    await tells(ada, "room", (JOIN, "cy"))
    await cy.quiet()


@every_device
async def test_a_second_channel_leaves_the_first(house: House, device: str) -> None:
    """SPEC C2: its members are told, and nothing of it comes any more."""
    ada, bo = await joined(house, "ada", device=device), await joined(house, "bo")
    await ada.event("room")
    await ada.ok("channel_join", name="hall")
    await tells(bo, "room", (LEAVE, "ada"))
    await bo.ok("channel_sendmsg", name="room", msg="not for ada")
    await bo.event("room")
    await bo.ok("channel_sendmsg", name="hall", msg="for ada", force=True)
    await tells(ada, "hall", (MSG, "bo", "for ada"))
    assert (await bo.ok("channel_query_user_isin", name="room", account="ada"))["isin"] == 0


@every_device
async def test_joining_again_changes_nothing_for_others(house: House, device: str) -> None:
    """SPEC C2: list and attributes come again, each event once."""
    ada, bo = await joined(house, "ada", device=device), await joined(house, "bo")
    await ada.event("room")
    for _ in range(3):
        answer = await ada.ok("channel_join", name="room")
        assert sorted(answer["list"]) == [["ada", 0], ["bo", 0]]
        assert answer["list"][-1] == ["ada", 0]
    await bo.quiet()
    await bo.ok("channel_sendmsg", name="room", msg="once")
    await tells(ada, "room", (MSG, "bo", "once"))
    assert await number_of(bo) == 2


@every_device
async def test_after_leaving_nothing_of_the_channel_comes(house: House, device: str) -> None:
    """SPEC C3: the others are told; leaving again is no failure, and told to nobody."""
    ada, bo = await joined(house, "ada", device=device), await joined(house, "bo")
    await ada.event("room")
    asked = [
        await ada.ask("channel_sendmsg", name="room", msg="mine"),
        await ada.ask("channel_leave", name="room"),
    ]
    for call in asked:
        assert (await ada.answer(call))["result"] == "ok"
    await bo.ok("channel_sendmsg", name="room", msg="not for ada")
    await tells(ada, "room", (MSG, "ada", "mine"))
    await tells(bo, "room", (MSG, "ada", "mine"), (LEAVE, "ada"), (MSG, "bo", "not for ada"))
    for name in ("room", "never-joined", "room"):
        await ada.ok("channel_leave", name=name)
    await ada.refused("channel_leave", 1004, name="a b")
    await bo.quiet()
    await ada.refused("channel_sendmsg", 400, name="room", msg="")


async def test_everybody_who_goes_is_seen_leaving_once(house: House) -> None:
    """SPEC C3, L9: by logout, and by another login."""
    bo = await joined(house, "bo")
    for _ in range(2):
        ada = await joined(house, "ada")
        await ada.ok("user_logout")
        await tells(bo, "room", (JOIN, "ada"), (LEAVE, "ada"))
    await joined(house, "ada")
    await house.client("ada")
    await tells(bo, "room", (JOIN, "ada"), (LEAVE, "ada"))


# --- speaking -----------------------------------------------------------------------------------


@every_device
async def test_every_member_hears_a_message_its_sender_too(house: House, device: str) -> None:
    """SPEC C4: byte for byte, of members only; an empty one is a message."""
    ada, bo = await joined(house, "ada", device=device), await joined(house, "bo")
    await ada.event("room")
    eve = await house.client("eve")
    await eve.refused("channel_sendmsg", 400, name="room", msg="of a stranger")
    await eve.refused("channel_sendmsg", 400, name="nowhere", msg="")
    texts = ["", " a  b ", '{"quotes\\": "\n😀"}', "msg-v2 looks like a line"]
    for text in texts:
        await ada.ok("channel_sendmsg", name="room", msg=text)
    for member in (ada, bo):
        await tells(member, "room", *((MSG, "ada", text) for text in texts))
    await eve.quiet()


@every_device
async def test_a_message_by_force_needs_no_membership(house: House, device: str) -> None:
    """SPEC C5: no echo to a stranger, one to a member; into nowhere it succeeds and makes no channel."""
    ada, eve = await joined(house, "ada"), await house.client("eve", device=device)
    await eve.ok("channel_sendmsg", name="room", msg="by force", force=True)
    await ada.ok("channel_sendmsg", name="room", msg="by a member", force=True)
    await tells(ada, "room", (MSG, "eve", "by force"), (MSG, "ada", "by a member"))
    before = metrics(house.server.http)["signalpost_channels"]
    await eve.ok("channel_sendmsg", name="nowhere", msg="", force=True)
    assert metrics(house.server.http)["signalpost_channels"] == before
    await eve.quiet()


async def test_all_members_see_one_order(house: House) -> None:
    """SPEC C6: messages, joins, leaves and attribute changes of many at once, in both kinds of lines."""
    witnesses = [
        await joined(house, f"witness-{device}", device=device, app="loud") for device in (OURS, WEB, PYTHON)
    ]
    for witness in witnesses:
        await witness.settle()
        witness.frames.clear()

    async def act(number: int) -> None:
        account = f"actor-{number}"
        for turn in range(8):
            actor = await joined(house, account, app="loud", polled=False)
            asked = [await actor.ask("channel_sendmsg", name="room", msg=f"{turn} {n}") for n in range(5)]
            own = {"channel": "room", "name": f"{account} {turn}"}
            asked.append(await actor.ask("channel_set_attr", value="", **own))
            asked.append(await actor.ask("channel_del_attr", **own))
            for call in asked:
                assert (await actor.answer(call))["result"] == "ok"
            await actor.ok("user_logout")

    await asyncio.gather(*map(act, range(5)))
    seen: list[list[tuple[str, ...]]] = []
    told: list[list[tuple[int, str]]] = []
    for witness in witnesses:
        events = [await witness.event("room") for _ in range(5 * 8 * 9)]
        await witness.quiet()
        numbers = [number for number, _ in events]
        assert numbers == sorted(set(numbers))
        seen.append([short((number, line)) for number, line in events])
        told.append([(number, line.id) for number, line in events])
    assert seen[0] == seen[1] == seen[2]
    first = told[0][0][0]
    assert [number for number, _ in told[0]] == [*range(first, first + 5 * 8 * 9)], "ours get numbers"
    assert [message for _, message in told[0]] == [message for _, message in told[1]]
    for number in range(5):
        mine = [what for what in seen[0] if what[1] == f"actor-{number}"]
        assert [what[0] for what in mine] == [JOIN, *[MSG] * 5, ATTR, ATTR, LEAVE] * 8


async def speak(client: RawClient, stop: asyncio.Event) -> None:
    """Send numbers into the room, a few at a time, until told to stop."""
    number = 0
    while not stop.is_set():
        asked = []
        for _ in range(4):
            asked.append(await client.ask("channel_sendmsg", name="room", msg=str(number)))
            number += 1
        for call in asked:
            assert (await client.answer(call))["result"] == "ok"


def numbered(client: RawClient) -> list[tuple[int, str]]:
    """Id and text of the channel messages that have come."""
    events = [frame[1] for frame in client.frames if frame[0] == "notify"]
    found = [(event[2], parse_line(event[3])) for event in events]
    return [(number, line.json["msg"]) for number, line in found if line.type == MSG]


async def under_fire(house: House, act: Callable[[], Awaitable[None]]) -> list[tuple[int, str]]:
    """Do something while somebody speaks; what a witness heard meanwhile."""
    speaker = await joined(house, "speaker", app="loud")
    witness = await joined(house, "witness", app="loud", device=OURS)
    stop = asyncio.Event()
    speaking = asyncio.create_task(speak(speaker, stop))
    await witness.event("room")
    await act()
    stop.set()
    await speaking
    await witness.settle()
    return numbered(witness)


async def test_who_joins_under_fire_misses_nothing_from_then_on(house: House) -> None:
    """SPEC C1, C3, C6: every event after the answer's id comes, none before it, none after leaving."""
    client = await house.client("ada", app="loud", device=OURS)
    await client.ok("channel_set_attr", channel="room", name="_auto_update_num", value=1)
    visits: list[tuple[int, list[tuple[int, str]]]] = []

    async def act() -> None:
        for _ in range(20):
            begin = (await client.ok("channel_join", name="room"))["id"]
            await client.event("room")
            await client.wait(lambda frame: frame[0] == "notify" and MSG in frame[1][3], "another")
            await client.ok("channel_leave", name="room")
            await client.settle()
            visits.append((begin, numbered(client)))
            client.frames.clear()

    heard = await under_fire(house, act)
    for begin, seen in visits:
        assert seen, "somebody spoke"
        assert begin < seen[0][0]
        first, last = heard.index(seen[0]), heard.index(seen[-1])
        assert heard[first : last + 1] == seen
    await client.quiet()


# --- breaks -------------------------------------------------------------------------------------


async def comes_back(house: House, client: RawClient, **login: Any) -> tuple[RawClient, dict[str, Any]]:
    """One of ours resumes its session."""
    again = await house.open()
    body = await again.login(client.account, device=OURS, line=client.line, **{"app": house.app, **login})
    assert body["resumed"] is True
    return again, body


async def test_a_member_who_comes_back_gets_what_it_missed(house: House) -> None:
    """SPEC C9, PROTOCOL §12: events of every kind after its cursor, in order, without repeats."""
    ada, bo = await house.client("ada", device=OURS), await joined(house, "bo")
    joining = await ada.ok("channel_join", name="room")
    await bo.event("room")
    await bo.ok("channel_sendmsg", name="room", msg="heard")
    cursor, _ = await ada.event("room")
    await ada.close()
    await bo.ok("channel_sendmsg", name="room", msg="missed")
    await bo.ok("channel_set_attr", channel="room", name="n", value="v")
    cy = await joined(house, "cy")
    await cy.ok("channel_leave", name="room")
    epoch = joining["epoch"]
    missed = [(MSG, "bo", "missed"), (ATTR, "bo", "update", "n", "v"), (JOIN, "cy"), (LEAVE, "cy")]
    for _ in range(2):
        ada, body = await comes_back(house, ada, channels={"room": [epoch, cursor]})
        assert body["channels"] == {"room": {"epoch": epoch, "lost": 0}}
        await tells(ada, "room", *missed)
        await ada.close()
    await bo.event("room")
    ada, _ = await comes_back(house, ada, channels={"room": [epoch, cursor]})
    await bo.ok("channel_sendmsg", name="room", msg="live")
    events = [await ada.event("room") for _ in range(5)]
    assert [short(event) for event in events] == [*missed, (MSG, "bo", "live")]
    assert [number for number, _ in events] == sorted({number for number, _ in events} - {cursor})
    ada, _ = await comes_back(house, ada, channels={"room": [epoch, events[-1][0]]})
    await ada.quiet()


async def test_a_cursor_of_an_unknown_epoch_counts_from_the_join(house: House) -> None:
    """SPEC C9, PROTOCOL §12: everything since, and nothing from before one was a member."""
    bo = await joined(house, "bo")
    await bo.ok("channel_sendmsg", name="room", msg="before ada")
    ada = await joined(house, "ada", device=OURS)
    await bo.ok("channel_sendmsg", name="room", msg="1")
    await ada.event("room")
    await ada.close()
    await bo.ok("channel_sendmsg", name="room", msg="2")
    for cursor in (["", 0], ["unknown", 10**15], "junk", [1, 2], None):
        ada, _ = await comes_back(house, ada, channels={"room": cursor})
        await tells(ada, "room", (MSG, "bo", "1"), (MSG, "bo", "2"))


async def test_a_member_who_names_no_cursor_gets_what_came_since_the_break(house: House) -> None:
    """SPEC C9, L17: the server remembers where the channel stood."""
    bo, ada = await joined(house, "bo"), await joined(house, "ada", device=OURS)
    await bo.ok("channel_sendmsg", name="room", msg="heard")
    await ada.event("room")
    await ada.close()
    await bo.ok("channel_sendmsg", name="room", msg="missed")
    ada, _ = await comes_back(house, ada)
    await tells(ada, "room", (MSG, "bo", "missed"))


async def test_who_resumes_under_fire_hears_everything_once(house: House) -> None:
    """SPEC C9, L17: break after break, with its cursor; the old connection alive or not."""
    client = await house.client("ada", app="loud", device=OURS)
    joining = await client.ok("channel_join", name="room")
    cursor = [joining["epoch"], joining["id"]]
    seen: list[tuple[int, str]] = []

    async def something_came() -> bool:
        return bool(numbered(client))

    async def act() -> None:
        nonlocal client
        for turn in range(20):
            await until(something_came, "a message")
            if turn % 2:
                await client.close()
            seen.extend(numbered(client))  # what came is what the application has seen
            cursor[1] = seen[-1][0]
            client, body = await comes_back(house, client, app="loud", channels={"room": cursor})
            assert body["channels"]["room"]["lost"] == 0
        await client.settle()
        seen.extend(numbered(client))

    heard = await under_fire(house, act)
    both = seen.index(heard[0])  # the witness came later
    assert seen[both:] == heard[: len(seen) - both]
    assert len(seen) - both >= 20


async def test_how_much_was_lost_is_said(house: House) -> None:
    """SPEC C9, PROTOCOL §12: what the server could not keep; the latest come all the same."""
    house.app = "short"
    bo, ada = await house.client("bo"), await house.client("ada", device=OURS)
    await bo.ok("channel_join", name="room")
    joining = await ada.ok("channel_join", name="room")
    cursor = [joining["epoch"], joining["id"]]
    await bo.event("room")
    await ada.close()
    for count, lost in ((5, 0), (6, 1), (12, 7)):
        while len(bo.frames) < count:
            await bo.ok("channel_sendmsg", name="room", msg=str(len(bo.frames)))
            await bo.settle()
        ada, body = await comes_back(house, ada, channels={"room": cursor})
        assert body["channels"]["room"]["lost"] == lost
        await tells(ada, "room", *((MSG, "bo", str(number)) for number in range(count - 5, count)))
        await ada.close()


async def test_a_channel_that_was_reborn_has_another_epoch(fleeting: House) -> None:
    """PROTOCOL §12: a channel that died begins anew, and so says its epoch."""
    ada = await fleeting.client("ada", device=OURS)
    first = await ada.ok("channel_join", name="room")
    assert (await ada.ok("channel_join", name="room"))["epoch"] == first["epoch"]
    await ada.ok("channel_leave", name="room")
    await channels(fleeting, 0)
    again = await ada.ok("channel_join", name="room")
    assert again["epoch"] != first["epoch"]
    assert again["id"] >= first["id"], "originals filter by numbers alone (PROTOCOL §7)"


# --- attributes ---------------------------------------------------------------------------------


@every_device
async def test_every_member_is_told_of_attributes(house: House, device: str) -> None:
    """SPEC C10, C13: set, deleted and cleared, by members and by strangers; clearing leaves `_` names."""
    ada, eve = await joined(house, "ada", device=device), await house.client("eve")
    await ada.ok("channel_set_attr", channel="room", name="two words", value='"😀\n')
    await eve.ok("channel_set_attr", channel="room", name="n", value="")
    await eve.ok("channel_set_attr", channel="room", name="_mine", value="kept")
    await eve.ok("channel_del_attr", channel="room", name="n")
    await ada.ok("channel_clear_attr", channel="room")
    await tells(
        ada,
        "room",
        (ATTR, "ada", "update", "two words", '"😀\n'),
        (ATTR, "eve", "update", "n", ""),
        (ATTR, "eve", "update", "_mine", "kept"),
        (ATTR, "eve", "del", "n", ""),
        (ATTR, "ada", "clear", "", ""),
    )
    assert (await eve.ok("channel_join", name="room"))["attrs"] == {"_mine": "kept"}


async def test_what_is_not_there_can_be_deleted(house: House) -> None:
    """SPEC C10, C13: nothing happens, in a channel or in none."""
    ada = await joined(house, "ada")
    await ada.ok("channel_del_attr", channel="room", name="n")
    await ada.ok("channel_del_attr", channel="nowhere", name="n")
    await ada.ok("channel_clear_attr", channel="nowhere")
    await ada.quiet()
    assert await number_of(ada, "nowhere") == 0


SENSELESS: list[tuple[str, list[Any]]] = [
    ("_userNotification", ["2", "-1", "yes", "", True, 1.5]),
    ("_channel_ttl", ["-1", "86401", "1e3", " 5", [5]]),
    ("_auto_update_num", ["-1", "3601", "often", None]),
    ("_auto_update_total_num", ["-1", "3601", "", {}]),
    ("_sendmsg_limit", ["0", "201", "-1"]),
    ("_setattr_limit", ["0", "-1", "ten"]),
    ("_member_num", ["5", "0"]),
    ("_total_member_num", ["5", "0"]),
]


@pytest.mark.parametrize(("name", "values"), SENSELESS, ids=[name for name, _ in SENSELESS])
async def test_a_built_in_takes_only_what_makes_sense(house: House, name: str, values: list[Any]) -> None:
    """SPEC C11: 1004, nothing changes and nobody is told; what is read-only cannot be deleted either."""
    ada = await joined(house, "ada")
    for value in values:
        await ada.refused("channel_set_attr", 1004, channel="room", name=name, value=value)
    if name in ("_member_num", "_total_member_num"):
        await ada.refused("channel_del_attr", 1004, channel="room", name=name)
    await ada.quiet()
    assert (await ada.ok("channel_join", name="room"))["attrs"] == {}


SENSIBLE = [
    ("_userNotification", [0, "1", "0"]),
    ("_channel_ttl", ["0", 86400]),
    ("_auto_update_total_num", ["3600", 0]),
    ("_sendmsg_limit", [1, "200"]),
    ("_setattr_limit", [10, "5"]),
    ("_other", ["anything", ""]),
]


@pytest.mark.parametrize(("name", "values"), SENSIBLE, ids=[name for name, _ in SENSIBLE])
async def test_a_built_in_takes_numbers_and_digits(house: House, name: str, values: list[Any]) -> None:
    """SPEC C11: both do; members are told as of any attribute, and deleting restores the default."""
    ada = await joined(house, "ada")
    for value in values:
        await ada.ok("channel_set_attr", channel="room", name=name, value=value)
        await tells(ada, "room", (ATTR, "ada", "update", name, str(value)))
        assert (await ada.ok("channel_join", name="room"))["attrs"] == {name: str(value)}
    await ada.ok("channel_del_attr", channel="room", name=name)
    await tells(ada, "room", (ATTR, "ada", "del", name, ""))


async def test_a_channel_may_keep_its_comings_and_goings_to_itself(house: House) -> None:
    """SPEC C11: `_userNotification` 0; lists go on, and deleting it brings the events back."""
    ada = await joined(house, "ada")
    await ada.ok("channel_set_attr", channel="room", name="_userNotification", value=0)
    await ada.event("room")
    bo = await joined(house, "bo")
    assert await number_of(ada) == 2
    await bo.ok("channel_leave", name="room")
    await ada.quiet()
    await ada.ok("channel_del_attr", channel="room", name="_userNotification")
    await ada.event("room")
    await bo.ok("channel_join", name="room")
    await tells(ada, "room", (JOIN, "bo"))


async def test_a_channel_counts_its_members_at_most_every_n_seconds(house: House) -> None:
    """SPEC C11: `_auto_update_num`: first at once, then as needed; nothing if nobody came or went."""
    ada = await joined(house, "ada")
    await ada.ok("channel_set_attr", channel="room", name="_userNotification", value=0)
    await ada.ok("channel_set_attr", channel="room", name="_auto_update_total_num", value=1)
    await ada.event("room")
    await ada.event("room")
    began = time.monotonic()
    await ada.ok("channel_set_attr", channel="room", name="_auto_update_num", value=3)
    await ada.event("room")
    await tells(
        ada,
        "room",
        (ATTR, "", "update", "_member_num", "1"),
        (ATTR, "", "update", "_total_member_num", "1"),
    )
    others = [await joined(house, f"m{number}") for number in range(3)]
    await others[0].ok("channel_leave", name="room")
    await ada.quiet()
    _, line = await ada.event("room")
    assert time.monotonic() - began >= 2.9
    assert (line.src, line.json["account"]) == ("_system", "")
    assert (line.json["name"], line.json["value"]) == ("_member_num", "3")
    await tells(ada, "room", (ATTR, "", "update", "_total_member_num", "4"))
    attributes = (await ada.ok("channel_join", name="room"))["attrs"]
    assert (attributes["_member_num"], attributes["_total_member_num"]) == ("3", "4")
    await asyncio.sleep(3.2)  # the time in which a third number would have to come if it came by the clock
    await ada.quiet()
    await others[1].ok("channel_leave", name="room")
    _, line = await ada.event("room")
    assert line.json["value"] == "2", "at once: the last one is longer ago than n seconds"
    await ada.event("room")
    await ada.ok("channel_set_attr", channel="room", name="_auto_update_num", value=0)
    await tells(
        ada,
        "room",
        (ATTR, "ada", "update", "_auto_update_num", "0"),
        (ATTR, "", "del", "_member_num", ""),
        (ATTR, "", "del", "_total_member_num", ""),
    )


# --- life and death -----------------------------------------------------------------------------


async def test_a_channel_dies_its_ttl_after_its_last_member_left(fleeting: House) -> None:
    """SPEC C8: with its attributes; whoever comes in time saves it, and one without members dies too."""
    ada, eve = await fleeting.client("ada"), await fleeting.client("eve")
    await ada.ok("channel_join", name="visited")
    await ada.ok("channel_set_attr", channel="visited", name="n", value="v")
    await ada.ok("channel_leave", name="visited")
    assert (await ada.ok("channel_join", name="visited"))["attrs"] == {"n": "v"}
    await eve.ok("channel_set_attr", channel="unvisited", name="n", value="v")
    await channels(fleeting, 1)
    assert (await ada.ok("channel_join", name="visited"))["attrs"] == {"n": "v"}, "a member keeps it alive"
    left = time.monotonic()
    await ada.ok("channel_leave", name="visited")
    await channels(fleeting, 0)
    assert time.monotonic() - left >= 2.4
    for name in ("visited", "unvisited"):
        assert (await eve.ok("channel_join", name=name))["attrs"] == {}


async def test_a_channel_says_itself_how_long_it_lives(fleeting: House) -> None:
    """SPEC C8, C11: `_channel_ttl` 0 ends it with its last member, a longer one keeps it."""
    ada = await fleeting.client("ada")
    for name, ttl in (("short", 0), ("long", 86400)):
        await ada.ok("channel_join", name=name)
        await ada.ok("channel_set_attr", channel=name, name="_channel_ttl", value=ttl)
    await channels(fleeting, 1)
    assert (await ada.ok("channel_join", name="short"))["attrs"] == {}
    await channels(fleeting, 2)
    assert (await ada.ok("channel_join", name="long"))["attrs"] == {"_channel_ttl": "86400"}
    await channels(fleeting, 1)


# --- queries ------------------------------------------------------------------------------------


@every_device
async def test_queries_need_no_membership(house: House, device: str) -> None:
    """SPEC C12, C13, C14: numbers are numbers, lists are pairs, unknown channels are empty."""
    for account in ("ada", "bo"):
        await joined(house, account)
    eve = await house.client("eve", device=device)
    ok = {"result": "ok"}
    both = {"num": 2, "list": [["ada", 0], ["bo", 0]]}
    assert await eve.ok("channel_query_num", name="room") == ok | {"num": 2}
    assert await eve.ok("channel_query_userlist", name="room") == ok | both
    assert await eve.ok("channel_query_userlist_all", name="room") == ok | both
    capped = await eve.ok("channel_query_userlist_all", name="room", num="1")
    assert capped["list"] == [["bo", 0]]
    for account, isin in (("ada", 1), ("eve", 0), ("nobody", 0)):
        answer = await eve.ok("channel_query_user_isin", name="room", account=account)
        assert answer == ok | {"isin": isin}
        assert not isinstance(answer["isin"], bool)
    assert await eve.ok("channel_query_num", name="nowhere") == ok | {"num": 0}
    for query in ("channel_query_userlist", "channel_query_userlist_all"):
        assert await eve.ok(query, name="nowhere") == ok | {"num": 0, "list": []}
    assert (await eve.ok("channel_query_user_isin", name="nowhere", account="ada"))["isin"] == 0
    for number in (-1, "many", "1.5"):
        await eve.refused("channel_query_userlist_all", 1004, name="room", num=number)
    await eve.refused("channel_query_everything", 1001, name="room")
    await eve.quiet()


# --- many ---------------------------------------------------------------------------------------

MANY = 10_000


@pytest.mark.timeout(900)
async def test_a_channel_holds_ten_thousand_members(directory: Path) -> None:
    """SPEC C15: everybody hears everything, in one order, and the channel can be asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the server inherits it
    crowd = Crowd("app", "stadium")
    try:
        with serving(directory, CONFIG) as server:
            ada = await server.client("ada")
            await ada.ok("channel_set_attr", channel="stadium", name="_userNotification", value=0)
            await crowd.come(server.port, MANY - 1)
            answer = await ada.ok("channel_join", name="stadium")
            assert len(answer["list"]) == 200
            assert await number_of(ada, "stadium") == MANY
            full = await ada.ok("channel_query_userlist_all", name="stadium")
            assert len({account for account, _ in full["list"]}) == full["num"] == MANY
            for number in range(3):
                await ada.ok("channel_sendmsg", name="stadium", msg=str(number))
            await crowd.each_heard(3)
            events = [await ada.event("stadium") for _ in range(3)]
            assert [short(event)[2] for event in events] == ["0", "1", "2"]
            same = crowd.members[0].events
            assert [json.loads(event)[1][2] for event in same] == [number for number, _ in events]
            assert all(member.events == same for member in crowd.members)
            await ada.ok("user_logout")
            await ada.close()
            crowd.leave()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
