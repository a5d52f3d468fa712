"""Requests that an account repeats: acted upon once (PROTOCOL §12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from services.house import Device, House, Started
from signalpost.domain.refusals import TooMany
from signalpost.engine.ports import Pending, Unavailable
from signalpost.wire.codes import Code


class Deeds:
    """Requests that wait until the test says how they end."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.begun: list[tuple[str, Pending]] = []  # by whom, in order

    def ask(self, device: Device, request: str = "r1", name: str = "") -> Started:
        """Ask; the answer is the name of who acted."""

        async def act() -> bytes:
            pending = Pending()
            self.begun.append((name, pending))
            await pending
            return name.encode()

        deed: Callable[[], Awaitable[bytes]] = act
        return self.house.begin(self.house.repeats.once(device.session, request, deed))

    def names(self) -> list[str]:
        """Who has acted, in order."""
        return [name for name, _ in self.begun]

    def end(self, error: Exception | None = None) -> None:
        """The one that began last ends."""
        self.begun[-1][1].settle(error)
        self.house.carry()


def test_repeats_wait_for_the_first_and_get_its_answer(house: House) -> None:
    """PROTOCOL §12: also over a new connection of the session, whose first one still waits."""
    deeds, ada = Deeds(house), house.login("ada")
    first = deeds.ask(ada, name="first")
    ada.breaks()
    ada.resume()
    repeats = [deeds.ask(ada, name="repeat") for _ in range(3)]
    assert [started.finished for started in (first, *repeats)] == [False] * 4
    deeds.end()
    assert [started.result() for started in (first, *repeats)] == [b"first"] * 4
    assert deeds.ask(ada, name="late").result() == b"first"
    assert deeds.names() == ["first"]


@pytest.mark.parametrize("error", [Unavailable("disk full"), ValueError("a defect")])
def test_repeats_of_one_that_fails_act_themselves_one_at_a_time(house: House, error: Exception) -> None:
    """PROTOCOL §12: the failure is the first one's alone, and nobody is left waiting."""
    deeds, ada = Deeds(house), house.login("ada")
    started = [deeds.ask(ada, name=name) for name in ("one", "two", "three", "four")]
    deeds.end(error)
    assert deeds.names() == ["one", "two"]
    with pytest.raises(type(error)):
        started[0].result()
    assert [one.finished for one in started[1:]] == [False, False, False]
    deeds.end(error)
    with pytest.raises(type(error)):
        started[1].result()
    deeds.end()
    assert [one.result() for one in started[2:]] == [b"three", b"three"]
    assert deeds.names() == ["one", "two", "three"]


def test_other_requests_wait_for_nobody(house: House) -> None:
    """PROTOCOL §12: an id is one account's."""
    deeds, ada, bo = Deeds(house), house.login("ada"), house.login("bo")
    deeds.ask(ada, "r1", "ada")
    deeds.ask(ada, "r2", "ada again")
    deeds.ask(bo, "r1", "bo")
    assert deeds.names() == ["ada", "ada again", "bo"]
    for _, pending in deeds.begun:
        pending.settle()
    house.carry()
    assert house.kept.parts.claims._held == {}, "nothing is kept of what is over"


def test_an_answer_is_remembered_for_two_minutes(house: House) -> None:
    """PROTOCOL §12: 120 s, counted from the answer."""
    deeds, ada = Deeds(house), house.login("ada")
    deeds.ask(ada, name="first")
    house.advance(60.0)
    deeds.end()
    house.advance(119.0)
    assert deeds.ask(ada, name="repeat").result() == b"first"
    house.advance(2.0)
    deeds.ask(ada, name="too late")
    deeds.end()
    assert deeds.names() == ["first", "too late"]


def test_one_that_a_rate_refused_is_not_remembered(house: House) -> None:
    """PROTOCOL §12, E5: the repeat is judged anew, and nothing is kept of it."""
    deeds, ada = Deeds(house), house.login("ada")
    first = deeds.ask(ada, name="first")
    deeds.end(TooMany(Code.GENERAL_E_FAILED, "changes", "1 a second"))
    with pytest.raises(TooMany):
        first.result()
    assert house.records_of("request") == []
    again = deeds.ask(ada, name="again")
    deeds.end()
    assert again.result() == b"again"
