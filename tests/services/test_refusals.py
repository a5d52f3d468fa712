"""What a refusal says: a rate is told from a bound by its words (SPEC M8-M10, L16)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import signalpost
from services.house import Device, House
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Refusal, TooMany

LIMITS = Limits(
    user_messages=4321,
    channel_messages=7,
    requests=3,
    requests_burst=11,
    list_requests=5,
    logins=17,
    logins_burst=23,
    inbox_messages=123,
    inbox_bytes=7777,
    grace_max=99.0,
)


class Case(NamedTuple):
    """How a refusal comes about, with what it says of what is allowed."""

    act: Callable[[Device, int], object]  #: one of many, each with its number
    numbers: tuple[str, ...]  #: that its reason names, as configured
    times: int = 200  #: after which it has been refused


def say(device: Device, number: int) -> None:
    device.shout(f"c{number}", "x")


def count(device: Device, number: int) -> None:
    device.house.rates.ask(device.session)


def listed(device: Device, number: int) -> None:
    if number % 5 == 0:
        device.house.advance(0.01 * LIMITS.requests_burst)
    device.house.rates.ask_for_list(device.session)


def log_in(device: Device, number: int) -> None:
    device.house.device("cy", app=device.app).login()


def from_many(device: Device, number: int) -> None:
    device.house.login(f"n{number}", app=device.app).send("bo", "x" * 100)


def say_in_room(ada: Device, number: int) -> None:
    """A channel that nobody is in takes what is said in it as often as one wants."""
    if number == 0:
        ada.join("room")
    ada.say("room", "x")


RATES = {
    "M8": Case(lambda ada, n: ada.shout(f"c{n}", "x"), ("4321",), 5000),
    "C7": Case(say_in_room, ("7",)),
    "C10": Case(lambda ada, n: ada.set("room", "topic", str(n)), ("10",)),
    "M10": Case(count, ("3", "11")),
    "M10, full lists": Case(listed, ("5",)),
    "M10, confirmations": Case(lambda ada, n: ada.house.rates.confirm(ada.session), ("3", "11")),
    "L16": Case(log_in, ("17", "23")),
}
BOUNDS = {
    "M9": Case(from_many, ("123", "7777")),
    "M9, messages of one": Case(lambda ada, n: ada.send("bo", ""), ("123", "7777")),
    "M9, bytes of one": Case(lambda ada, n: ada.send("bo", "x" * 2000), ("123", "7777")),
    "P2, attributes": Case(lambda ada, n: ada.describe(f"a{n}", "x"), ("100",)),
    "P2, a value": Case(lambda ada, n: ada.describe("a", "x" * 8097), ("8096",)),
    "P2, a name": Case(lambda ada, n: ada.describe("a" * 129, "x"), ("128",)),
    "L11": Case(lambda ada, n: ada.describe("_conn_timeout", "soon"), ("20", "99")),
    "C10, attributes": Case(lambda ada, n: ada.set("room", f"a{n}", "x"), ("100",)),
    "C10, a value": Case(lambda ada, n: ada.set("room", "a", "x" * 8097), ("8096",)),
    "C11": Case(lambda ada, n: ada.set("room", "_sendmsg_limit", "8"), ("1", "7")),
    "M1": Case(lambda ada, n: ada.send("bo", "x" * 8197), ("8196",)),
    "C4": Case(lambda ada, n: ada.shout("room", "x" * 8193), ("8192",)),
    "§1": Case(lambda ada, n: ada.send("b" * 129, "x"), ("128",)),
    "K9": Case(lambda ada, n: ada.invite("bo", "room", "x" * 8193), ("8192",)),
}


def refusal(case: Case) -> Refusal:
    """What the act is refused with that is refused first, once it is."""
    house = House(app=App(limits=LIMITS))
    ada = house.login("ada")
    for number in range(case.times):
        try:
            case.act(ada, number)
        except Refusal as refused:
            return refused
    raise AssertionError("it is never refused")


@pytest.mark.parametrize("case", RATES.values(), ids=RATES)
def test_a_refusal_by_a_rate_says_too_many_and_second(case: Case) -> None:
    """SPEC M8, M10: and how many are allowed, as configured."""
    refused = refusal(case)
    assert isinstance(refused, TooMany)
    assert refused.reason.startswith("too many ")
    assert "second" in refused.reason
    assert all(number in refused.reason for number in case.numbers), refused.reason


@pytest.mark.parametrize("case", BOUNDS.values(), ids=BOUNDS)
def test_a_refusal_by_a_bound_names_the_number_as_configured_and_no_second(case: Case) -> None:
    """SPEC M9, P2, C10."""
    refused = refusal(case)
    assert not isinstance(refused, TooMany)
    assert "too many" not in refused.reason
    assert "second" not in refused.reason
    assert all(number in refused.reason for number in case.numbers), refused.reason


@pytest.mark.parametrize("name", ["second", "too-many-seconds"])
def test_no_name_makes_a_bound_look_like_a_rate(name: str) -> None:
    """SPEC M9: a reason repeats no name that somebody chose."""
    assert "second" not in refusal(Case(lambda ada, n: ada.send(name, "x"), ())).reason


def plain_refusals() -> Iterator[tuple[str, str]]:
    """Every place of the server where something is refused for no rate, with all its text."""
    root = Path(signalpost.__file__).parent
    for path in (path for layer in ("domain", "services", "gateway") for path in (root / layer).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refusal":
                yield f"{path.name}:{node.lineno}", ast.unparse(node)


def test_nothing_but_a_rate_is_refused_in_a_rates_words() -> None:
    """SPEC M8, M9: also in the places that this table does not know."""
    found = list(plain_refusals())
    assert len(found) > 30
    for place, text in found:
        assert "too many" not in text, place
        assert "second" not in text, place
