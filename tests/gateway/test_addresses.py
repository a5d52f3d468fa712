"""Who a peer is, and how often it may come (SPEC L16)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from signalpost.gateway.addresses import Allowance, Networks, client_address

NOBODY = Networks(())
PROXIES = Networks([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("fd00::1", True),
        ("fe00::1", False),
        ("::ffff:10.1.2.3", True),
        ("", False),
        ("unknown", False),
    ],
)
def test_networks_hold_addresses_of_both_families(address: str, inside: bool) -> None:
    assert (address in PROXIES) is inside
    assert address not in NOBODY


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("1.2.3.4", "9.9.9.9", "1.2.3.4"),
        ("10.0.0.1", "9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        ("10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.2,10.0.0.3", "9.9.9.9"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "9.9.9.9, junk", "10.0.0.1"),
        ("10.0.0.1", "9.9.9.9, junk, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "9.9.9.9:1234", "9.9.9.9"),
        ("10.0.0.1", "[2001:db8::1]:1234", "2001:db8::1"),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("fd00::1", "9.9.9.9", "9.9.9.9"),
    ],
)
def test_the_client_is_the_rightmost_hop_that_is_no_trusted_proxy(
    peer: str, forwarded: str, client: str
) -> None:
    """SPEC L16: `--trusted-proxies` tells whose X-Forwarded-For counts."""
    assert client_address(peer, forwarded, PROXIES) == client


def test_n_events_in_a_window_are_allowed_and_one_more_is_not() -> None:
    """SPEC L16."""
    allowance = Allowance(3, 1.0, NOBODY)
    assert [allowance.take("a", now) for now in (0.0, 0.3, 0.6, 0.9)] == [True, True, True, False]


def test_the_window_slides() -> None:
    """SPEC L16: N in any one second, not N in each second of the clock."""
    allowance = Allowance(2, 1.0, NOBODY)
    assert allowance.take("a", 0.0)
    assert allowance.take("a", 0.9)
    assert not allowance.take("a", 0.99)
    assert allowance.take("a", 1.0)
    assert not allowance.take("a", 1.85)
    assert allowance.take("a", 1.95)


def test_what_is_refused_does_not_count() -> None:
    allowance = Allowance(1, 1.0, NOBODY)
    assert allowance.take("a", 0.0)
    assert not any(allowance.take("a", 0.5) for _ in range(10))
    assert allowance.take("a", 1.0)


def test_addresses_are_counted_apart() -> None:
    allowance = Allowance(1, 1.0, NOBODY)
    assert allowance.take("1.1.1.1", 0.0)
    assert allowance.take("1.1.1.2", 0.0)


def test_addresses_of_ipv6_count_by_their_64_bit_prefix() -> None:
    allowance = Allowance(1, 1.0, NOBODY)
    assert allowance.take("2001:db8::1", 0.0)
    assert not allowance.take("2001:db8::2", 0.0)
    assert allowance.take("2001:db8:0:1::1", 0.0)
    assert allowance.take("::ffff:1.2.3.4", 0.0)
    assert not allowance.take("1.2.3.4", 0.0)
    assert allowance.take("fe80::1%eth0", 0.0)


def test_exempt_networks_know_no_limit() -> None:
    """SPEC L16."""
    allowance = Allowance(0, 1.0, PROXIES)
    assert allowance.take("10.0.0.1", 0.0)
    assert allowance.left("10.0.0.1", 0.0)
    assert not allowance.take("11.0.0.1", 0.0)


def test_looking_at_what_is_left_counts_nothing() -> None:
    allowance = Allowance(2, 60.0, NOBODY)
    assert all(allowance.left("a", 0.0) for _ in range(10))
    allowance.take("a", 0.0)
    assert allowance.left("a", 0.0)
    allowance.take("a", 1.0)
    assert not allowance.left("a", 59.9)
    assert allowance.left("a", 60.0)


def test_addresses_whose_window_is_over_are_forgotten() -> None:
    allowance = Allowance(5, 1.0, NOBODY)
    for number in range(100):
        allowance.take(f"1.1.1.{number}", number / 100)
    allowance.sweep(1.495)
    assert len(allowance) == 50
    allowance.sweep(10.0)
    assert len(allowance) == 0


def test_memory_is_bounded_by_forgetting_the_quietest_addresses() -> None:
    allowance = Allowance(2, 60.0, NOBODY, most=10)
    for number in range(20):
        assert allowance.take(f"1.1.1.{number}", 0.0)
    assert len(allowance) == 10
    assert allowance.take("1.1.1.19", 0.0)
    assert not allowance.take("1.1.1.19", 0.0)
