"""Who is online, what users say of themselves, and who may watch (SPEC §3: P1-P5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.client import RawClient
from support.house import House
from support.server import ServerProcess, serving
from support.waiting import until

OURS, WEB, PYTHON = "signalpost-python", "websdk", "javasdk"
ONLINE, MOVES = "__agora_user_online", "__agora_channel_event"

# Where somebody has to do something in time, a busy machine has enough of it.
CONFIG = """
[apps.brief]
allow_no_token = true
[apps.brief.limits]
grace_min = 0.3
grace_max = 0.3

[apps.forgetful]
allow_no_token = true

[apps.forgetful.limits]
attribute_seconds = 2.5
grace_min = 0.3
grace_max = 0.3

[apps.guarded]
allow_no_token = true
watchers = ["eve", "ève"]
"""
CONFIG += "".join(
    f"""
[apps.watched-{device}]
allow_no_token = true
[apps.watched-{device}.limits]
grace_min = 2.5
grace_max = 2.5
"""
    for device in (OURS, WEB, PYTHON)
)
every_device = pytest.mark.parametrize("device", [OURS, WEB, PYTHON])


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("presence"), CONFIG) as server:
        yield server


async def status(client: RawClient, account: str) -> Any:
    return (await client.ok("user_query_user_status", account=account))["status"]


async def told(client: RawClient, channel: str) -> dict[str, Any]:
    """The next thing that a special channel says; its time is checked, and left out."""
    line = (await client.event(channel))[1]
    assert line.type == "channel_msg"
    content = line.json
    assert content.keys() == {"channel", "account", "uid", "msg"}
    assert content["channel"] == channel
    said: dict[str, Any] = json.loads(content["msg"])
    assert content["account"] == said["account"], "the account concerned (PROTOCOL §7)"
    assert abs(said.pop("ts") - int(line.time)) <= 1
    return said


def online(account: str) -> dict[str, Any]:
    return {"event": "online", "account": account}


def offline(account: str) -> dict[str, Any]:
    return {"event": "offline", "account": account}


# --- status -------------------------------------------------------------------------------------


@every_device
async def test_status_is_the_number_1_or_0(house: House, device: str) -> None:
    """SPEC P1: online from login to logout, through breaks (L11); unknown accounts are offline."""
    eve = await house.client("eve")
    assert await status(eve, "ada") == 0
    ada = await house.client("ada", device=device)
    assert await status(eve, "ada") == 1
    assert await status(ada, "ada") == 1
    await ada.close()
    assert await status(eve, "ada") == 1
    ada = await house.client("ada", device=device)
    await ada.ok("user_logout")
    assert await status(eve, "ada") == 0
    assert not isinstance(await status(eve, "ada"), bool)


async def test_status_is_0_when_the_grace_time_is_over(house: House) -> None:
    """SPEC P1, L11."""
    house.app = "brief"
    eve, ada = await house.client("eve"), await house.client("ada")
    await ada.close()

    async def gone() -> bool:
        return bool(await status(eve, "ada") == 0)

    await until(gone, "the grace time is over")


# --- attributes ---------------------------------------------------------------------------------


async def test_anyone_in_the_app_reads_what_a_user_says_of_himself(house: House) -> None:
    """SPEC P2: one attribute or all; never set is "", an unknown account has none."""
    ada, bo = await house.client("ada"), await house.client("bo")
    await ada.ok("user_set_attr", name="mood", value="fine")
    await ada.ok("user_set_attr", name="two words", value="")
    await ada.ok("user_set_attr", name="mood", value='"{}\n😀')
    for reader in (ada, bo):
        assert (await reader.ok("user_get_attr", account="ada", name="mood"))["value"] == '"{}\n😀'
        assert (await reader.ok("user_get_attr", account="ada", name="none"))["value"] == ""
        assert (await reader.ok("user_get_attr", account="nobody", name="mood"))["value"] == ""
        found = (await reader.ok("user_get_attr_all", account="ada"))["json"]
        assert json.loads(found) == {"mood": '"{}\n😀', "two words": ""}
        assert (await reader.ok("user_get_attr_all", account="nobody"))["json"] == "{}"
    await bo.quiet()


async def test_attributes_are_set_by_their_user_alone(house: House) -> None:
    """SPEC P2: there is no way to name another account."""
    ada, bo = await house.client("ada"), await house.client("bo")
    await bo.ok("user_set_attr", account="ada", name="mood", value="forged")
    assert (await ada.ok("user_get_attr_all", account="ada"))["json"] == "{}"
    assert (await ada.ok("user_get_attr", account="bo", name="mood"))["value"] == "forged"


async def test_contents_that_are_no_text_are_kept_as_json(house: House) -> None:
    """SPEC §1, P2: numbers and objects."""
    ada = await house.client("ada")
    for value, kept in ((7, "7"), ({"a": [1]}, '{"a":[1]}'), (None, "null"), (True, "true")):
        await ada.ok("user_set_attr", name="n", value=value)
        assert (await ada.ok("user_get_attr", account="ada", name="n"))["value"] == kept


@pytest.mark.parametrize("value", ["soon", "", "1.5", "2 s", {"a": 1}, None])
async def test_a_conn_timeout_that_makes_no_sense_changes_nothing(house: House, value: Any) -> None:
    """SPEC L11, P2: 1004, and no attribute is set."""
    ada = await house.client("ada")
    await ada.refused("user_set_attr", 1004, name="_conn_timeout", value=value)
    assert (await ada.ok("user_get_attr_all", account="ada"))["json"] == "{}"


async def test_attributes_outlive_their_user_for_a_while(house: House) -> None:
    """SPEC P3: one day in the product; a login keeps them on, a break does not begin the time."""
    eve = await house.client("eve", app="forgetful")
    ada = await house.client("ada", app="forgetful")
    await ada.ok("user_set_attr", name="mood", value="fine")

    async def mood() -> str:
        value: str = (await eve.ok("user_get_attr", account="ada", name="mood"))["value"]
        return value

    async def forgotten() -> bool:
        return await mood() == ""

    async def gone() -> bool:
        return bool(await status(eve, "ada") == 0)

    for _ in range(2):
        await ada.ok("user_logout")
        assert await mood() == "fine"
        ada = await house.client("ada", app="forgetful")
        assert await mood() == "fine"
    await ada.close()
    await until(gone, "the grace time is over")
    assert await mood() == "fine", "the time begins with going offline"
    await until(forgotten, "the attributes' time is over")
    assert (await eve.ok("user_get_attr_all", account="ada"))["json"] == "{}"


async def test_attributes_of_a_user_who_stays_online_are_kept(house: House) -> None:
    """SPEC P3: however long the session lives."""
    keeper = await house.client("keeper", app="forgetful")
    await keeper.ok("user_set_attr", name="mood", value="fine")
    other = await house.client("other", app="forgetful")
    await other.ok("user_set_attr", name="mood", value="fine")
    await other.ok("user_logout")

    async def forgotten() -> bool:
        return bool((await keeper.ok("user_get_attr", account="other", name="mood"))["value"] == "")

    await until(forgotten, "the other's time is over")
    assert (await keeper.ok("user_get_attr", account="keeper", name="mood"))["value"] == "fine"


# --- watching -----------------------------------------------------------------------------------


@every_device
async def test_watchers_hear_of_true_logins_and_goings(house: House, device: str) -> None:
    """SPEC P4: not of breaks, resumes, kicks and takeovers; oneself too is somebody."""
    house.app = f"watched-{device}"
    eve = await house.client("eve", device=device)
    assert await eve.ok("channel_join", name=ONLINE) == {
        "result": "ok",
        "list": [["eve", 0]],
        "attrs": {},
        **({} if device != OURS else await ids_of(eve)),
    }
    ada = await house.client("ada", device=OURS)
    assert await told(eve, ONLINE) == online("ada")
    await ada.close()
    again = await house.open()
    await again.login("ada", app=house.app, device=OURS, line=ada.line)
    other = await house.client("ada", device=WEB)
    await again.gone()
    await other.close()
    web = await house.client("ada", device=WEB)
    await eve.quiet()
    await web.ok("user_logout")
    assert await told(eve, ONLINE) == offline("ada")
    broken = await house.client("ada", device=OURS)
    assert await told(eve, ONLINE) == online("ada")
    await broken.close()
    await eve.quiet()
    assert await told(eve, ONLINE) == offline("ada")
    await eve.quiet()


async def ids_of(client: RawClient) -> dict[str, Any]:
    """What our own SDKs get besides, as a second join says it (PROTOCOL §12)."""
    answer = await client.ok("channel_join", name=ONLINE)
    return {name: answer[name] for name in ("epoch", "id")}


@every_device
async def test_watchers_hear_of_every_join_and_leave(house: House, device: str) -> None:
    """SPEC P4, C11: voluntary or not, also of channels that do not tell their own members."""
    eve = await house.client("eve", device=device)
    await eve.ok("channel_join", name=MOVES)
    ada = await house.client("ada")

    async def moved(event: str, channel: str) -> None:
        assert await told(eve, MOVES) == {"event": event, "account": "ada", "channel": channel}

    await ada.ok("channel_join", name="room")
    await moved("join", "room")
    await ada.ok("channel_join", name="room")
    await eve.quiet()
    await ada.ok("channel_set_attr", channel="hall", name="_userNotification", value=0)
    await ada.ok("channel_join", name="hall")
    await moved("leave", "room")
    await moved("join", "hall")
    await ada.ok("channel_leave", name="hall")
    await moved("leave", "hall")
    await ada.ok("channel_join", name="room")
    await moved("join", "room")
    other = await house.client("ada", device=OURS)
    await moved("leave", "room")
    await other.ok("channel_join", name="room")
    await moved("join", "room")
    await other.ok("user_logout")
    await moved("leave", "room")
    await eve.quiet()


async def test_watching_has_no_events_of_its_own(house: House) -> None:
    """SPEC P4: no join or leave events, one lists oneself only, one watches besides one's channel."""
    eve, mia = await house.client("eve"), await house.client("mia")
    await eve.ok("channel_join", name="room")
    for watcher in (eve, mia):
        for name in (ONLINE, MOVES):
            answer = await watcher.ok("channel_join", name=name)
            assert answer["list"] == [[watcher.account, 0]]
            assert answer["attrs"] == {}
    await eve.quiet()
    await mia.quiet()
    assert (await mia.ok("channel_query_user_isin", name="room", account="eve"))["isin"] == 1
    await eve.ok("channel_sendmsg", name="room", msg="still a member")
    await eve.event("room")
    await eve.ok("channel_leave", name=ONLINE)
    await mia.quiet()
    ada = await house.client("ada")
    assert await told(mia, ONLINE) == online("ada")
    await eve.quiet()
    await ada.ok("channel_join", name="room")
    assert (await eve.event("room"))[1].type == "channel_user_join"
    for watcher in (eve, mia):
        assert (await told(watcher, MOVES))["event"] == "join"
    await eve.quiet()
    await mia.quiet()


async def test_ids_ascend_over_all_channels_of_a_session(house: House) -> None:
    """PROTOCOL §7, §11.5: originals filter by one number for all channels, however much comes at once."""
    eve = await house.client("eve")
    for name in ("room", ONLINE, MOVES):
        await eve.ok("channel_join", name=name)
    movers = [await house.client(name, polled=False) for name in ("ada", "bo")]
    asked = [
        (mover, await mover.ask(func, name="room"))
        for _ in range(20)
        for mover in movers
        for func in ("channel_join", "channel_leave")
    ]
    for mover, call in asked:
        assert (await mover.answer(call))["result"] == "ok"
    await eve.settle()
    numbers = [frame[1][2] for frame in eve.frames if frame[0] == "notify"]
    assert len(numbers) == 2 + 2 * len(asked)
    assert numbers == sorted(set(numbers))


async def test_who_watches_no_more_goes_on_in_his_channel(house: House) -> None:
    """SPEC P4, C2: after entering and leaving special channels every event still comes once."""
    eve, ada = await house.client("eve"), await house.client("ada")
    await ada.ok("channel_join", name="room")
    for _ in range(3):
        await eve.ok("channel_join", name="room")
        await eve.ok("channel_join", name=MOVES)
        await ada.ok("channel_sendmsg", name="room", msg="1")
        await eve.event("room")
        await eve.ok("channel_leave", name=MOVES)
        await eve.ok("channel_join", name="room")
        await ada.ok("channel_sendmsg", name="room", msg="2")
        await eve.event("room")
        await eve.quiet()


async def test_a_watcher_who_comes_back_hears_what_he_missed(house: House) -> None:
    """SPEC P4, C9: the special channels are channels; none are kept longer than the session."""
    eve = await house.client("eve", device=OURS)
    joined = await eve.ok("channel_join", name=ONLINE)
    cursor = [joined["epoch"], joined["id"]]
    await eve.close()
    ada = await house.client("ada")
    eve_again = await house.open()
    body = await eve_again.login("eve", app=house.app, device=OURS, line=eve.line, channels={ONLINE: cursor})
    assert body["channels"] == {ONLINE: {"epoch": joined["epoch"], "lost": 0}}
    assert await told(eve_again, ONLINE) == online("ada")
    await ada.ok("user_logout")
    assert await told(eve_again, ONLINE) == offline("ada")
    await eve_again.quiet()


async def test_nobody_forges_what_the_special_channels_say(house: House) -> None:
    """SPEC P5: no sending, by force or as a member, and no attributes, in any name of the kind."""
    eve, ada = await house.client("eve"), await house.client("ada")
    for name in (ONLINE, MOVES):
        await eve.ok("channel_join", name=name)
    for name in (ONLINE, MOVES, "__agora_other", "__agora_"):
        for sender in (eve, ada):
            for force in (False, True):
                await sender.refused("channel_sendmsg", 1004, name=name, msg="{}", force=force)
            await sender.refused("channel_set_attr", 1004, channel=name, name="n", value="v")
            await sender.refused("channel_del_attr", 1004, channel=name, name="n")
            await sender.refused("channel_clear_attr", 1004, channel=name)
    for name in ("__agora_other", "__agora_"):
        await eve.refused("channel_join", 1004, name=name)
    await eve.quiet()
    await ada.ok("channel_join", name="__agora")
    assert (await told(eve, MOVES))["channel"] == "__agora", "an ordinary name"


async def test_an_app_may_say_who_watches(house: House) -> None:
    """SPEC P4: the configured accounts alone; others are refused with 300."""
    for account in ("eve", "ève"):
        client = await house.client(account, app="guarded")
        await client.ok("channel_join", name=ONLINE)
        await client.ok("channel_join", name=MOVES)
    for account in ("Eve", "ada"):
        client = await house.client(account, app="guarded")
        for name in (ONLINE, MOVES):
            await client.refused("channel_join", 300, name=name)
        await client.ok("channel_join", name="room")


@pytest.mark.one_node
async def test_that_anybody_may_watch_is_logged_once(house: House) -> None:
    """SPEC P4: a warning that names the app, at the first watcher."""
    for account in ("eve", "mia"):
        client = await house.client(account)
        await client.ok("channel_join", name=ONLINE)
        await client.ok("channel_join", name=MOVES)
    events = map(json.loads, house.server.log.read_text().splitlines())
    warnings = [event for event in events if event.get("app") == house.app]
    assert [event["level"] for event in warnings] == ["warning"]
