"""How often an account may ask (SPEC M10)."""

from __future__ import annotations

from services.house import House, refused
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits


def test_a_burst_of_a_thousand_and_a_hundred_a_second(house: House) -> None:
    """SPEC M10: at the defaults; the account's, whatever sessions it has."""
    ada, bo = house.login("ada"), house.login("bo")
    for number in range(1000):
        if number % 100 == 99:
            ada = house.login("ada")
        house.rates.ask(ada.session)
    with refused(1001):
        house.rates.ask(ada.session)
    ada.logout()
    with refused(1001):
        house.rates.ask(house.login("ada").session)
    house.rates.ask(bo.session)
    house.advance(0.25)
    ada = house.login("ada")
    for _ in range(25):
        house.rates.ask(ada.session)
    with refused(1001):
        house.rates.ask(ada.session)


def test_polls_wait_above_ten_times_the_rate_and_count_apart(house: House) -> None:
    """SPEC M10: an SDK that keeps up with its inbox is never refused, and costs its user no request."""
    ada = house.login("ada")
    assert {house.rates.keep_up(ada.session) for _ in range(1000)} == {0.0}
    wait = house.rates.keep_up(ada.session)
    assert 0.0 < wait <= 1 / 1000
    house.advance(wait)
    assert house.rates.keep_up(ada.session) == 0.0
    house.rates.ask(ada.session)


def test_an_account_that_asks_no_more_is_forgotten(house: House) -> None:
    """SPEC E5: nothing is left of names that were used once."""
    house.apps["small"] = App(limits=Limits(requests=1, requests_burst=2))
    for number in range(50):
        live = house.login(f"n{number}", app="small").session
        house.rates.ask(live)
        house.rates.ask_for_list(live)
        house.rates.confirm(live)
        house.rates.keep_up(live)
    house.advance(60.0)
    house.janitor.sweep()
    spent = house.rates
    for rates in (spent._asked, spent._listed, spent._confirmed, spent._kept_up):
        assert len(rates) == 0
    assert len(house.inboxes._sent) == 0
