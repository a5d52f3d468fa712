"""Connections without a login: how many there may be, and which goes when one too many comes (SPEC L16)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from signalpost.gateway.addresses import Networks
from signalpost.gateway.guests import Guests
from signalpost.gateway.settings import ListenerSettings


class Guest:
    """One that notes whether it had to go."""

    def __init__(self) -> None:
        self.gone = False

    def give_way(self) -> None:
        self.gone = True


def guests(most: int = 100, most_of_one: int = 100, exempt: str = "") -> Guests:
    return Guests(most, most_of_one, Networks([ip_network(exempt)] if exempt else []))


def enter(guests: Guests, address: str, count: int = 1) -> list[Guest]:
    came = [Guest() for _ in range(count)]
    for guest in came:
        guests.enter(guest, address)
    return came


def gone(came: list[Guest]) -> list[bool]:
    return [guest.gone for guest in came]


def test_the_oldest_of_the_address_gives_way_and_nobody_else() -> None:
    """SPEC L16."""
    house = guests(most_of_one=2)
    other, crowd = enter(house, "192.0.2.1"), enter(house, "192.0.2.2", 4)
    assert gone(other + crowd) == [False, True, True, False, False]
    assert (len(house), house.dropped) == (3, 2)


def test_the_oldest_of_all_gives_way_when_the_house_is_full() -> None:
    """SPEC L16: whoever it is, and wherever the newcomer is from."""
    house = guests(most=3, exempt="10.0.0.0/8")
    came = [
        *enter(house, "10.0.0.1"),
        *enter(house, ""),
        *enter(house, "192.0.2.1"),
        *enter(house, "10.0.0.1"),
    ]
    assert gone(came) == [True, False, False, False]
    came += enter(house, "192.0.2.9", 2)
    assert gone(came) == [True, True, True, False, False, False]


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", ""])
def test_who_is_exempt_or_not_known_yet_is_bounded_in_all_only(address: str) -> None:
    """SPEC L16: exempt networks; and one connection of a proxy may be anybody's."""
    house = guests(most=5, most_of_one=2, exempt="10.0.0.0/8")
    assert gone(enter(house, address, 6)) == [True] + 5 * [False]


def test_an_ipv6_address_is_its_network() -> None:
    """SPEC L16: one customer gets a /64."""
    house = guests(most_of_one=1)
    came = enter(house, "2001:db8::1") + enter(house, "2001:db8::2:1") + enter(house, "2001:db8:0:1::1")
    assert gone(came) == [True, False, False]


def test_who_logs_in_counts_no_longer_and_after_a_logout_again() -> None:
    """SPEC L16: then it has come last."""
    house = guests(most_of_one=2)
    first, second = enter(house, "192.0.2.1", 2)
    house.leave(first)
    (third,) = enter(house, "192.0.2.1")
    assert gone([first, second, third]) == [False, False, False]
    house.enter(first, "192.0.2.1")
    assert gone([first, second, third]) == [False, True, False]
    enter(house, "192.0.2.1")
    assert gone([first, second, third]) == [False, True, True]


def test_whose_address_becomes_known_counts_there_and_once() -> None:
    """SPEC L16: behind a trusted proxy the head says it."""
    house = guests(most_of_one=1)
    (first,) = enter(house, "")
    house.enter(first, "192.0.2.1")
    house.enter(first, "192.0.2.1")
    assert (len(house), first.gone) == (1, False)
    enter(house, "192.0.2.1")
    assert first.gone


def test_who_becomes_another_counts_once_and_as_the_latest() -> None:
    """SPEC L16: a handshake that is granted, say; one that had to give way before is counted anew."""
    house = guests(most=3, most_of_one=2)
    first, second = enter(house, "192.0.2.1", 2)
    third, fourth, fifth = Guest(), Guest(), Guest()
    house.follow(first, third, "192.0.2.1")
    assert (len(house), house.dropped) == (2, 0)
    enter(house, "192.0.2.1")
    assert gone([first, second, third]) == [False, True, False]
    house.follow(second, fourth, "192.0.2.1")
    assert (len(house), gone([third, fourth])) == (2, [True, False])
    (known,) = enter(house, "")
    house.follow(known, fifth, "")
    for guest in (fourth, fifth):
        house.leave(guest)
    assert (len(house), len(house._of_one)) == (1, 1)


def test_nothing_is_remembered_of_who_has_gone() -> None:
    """SPEC L16: memory is bounded by who is there."""
    house = guests(most=10, most_of_one=5)
    for number in range(1000):
        for guest in enter(house, f"192.0.{number % 250}.{number // 250}", 7)[::2]:
            house.leave(guest)
            house.leave(guest)
    assert len(house) <= 10
    assert len(house._of_one) <= 10
    assert len(house) == sum(map(len, house._of_one.values()))


def test_the_bounds_hold_at_their_defaults() -> None:
    """SPEC L16: 1000 of one address and 10 000 in all."""
    settings = ListenerSettings()
    house = guests(settings.guests, settings.guests_per_address)
    crowd = enter(house, "192.0.2.1", 1001)
    assert (gone(crowd).count(True), crowd[0].gone, len(house)) == (1, True, 1000)
    others = [
        guest for number in range(9000) for guest in enter(house, f"198.51.{number // 200}.{number % 200}")
    ]
    assert (len(house), sum(gone(crowd + others))) == (10_000, 1)
    enter(house, "203.0.113.1")
    assert (len(house), crowd[1].gone, sum(gone(crowd + others))) == (10_000, True, 2)
