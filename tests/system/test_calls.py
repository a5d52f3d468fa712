"""Calls over the wire: the whole flow, who ends what, and what time does (SPEC §6: K1-K13)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support.client import Line, RawClient
from support.house import House
from support.server import ServerProcess, serving

OURS, WEB, PYTHON = "signalpost-python", "websdk", "javasdk"

# Apps in which one thing times out before all others; the others have the product's times. Where somebody has
# to do something in time, a busy machine has enough of it.
CONFIG = """
[apps.peer]
allow_no_token = true
[apps.peer.limits]
peer_wait = 0.5

[apps.ring]
allow_no_token = true
[apps.ring.limits]
ring_max = 2.5

[apps.short]
allow_no_token = true
[apps.short.limits]
ring_max = 0.6

[apps.confirm]
allow_no_token = true
[apps.confirm.limits]
confirm_wait = 2.5

[apps.grace]
allow_no_token = true
[apps.grace.limits]
grace_min = 2.5
grace_max = 2.5

[apps.lost]
allow_no_token = true
[apps.lost.limits]
grace_min = 2.5
grace_max = 2.5
peer_wait = 4

[apps.close]
allow_no_token = true
[apps.close.limits]
peer_wait = 2.5
ring_max = 4
"""
INVITE, ACK, ACCEPT, REFUSE, BYE, KEYS, FAILED = (
    "voip_invite",
    "voip_invite_ack",
    "voip_invite_accept",
    "voip_invite_refuse",
    "voip_invite_bye",
    "voip_invite_msg",
    "voip_invite_failed",
)
LATE = 15  # seconds: what is over by then had no time of the product's, which are longer
originals = pytest.mark.parametrize("device", [WEB, PYTHON])
every_device = pytest.mark.parametrize("device", [OURS, WEB, PYTHON])


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("calls"), CONFIG) as server:
        yield server


class Phone:
    """A client, as one who calls and is called."""

    def __init__(self, client: RawClient, *, polls: bool = False) -> None:
        self.client = client
        self._polls = polls  # it is told to poll, as Python 1.0.2; else it is pushed to
        self._cleared = 0  # the version up to which it has taken what came, if it polls
        self._lines: list[Line] = []  # what polls brought and nobody has looked at

    @property
    def account(self) -> str:
        return self.client.account

    async def invite(self, peer: str, extra: Any = "", channel: str = "room") -> dict[str, Any]:
        text = extra if isinstance(extra, str) else json.dumps(extra)
        return await self.client.ok(INVITE, channelName=channel, peer=peer, extra=text)

    async def does(self, func: str, peer: str, extra: str = "", channel: str = "room") -> None:
        await self.client.ok(func, channelName=channel, peer=peer, extra=extra)

    async def cannot(self, func: str, code: int, peer: str, extra: Any = "", channel: str = "room") -> None:
        text = extra if isinstance(extra, str) else json.dumps(extra)
        await self.client.refused(func, code, channelName=channel, peer=peer, extra=text)

    async def got(self, kind: str, peer: str, extra: str = "", channel: str = "room") -> None:
        """The next call event is this one."""
        line = await self._next()
        content = line.json
        assert content.keys() == {"channel", "peer", "peeruid", "extra"}
        assert content["peeruid"] == 0
        assert line.src == content["peer"]
        assert (line.type, content["peer"], content["channel"], content["extra"]) == (
            kind,
            peer,
            channel,
            extra,
        )

    async def failed(self, code: int, peer: str, channel: str = "room") -> None:
        """The next event says that the invitation failed with this code."""
        line = await self._next()
        assert line.type == FAILED
        assert (line.json["channel"], line.json["peer"], line.json["peeruid"]) == (channel, peer, 0)
        extra = json.loads(line.json["extra"])
        assert extra["code"] == code
        assert extra["reason"]

    async def hears_nothing(self) -> None:
        assert self._lines == []
        await self.client.quiet()

    async def poll(self) -> None:
        """Take what waits; one who is told to poll acknowledges when the nudge makes him (PROTOCOL §6)."""
        items = await self.client.poll(self._cleared)
        self._lines += [line for _, line in items]
        if items and self._polls:
            self._cleared = items[-1][0]
            assert await self.client.announced() == self._cleared
            assert await self.client.poll(self._cleared) == []

    async def _next(self) -> Line:
        if self._lines:
            return self._lines.pop(0)
        if not self._polls:
            return (await self.client.pushed())[1]
        await self.client.announced()
        await self.poll()
        return await self._next()


async def phone(house: House, account: str, **login: Any) -> Phone:
    client = await house.client(account, polled=False, **login)
    one = Phone(client, polls=login.get("device") == PYTHON)
    await one.poll()
    return one


async def ringing(house: House, **extra: Any) -> tuple[Phone, Phone]:
    """Ada calls bo, whose SDK has confirmed."""
    ada, bo = await phone(house, "ada"), await phone(house, "bo")
    text = json.dumps(extra) if extra else ""
    await ada.invite("bo", text)
    await bo.got(INVITE, "ada", text)
    await bo.does(ACK, "ada")
    await ada.got(ACK, "bo")
    return ada, bo


async def talking(house: House) -> tuple[Phone, Phone]:
    """Bo has accepted."""
    ada, bo = await ringing(house)
    await bo.does(ACCEPT, "ada")
    await ada.got(ACCEPT, "bo")
    return ada, bo


def keys(text: str) -> str:
    return json.dumps({"msgtype": "dtmf", "msgdata": text})


async def quiet(*phones: Phone) -> None:
    for each in phones:
        await each.hears_nothing()


# --- the flow -----------------------------------------------------------------------------------


@pytest.mark.parametrize("callee", [OURS, WEB, PYTHON])
@pytest.mark.parametrize("caller", [OURS, WEB, PYTHON])
async def test_a_call_from_the_invitation_to_the_end(house: House, caller: str, callee: str) -> None:
    """SPEC K1-K4, K9: confirmed, accepted, keys both ways, ended; every extra arrives untouched."""
    ada, bo = await phone(house, "ada", device=caller), await phone(house, "bo", device=callee)
    extra = json.dumps({"_timeout": 20, "destMediaUid": 7, "x": "ü😀 "}, ensure_ascii=False)
    await ada.invite("bo", extra)
    await bo.got(INVITE, "ada", extra)
    await bo.does(ACK, "ada")
    await ada.got(ACK, "bo")
    await bo.does(ACCEPT, "ada", "yes, { but no JSON")
    await ada.got(ACCEPT, "bo", "yes, { but no JSON")
    await ada.does(KEYS, "bo", keys("12*#"))
    await bo.got(KEYS, "ada", keys("12*#"))
    await bo.does(KEYS, "ada", keys("D"))
    await ada.got(KEYS, "bo", keys("D"))
    await bo.does(BYE, "ada", "so long")
    await ada.got(BYE, "bo", "so long")
    for one, other in ((ada, "bo"), (bo, "ada")):
        for func in (ACK, ACCEPT, REFUSE):
            await one.cannot(func, 1001, other)
        await one.cannot(KEYS, 1001, other, keys("1"))
        for _ in range(3):
            await one.does(BYE, other, "I am done")
    await quiet(ada, bo)


@every_device
async def test_a_call_that_is_refused(house: House, device: str) -> None:
    """SPEC K2: with any text; afterwards there is no call."""
    ada, bo = await phone(house, "ada"), await phone(house, "bo", device=device)
    await ada.invite("bo")
    await bo.got(INVITE, "ada")
    await bo.does(REFUSE, "ada", "not now")
    await ada.got(REFUSE, "bo", "not now")
    await bo.cannot(ACCEPT, 1001, "ada")
    await quiet(ada, bo)


async def test_a_call_that_is_cancelled(house: House) -> None:
    """SPEC K3: before the answer, by the caller; by the callee it ends as well."""
    ada, bo = await ringing(house)
    await ada.does(BYE, "bo", "never mind")
    await bo.got(BYE, "ada", "never mind")
    await bo.cannot(ACCEPT, 1001, "ada")
    await ada.invite("bo")
    await bo.got(INVITE, "ada")
    await bo.does(BYE, "ada")
    await ada.got(BYE, "bo")
    await quiet(ada, bo)


async def test_a_callee_that_has_not_received_the_invitation_never_does(house: House) -> None:
    """SPEC K3: cancelled while it was offline."""
    ada = await phone(house, "ada")
    await ada.invite("bo")
    await ada.does(BYE, "bo")
    bo = await phone(house, "bo")
    await quiet(ada, bo)


async def test_a_confirmation_comes_once_and_before_the_answer(house: House) -> None:
    """SPEC K1: repeated ones, late ones and ones by the caller tell the caller nothing."""
    ada, bo = await ringing(house)
    await bo.does(ACK, "ada")
    await ada.cannot(ACK, 1001, "bo")
    await bo.does(ACCEPT, "ada")
    await ada.got(ACCEPT, "bo")
    await bo.does(ACK, "ada")
    await quiet(ada, bo)


async def test_only_the_callee_answers_and_only_the_two_take_part(house: House) -> None:
    """SPEC K2, K12, E5: nothing that a stranger or the caller says changes the call."""
    ada, bo = await ringing(house)
    eve = await phone(house, "eve")
    for func in (ACCEPT, REFUSE):
        await ada.cannot(func, 1001, "bo")
    for peer in ("ada", "bo", "eve", "nobody"):
        await eve.does(BYE, peer)
    await bo.does(BYE, "ada", channel="hall")
    for func in (ACK, ACCEPT, REFUSE):
        for peer in ("ada", "bo"):
            await eve.cannot(func, 1001, peer)
        await bo.cannot(func, 1001, "ada", channel="hall")
    await bo.cannot(KEYS, 1001, "ada", keys("1"))
    await bo.does(ACCEPT, "ada")
    await ada.got(ACCEPT, "bo")
    await quiet(ada, bo, eve)


async def test_many_ring_one_account(house: House) -> None:
    """SPEC K12: each call is its own."""
    bo = await phone(house, "bo")
    callers = [await phone(house, f"caller-{number}") for number in range(20)]
    for caller in callers:
        await caller.invite("bo")
        await bo.got(INVITE, caller.account)
    for caller in callers[1:]:
        await bo.does(REFUSE, caller.account)
        await caller.got(REFUSE, "bo")
    await bo.does(ACCEPT, callers[0].account)
    await callers[0].got(ACCEPT, "bo")
    await quiet(bo, *callers)


async def test_calling_and_joining_are_independent(house: House) -> None:
    """SPEC §1: a call makes no member, and leaving the channel ends no call."""
    ada, bo = await talking(house)
    assert (await ada.client.ok("channel_query_num", name="room"))["num"] == 0
    await ada.client.ok("channel_join", name="room")
    await ada.client.ok("channel_leave", name="room")
    await ada.does(KEYS, "bo", keys("1"))
    await bo.got(KEYS, "ada", keys("1"))
    await quiet(ada, bo)


@pytest.mark.parametrize("func", [ACCEPT, REFUSE, BYE])
async def test_a_repeated_request_is_answered_and_not_done_again(house: House, func: str) -> None:
    """PROTOCOL §12: an invitation and its answer, by their request ids."""
    ada, bo = await phone(house, "ada", device=OURS), await phone(house, "bo", device=OURS)
    for _ in range(2):
        await ada.client.ok(INVITE, channelName="room", peer="bo", extra="", rid="i")
    await bo.got(INVITE, "ada")
    for _ in range(2):
        await bo.client.ok(func, channelName="room", peer="ada", extra="x", rid="a")
    await ada.got(func, "bo", "x")
    await quiet(ada, bo)


# --- what cannot be -----------------------------------------------------------------------------


async def test_an_invitation_that_cannot_be(house: House) -> None:
    """SPEC K1, K8, E1: malformed extra, oneself, what is no name; nobody rings."""
    ada, bo = await phone(house, "ada"), await phone(house, "bo")
    for extra in ("{", "no json", "{'a':1}", '{"a":1} x', " "):
        await ada.cannot(INVITE, 1004, "bo", extra)
    await ada.cannot(INVITE, 1004, "ada")
    await ada.cannot(INVITE, 1004, "")
    await ada.cannot(INVITE, 1004, "b o")
    await ada.cannot(INVITE, 1004, "bo", channel="a room")
    await quiet(ada, bo)


@originals
async def test_an_original_names_its_channel(house: House, device: str) -> None:
    """SPEC K10: an empty channel is 1004 from originals."""
    ada = await phone(house, "ada", device=device)
    await ada.cannot(INVITE, 1004, "bo", channel="")


async def test_the_server_names_the_channel_of_ours(house: House) -> None:
    """SPEC K10: unique, and told to both sides."""
    ada, bo = await phone(house, "ada", device=OURS), await phone(house, "bo")
    names = []
    for _ in range(2):
        name = (await ada.invite("bo", channel=""))["channelName"]
        await bo.got(INVITE, "ada", channel=name)
        names.append(name)
    assert len(set(names)) == 2
    assert all(names)
    await bo.does(ACCEPT, "ada", channel=names[1])
    await ada.got(ACCEPT, "bo", channel=names[1])
    await quiet(ada, bo)


async def test_inviting_again_while_it_rings(house: House) -> None:
    """SPEC K8: 701, the ringing call unharmed; another channel is another call."""
    ada, bo = await ringing(house)
    await ada.cannot(INVITE, 701, "bo")
    await bo.hears_nothing()
    await ada.invite("bo", channel="hall")
    await bo.got(INVITE, "ada", channel="hall")
    await bo.does(ACCEPT, "ada")
    await ada.got(ACCEPT, "bo")
    await quiet(ada, bo)


async def test_crossing_invitations(house: House) -> None:
    """SPEC K8: of two at once in one channel the later gets 701, and the first goes on."""
    ada, bo = await phone(house, "ada"), await phone(house, "bo")
    asked = {
        one: await one.client.ask(INVITE, channelName="room", peer=other.account, extra="")
        for one, other in ((ada, bo), (bo, ada))
    }
    answers = {one: (await one.client.answer(call)).get("code", 0) for one, call in asked.items()}
    assert sorted(answers.values()) == [0, 701]
    first, second = sorted((ada, bo), key=lambda one: answers[one])
    await second.got(INVITE, first.account)
    await second.does(ACCEPT, first.account)
    await first.got(ACCEPT, second.account)
    await quiet(ada, bo)


@pytest.mark.parametrize("again", ["ada", "bo"])
async def test_inviting_again_while_it_is_accepted(house: House, again: str) -> None:
    """SPEC K8: the old call ends for the other side, and it rings anew."""
    ada, bo = await talking(house)
    caller, callee = (ada, bo) if again == "ada" else (bo, ada)
    await caller.invite(callee.account)
    await callee.got(BYE, caller.account)
    await callee.got(INVITE, caller.account)
    await callee.does(ACCEPT, caller.account)
    await caller.got(ACCEPT, callee.account)
    await quiet(ada, bo)


@pytest.mark.parametrize("number", ["+4930123456", "004930123456"])
async def test_a_phone_call_finds_no_gateway(house: House, number: str) -> None:
    """SPEC K13: 705 at once, `_require_peer_online` ignored."""
    ada = await phone(house, "ada")
    extra = {"srcNum": "123", "_require_peer_online": 1}
    await ada.cannot(INVITE, 705, number, extra)
    await quiet(ada)


@pytest.mark.parametrize("number", ["030123456", "13800138000", "7", "+", "+0123456", "+49-30", "00012"])
async def test_an_account_made_of_digits_is_called_like_any_other(house: House, number: str) -> None:
    """SPEC K13, K9: whatever the extra holds, which reaches it."""
    ada, digits = await phone(house, "ada"), await phone(house, number)
    extra = {"srcNum": "+491", "x": 1}
    await ada.invite(number, extra)
    await digits.got(INVITE, "ada", json.dumps(extra))
    await digits.does(ACCEPT, "ada")
    await ada.got(ACCEPT, number)


# --- who is there -------------------------------------------------------------------------------


async def test_an_offline_peer_fails_at_once_if_it_has_to_be_online(house: House) -> None:
    """SPEC K5: 703 by the answer, and no event besides; a detached peer counts as online."""
    ada = await phone(house, "ada")
    for value in (1, "1"):
        await ada.cannot(INVITE, 703, "bo", {"_require_peer_online": value})
    bo = await phone(house, "bo")
    await bo.client.close()
    await ada.invite("bo", {"_require_peer_online": 1})
    bo = await phone(house, "bo")
    await bo.got(INVITE, "ada", json.dumps({"_require_peer_online": 1}))
    await quiet(ada, bo)


@every_device
async def test_an_invitation_waits_for_its_peer_to_come_online(house: House, device: str) -> None:
    """SPEC K5: it rings when it logs in, and goes on as any call."""
    ada = await phone(house, "ada")
    await ada.invite("bo", {"_require_peer_online": 0})
    bo = await phone(house, "bo", device=device)
    await bo.got(INVITE, "ada", json.dumps({"_require_peer_online": 0}))
    await bo.does(ACCEPT, "ada")
    await ada.got(ACCEPT, "bo")
    await quiet(ada, bo)


async def test_a_peer_that_stays_offline(house: House) -> None:
    """SPEC K5: 703 after a while, one notice; whoever logs in then hears nothing."""
    house.app = "peer"
    ada = await phone(house, "ada-offline")
    began = time.monotonic()
    await ada.invite("nobody")
    await ada.failed(703, "nobody")
    assert 0.45 <= time.monotonic() - began <= LATE
    await ada.does(BYE, "nobody")
    late = await phone(house, "nobody")
    await quiet(ada, late)


async def test_a_detached_peer_that_never_comes_back(house: House) -> None:
    """SPEC K5, L11: it counts as online until its grace time is over, and is waited for as any other."""
    house.app = "lost"
    ada, bo = await phone(house, "ada-lost"), await phone(house, "bo-lost")
    await bo.client.close()
    began = time.monotonic()
    await ada.invite("bo-lost", {"_require_peer_online": 1})
    await ada.failed(703, "bo-lost")
    assert 3.9 <= time.monotonic() - began <= LATE
    bo = await phone(house, "bo-lost")
    await quiet(ada, bo)


async def test_a_peer_that_comes_too_late_to_answer_in_time(house: House) -> None:
    """SPEC K5, K6: both count from the invitation; the first to end decides, and tells once."""
    house.app = "close"
    ada = await phone(house, "ada-close")
    began = time.monotonic()
    await ada.invite("bo-close")
    bo = await phone(house, "bo-close")
    await bo.got(INVITE, "ada-close")
    await bo.does(ACK, "ada-close")
    await ada.got(ACK, "bo-close")
    await ada.failed(704, "bo-close")
    assert 3.9 <= time.monotonic() - began <= LATE
    await bo.got(BYE, "ada-close")
    await quiet(ada, bo)


# --- time ---------------------------------------------------------------------------------------


async def test_nobody_answers(house: House) -> None:
    """SPEC K6: 704, the one that rings gets the end; too late for any answer."""
    house.app = "ring"
    ada, bo = await phone(house, "ada-ring"), await phone(house, "bo-ring")
    began = time.monotonic()
    await ada.invite("bo-ring", {"_timeout": 3600})
    await bo.got(INVITE, "ada-ring", json.dumps({"_timeout": 3600}))
    await bo.does(ACK, "ada-ring")
    await ada.got(ACK, "bo-ring")
    await ada.failed(704, "bo-ring")
    assert 2.4 <= time.monotonic() - began <= LATE, "a longer time than the greatest is clamped"
    await bo.got(BYE, "ada-ring")
    for func in (ACCEPT, REFUSE):
        await bo.cannot(func, 1001, "ada-ring")
    await bo.does(BYE, "ada-ring")
    await quiet(ada, bo)


@pytest.mark.parametrize("seconds", [3, "3", 3.0])
async def test_the_caller_says_how_long_it_rings(house: House, seconds: object) -> None:
    """SPEC K6: `_timeout`, digits as text too."""
    began = time.monotonic()
    ada, bo = await ringing(house, _timeout=seconds)
    await ada.failed(704, "bo")
    assert 2.9 <= time.monotonic() - began <= LATE
    await bo.got(BYE, "ada")
    await quiet(ada, bo)


@pytest.mark.parametrize("seconds", [0, -1, "0", "-5", None, "soon"])
async def test_a_time_that_is_none_means_the_default(house: House, seconds: object) -> None:
    """SPEC K6: ≤ 0 or absent, in an app whose default is short."""
    house.app = "short"
    names = (f"ada {seconds!r}".replace(" ", "-"), f"bo {seconds!r}".replace(" ", "-"))
    ada, bo = await phone(house, names[0]), await phone(house, names[1])
    began = time.monotonic()
    await ada.invite(names[1], {"_timeout": seconds})
    await bo.got(INVITE, names[0], json.dumps({"_timeout": seconds}))
    await ada.failed(704, names[1])
    assert 0.55 <= time.monotonic() - began <= LATE
    await bo.got(BYE, names[0])
    await quiet(ada, bo)


async def test_an_accepted_call_has_no_time_limit(house: House) -> None:
    """SPEC K12: neither the ring time nor the confirmation's touches it."""
    house.app = "ring"
    ada, bo = await phone(house, "ada-long"), await phone(house, "bo-long")
    eve, di = await phone(house, "eve-long"), await phone(house, "di-long")
    await ada.invite("bo-long")
    await bo.got(INVITE, "ada-long")
    await bo.does(ACCEPT, "ada-long")
    await ada.got(ACCEPT, "bo-long")
    await eve.invite("di-long")  # begun later, it is over when the other's time would be
    await eve.failed(704, "di-long")
    await ada.does(KEYS, "bo-long", keys("1"))
    await bo.got(KEYS, "ada-long", keys("1"))
    await quiet(ada, bo)
    await di.got(INVITE, "eve-long")


async def test_an_sdk_that_does_not_confirm(house: House) -> None:
    """SPEC K7: 705, counted from the push; the call is over for the callee, too."""
    house.app = "confirm"
    ada, bo = await phone(house, "ada-confirm"), await phone(house, "bo-confirm")
    began = time.monotonic()
    await ada.invite("bo-confirm")
    await bo.got(INVITE, "ada-confirm")
    await ada.failed(705, "bo-confirm")
    assert 2.4 <= time.monotonic() - began <= LATE
    await bo.got(BYE, "ada-confirm")
    await bo.cannot(ACK, 1001, "ada-confirm")
    await quiet(ada, bo)


async def test_an_sdk_that_confirms_may_think_for_as_long_as_it_rings(house: House) -> None:
    """SPEC K7: the time of the confirmation ends with it; an answer confirms as well."""
    house.app = "confirm"
    ada = await phone(house, "ada-thinks")
    pairs = [(await phone(house, f"bo-{func}"), func) for func in (ACK, ACCEPT)]
    for bo, func in pairs:
        await ada.invite(bo.account)
        await bo.got(INVITE, "ada-thinks")
        await bo.does(func, "ada-thinks")
        await ada.got(func, bo.account)
    silent = await phone(house, "silent")
    await ada.invite("silent")
    await ada.failed(705, "silent")
    await quiet(ada, *(bo for bo, _ in pairs))
    await silent.got(INVITE, "ada-thinks")


# --- breaks and ends ----------------------------------------------------------------------------


async def resumed(house: House, one: Phone, epoch: str, cursor: int) -> Phone:
    """The same session of one of ours on a new connection."""
    await one.client.close()
    client = await house.open()
    body = await client.login(
        one.account, app=house.app, device=OURS, line=one.client.line, inbox=[epoch, cursor]
    )
    assert body["resumed"] is True
    return Phone(client)


async def test_call_events_survive_a_broken_connection(house: House) -> None:
    """SPEC K11: of a session that resumes, on either side; each comes once."""
    client = await house.open()
    epoch = (await client.login("ada", app=house.app, device=OURS, inbox=["", 0]))["inbox"]
    ada, bo = Phone(client), await phone(house, "bo")
    await ada.invite("bo")
    await bo.got(INVITE, "ada")
    await ada.client.close()
    await bo.does(ACK, "ada")
    await bo.does(ACCEPT, "ada", "hello?")
    client = await house.open()
    body = await client.login("ada", app=house.app, device=OURS, line=ada.client.line, inbox=[epoch, 0])
    assert body["resumed"] is True
    ada = Phone(client)
    await ada.got(ACK, "bo")
    await ada.got(ACCEPT, "bo", "hello?")
    await ada.does(KEYS, "bo", keys("1"))
    await bo.got(KEYS, "ada", keys("1"))
    await quiet(ada, bo)


async def test_a_detached_callee_rings_when_it_is_back(house: House) -> None:
    """SPEC K5, K7, K11: the invitation waits, and the confirmation's time begins with the push."""
    house.app = "confirm"
    client = await house.open()
    body = await client.login("bo-back", app=house.app, device=OURS, inbox=["", 0])
    await client.close()
    ada = await phone(house, "ada-back")
    witness, silent = await phone(house, "witness"), await phone(house, "silent-too")
    await ada.invite("bo-back")
    await witness.invite("silent-too")
    await witness.failed(705, "silent-too")
    await ada.hears_nothing()
    bo = await resumed(house, Phone(client), body["inbox"], 0)
    await bo.got(INVITE, "ada-back")
    await bo.does(ACK, "ada-back")
    await ada.got(ACK, "bo-back")
    await quiet(ada, bo)
    await silent.got(INVITE, "witness")


@every_device
async def test_a_fresh_login_keeps_what_rings_for_it(house: House, device: str) -> None:
    """SPEC L17, K11, PROTOCOL §8: only live invitations to it; its own calls and accepted ones end."""
    ada, eve, di, bo = [await phone(house, name) for name in ("ada", "eve", "di", "bo")]
    await ada.invite("bo")
    await bo.got(INVITE, "ada")
    await bo.does(ACK, "ada")
    await ada.got(ACK, "bo")
    await eve.invite("bo")
    await bo.got(INVITE, "eve")
    await bo.does(ACCEPT, "eve")
    await eve.got(ACCEPT, "bo")
    await bo.invite("di")
    await di.got(INVITE, "bo")
    await di.does(ACCEPT, "bo")
    await bo.got(ACCEPT, "di")
    again = await house.client("bo", device=device, polled=False)
    items = await again.poll()
    assert [(line.type, line.src) for _, line in items] == [(INVITE, "ada")]
    await eve.got(BYE, "bo")
    await di.got(BYE, "bo")
    await again.ok(ACK, channelName="room", peer="ada", extra="")
    await again.ok(ACCEPT, channelName="room", peer="ada", extra="back")
    await ada.got(ACCEPT, "bo", "back")
    await quiet(ada, eve, di)


@every_device
async def test_the_callee_loads_its_page_again_and_again_while_it_rings(house: House, device: str) -> None:
    """SPEC L17, K11: with the old connection gone or not; the caller hears of one confirmation in all."""
    ada = await phone(house, "ada", device=OURS)
    page = await house.client("bo", device=device, polled=False)
    await ada.invite("bo", {"x": 1})
    for turn in range(4):
        [(_, line)] = await page.poll()
        assert (line.type, line.src, line.json["extra"]) == (INVITE, "ada", '{"x": 1}')
        await page.ok(ACK, channelName="room", peer="ada", extra="")
        if turn == 0:
            await ada.got(ACK, "bo")
        if turn % 2:
            await page.cut()
        page = await house.client("bo", device=device, polled=False)
    await page.poll()
    await page.ok(REFUSE, channelName="room", peer="ada", extra="not now")
    await ada.got(REFUSE, "bo", "not now")
    await quiet(ada)


async def test_two_pages_that_open_at_once_while_it_rings(house: House) -> None:
    """SPEC L7, L17, K11: the later one has the call, and it is one call."""
    ada, bo = await phone(house, "ada"), await phone(house, "bo", device=OURS)
    await ada.invite("bo")
    await bo.got(INVITE, "ada")
    pages = [await house.open() for _ in range(3)]
    fields = {"vid": house.app, "uid": 0, "token": "_no_need_token", "device": OURS, "ip": ""}
    for page in pages:
        await page.send(["login", {"account": "bo", "inbox": ["", 0], **fields}])
    for page in pages:
        page.account = "bo"
        await page.wait(lambda frame: frame[0] == "login_ret", "login_ret")
    for page in pages[:-1]:
        await page.gone()
    last = pages[-1]
    assert (await last.pushed())[1].type == INVITE
    await last.ok(ACCEPT, channelName="room", peer="ada", extra="")
    await ada.got(ACCEPT, "bo")
    await quiet(ada)


@pytest.mark.parametrize("end", ["logout", "grace"])
async def test_the_end_of_a_session_ends_its_calls(house: House, end: str) -> None:
    """SPEC K11: ringing callee → 703; ringing caller → EndByPeer; accepted → EndByPeer."""
    house.app = "grace"
    me = f"bo-{end}"
    bo = await phone(house, me)
    caller, callee, talker = [await phone(house, f"{name}-{end}") for name in ("caller", "callee", "talker")]
    await caller.invite(me)
    await bo.got(INVITE, caller.account)
    await bo.invite(callee.account)
    await callee.got(INVITE, me)
    await bo.invite(talker.account)
    await talker.got(INVITE, me)
    await talker.does(ACCEPT, me)
    await bo.got(ACCEPT, talker.account)
    if end == "logout":
        await bo.client.ok("user_logout")
    else:
        await bo.client.close()
        await quiet(caller, callee, talker)
    await caller.failed(703, me)
    await callee.got(BYE, me)
    await talker.got(BYE, me)
    await quiet(caller, callee, talker)
    again = await house.client(me, polled=False)
    assert await again.poll() == []


async def test_a_caller_that_goes_takes_its_waiting_invitation_along(house: House) -> None:
    """SPEC K11, K3: the peer that was offline never hears of it."""
    ada = await phone(house, "ada")
    await ada.invite("bo")
    await ada.client.ok("user_logout")
    bo = await phone(house, "bo")
    await quiet(bo)


async def test_a_callee_that_logs_out_before_it_was_rung_may_come_back(house: House) -> None:
    """SPEC K5, K11: what it never got goes on waiting for it."""
    bo = await phone(house, "bo")
    await bo.client.close()
    ada = await phone(house, "ada")
    await ada.invite("bo")
    bo = await phone(house, "bo")
    await bo.got(INVITE, "ada")
    await quiet(ada, bo)


async def test_crossing_answers_are_decided_by_the_servers_order(house: House) -> None:
    """SPEC K12: of accept and cancel at once one counts; the other is 1001, and both sides agree."""
    for _ in range(10):
        ada, bo = await ringing(house)
        cancel = await ada.client.ask(BYE, channelName="room", peer="bo", extra="")
        accept = await bo.client.ask(ACCEPT, channelName="room", peer="ada", extra="")
        accepted = (await bo.client.answer(accept))["result"] == "ok"
        assert (await ada.client.answer(cancel))["result"] == "ok", "a caller may end at any time"
        if accepted:
            await ada.got(ACCEPT, "bo")
        await bo.got(BYE, "ada")
        await quiet(ada, bo)
        for one in (ada, bo):
            await one.client.ok("user_logout")
