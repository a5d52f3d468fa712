"""The order of answers on one connection, without a server: what waits for what (PROTOCOL §5, SPEC M11)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from signalpost.domain.refusals import Refusal, Superseded
from signalpost.engine.ports import Pending
from signalpost.gateway.bulk import Pace, Turns
from signalpost.gateway.commands import COMMANDS
from signalpost.gateway.exchanges import Exchanges, Message, Request
from signalpost.gateway.replies import Replies
from signalpost.telemetry.counters import Counters
from signalpost.wire.codes import Code
from support.wiring import Wire

SEND, LEAVE, LIST = (COMMANDS[func] for func in ("user_sendmsg", "channel_leave", "channel_query_userlist"))
SENDING = 256  # messages that may be under way


class Asker:
    """Stands in for a connection with a session: does what has waited, and notes what it is told."""

    def __init__(self) -> None:
        self.is_logged_in = True
        self.wire = Wire()
        pace = Pace(self.wire, Turns(asyncio.get_running_loop()))  # type: ignore[arg-type]
        self.replies = Replies(pace, Counters(), lambda reason: None)
        self.exchanges = Exchanges(self, self.wire, pace, self.replies)  # type: ignore[arg-type]
        self.done: list[str] = []

    def text(self, data: bytes) -> None:
        self.done.append(data.decode())

    def refused(self) -> None:
        self.done.append("refused")

    def kicked(self) -> None:
        self.done.append("kicked")

    def detach(self) -> None:
        self.done.append("detached")

    def send(self, call_id: int) -> Pending:
        """Begin a message; it is stored when that is settled."""
        stored = Pending()
        Message(self.exchanges, call_id, SEND, self._wait(stored, call_id, "the-id")).step()
        return stored

    def ask(self, call_id: int, command: Any = LIST) -> Pending:
        """Begin a request; it is done when that is settled."""
        done = Pending()
        Request(self.exchanges, call_id, command, self._wait(done, call_id, {})).step()
        return done

    async def _wait(self, pending: Pending, call_id: int, result: Any) -> Any:
        self.done.append(f"began {call_id}")
        await pending
        return result

    def answers(self) -> list[int]:
        """The ids of the answers since the last look."""
        return [frame[1][0] for frame in self.wire.tick()]

    def parted(self) -> None:
        self.done.append("farewell")


@pytest.fixture
async def asker() -> Asker:
    return Asker()


async def test_messages_are_answered_in_their_order_whichever_is_stored_first(asker: Asker) -> None:
    """SPEC M11."""
    first, second, third = (asker.send(number) for number in (1, 2, 3))
    third.settle()
    assert asker.answers() == []
    first.settle()
    assert asker.answers() == [1]
    second.settle(Refusal(Code.SENDMESSAGE_E_OTHER, "no"))
    assert asker.answers() == [2, 3]
    assert asker.done[3:] == ["refused"]


async def test_a_request_does_not_wait_for_the_messages_before_it(asker: Asker) -> None:
    """PROTOCOL §5: messages are pipelined."""
    message = asker.send(1)
    asker.ask(2).settle()
    assert asker.answers() == [2]
    message.settle()
    assert asker.answers() == [1]


async def test_what_ends_a_place_begins_when_all_messages_before_it_are_answered(asker: Asker) -> None:
    """SPEC M11."""
    messages = [asker.send(number) for number in (1, 2)]
    asker.ask(3, LEAVE).settle()
    assert "began 3" not in asker.done
    for message in messages:
        message.settle()
    assert asker.answers() == [1, 2, 3]


async def test_the_next_ones_wait_behind_a_request_and_their_turn_comes_behind_its_answer(
    asker: Asker,
) -> None:
    """PROTOCOL §5; what follows an answer comes before the next request."""
    request = asker.ask(1)
    assert asker.exchanges.waits
    for word in ("one", "two"):
        asker.exchanges.put_off(word.encode())

    async def follow() -> None:
        asker.done.append("follows")

    asker.exchanges.follow(follow)
    request.settle()
    assert asker.done == ["began 1", "follows", "one", "two"]
    assert not asker.exchanges.waits


async def test_the_next_request_waits_for_a_message_when_as_many_as_may_be_are_under_way(
    asker: Asker,
) -> None:
    messages = [asker.send(number) for number in range(SENDING)]
    assert asker.exchanges.waits
    asker.exchanges.put_off(b"next")
    messages[1].settle()
    assert "next" not in asker.done
    messages[0].settle()
    assert asker.answers() == [0, 1]
    assert asker.done[-1] == "next"
    for message in messages[2:]:
        message.settle()
    assert asker.answers() == list(range(2, SENDING))


async def test_a_connection_parts_when_all_is_answered(asker: Asker) -> None:
    message, request = asker.send(1), asker.ask(2)
    asker.exchanges.put_off(b"three")
    asker.exchanges.part(asker.parted)
    request.settle()
    assert asker.done[2:] == ["three"]
    message.settle()
    assert asker.answers() == [2, 1]
    assert asker.done[2:] == ["three", "farewell"]


async def test_a_kick_comes_behind_what_was_begun_and_instead_of_what_was_not(asker: Asker) -> None:
    """PROTOCOL §3."""
    request = asker.ask(1)
    asker.exchanges.put_off(b"two")
    asker.is_logged_in = False
    asker.exchanges.kick(asker.parted)
    asker.exchanges.put_off(b"three")
    assert asker.done == ["began 1"]
    request.settle()
    assert asker.answers() == [1]
    assert asker.done == ["began 1", "farewell"]


async def test_a_request_that_finds_the_session_superseded_says_so(asker: Asker) -> None:
    asker.ask(1).settle(Superseded())
    asker.send(2).settle(Superseded())
    assert [body["code"] for body in bodies(asker.wire)] == [1003, 1003]
    assert asker.done == ["began 1", "kicked", "began 2", "kicked", "refused"]


async def test_what_a_lost_client_asked_for_is_done_before_its_session_is_detached(asker: Asker) -> None:
    """SPEC L11: one request a tick, and nobody hears the answers nor a farewell."""
    request = asker.ask(1)
    asker.exchanges.put_off(b"two")
    asker.replies.lost = True
    asker.exchanges.part(asker.parted)
    request.settle()
    assert asker.done == ["began 1"]
    await asyncio.sleep(0)
    assert asker.done == ["began 1", "two", "detached"]
    assert asker.answers() == []


def bodies(wire: Wire) -> list[dict[str, Any]]:
    """The bodies of the answers since the last look."""
    return [json.loads(frame[1][2]) for frame in wire.tick()]
