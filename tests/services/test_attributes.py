"""User attributes: who reads and writes them, and how long they live (SPEC P2, P3)."""

from __future__ import annotations

from services.house import House, refused
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits

DAY = 86_400.0


def test_an_account_sets_its_own_and_anyone_in_the_app_reads_them(house: House) -> None:
    """SPEC P2."""
    house.apps["other"] = App()
    ada, bo = house.login("ada"), house.login("bo")
    ada.describe("full name", "Ada L.")
    ada.describe("mood", "")
    get = house.attributes.get
    assert bo.attributes_of("ada") == {"full name": "Ada L.", "mood": ""}
    assert house.run(get("app", "ada", "full name")) == "Ada L."
    assert house.run(get("app", "ada", "never set")) == ""
    assert bo.attributes_of("bo") == bo.attributes_of("nobody") == {}
    assert house.login("ada", app="other").attributes_of("ada") == {}


def test_bad_names_are_refused(house: House) -> None:
    """SPEC P2, §1."""
    ada = house.login("ada")
    with refused(1004):
        ada.attributes_of("")
    with refused(1004):
        house.run(house.attributes.get("app", "ada", ""))
    with refused(1005):
        house.run(house.attributes.get("app", "ada", "a" * 129))
    with refused(1005):
        ada.describe("a", "é" * 4049)


def test_the_101st_attribute_is_refused(house: House) -> None:
    """SPEC P2: 1001."""
    ada = house.login("ada")
    for n in range(100):
        ada.describe(f"a{n}", "1")
    with refused(1001):
        ada.describe("one more", "1")
    ada.describe("a0", "2")
    assert ada.attributes_of("ada")["a0"] == "2"


def test_an_attribute_is_kept_when_setting_it_returns(house: House) -> None:
    """SPEC P2, P3: two at once lose nothing."""
    ada = house.login("ada")
    house.disk.slow = True
    first = house.begin(house.attributes.set(ada.session, "a", "1"))
    second = house.begin(house.attributes.set(ada.session, "b", "2"))
    assert not first.finished
    house.disk.commit_all()
    assert first.finished
    assert second.finished
    assert ada.attributes_of("ada") == {"a": "1", "b": "2"}


def test_attributes_live_while_their_account_is_online_and_for_a_day_after(house: House) -> None:
    """SPEC P3."""
    ada, bo = house.login("ada"), house.login("bo")
    ada.describe("a", "1")
    house.advance(10 * DAY)
    ada.logout()
    house.advance(DAY - 0.5)
    assert bo.attributes_of("ada") == {"a": "1"}
    house.advance(0.5)
    assert bo.attributes_of("ada") == {}


def test_the_day_begins_when_the_grace_time_is_over(house: House) -> None:
    """SPEC P3, L11: detached is online."""
    ada, bo = house.login("ada"), house.login("bo")
    ada.describe("a", "1")
    ada.breaks()
    house.advance(120.0 + DAY - 0.5)
    assert bo.attributes_of("ada") == {"a": "1"}
    house.advance(0.5)
    assert bo.attributes_of("ada") == {}


def test_a_login_within_the_day_keeps_them(house: House) -> None:
    """SPEC P3: and so does every login that takes over."""
    ada, bo = house.login("ada"), house.login("bo")
    ada.describe("a", "1")
    ada.logout()
    house.advance(DAY - 0.5)
    ada.login()
    house.advance(10 * DAY)
    ada = house.login("ada")
    house.advance(10 * DAY)
    assert bo.attributes_of("ada") == {"a": "1"}


def test_after_a_restart_the_day_begins_for_all_who_do_not_come_back(house: House) -> None:
    """SPEC P3."""
    house.apps["brief"] = App(limits=Limits(attribute_seconds=5.0))
    ada, cy, di = house.login("ada"), house.login("cy"), house.login("di", app="brief")
    for device in (ada, cy, di):
        device.describe("a", "1")
    house.restart()
    bo = house.login("bo")
    house.advance(5.0)
    assert house.run(house.attributes.get_all("brief", "di")) == {}
    house.advance(DAY - 6.0)
    ada.login()
    assert bo.attributes_of("cy") == {"a": "1"}
    house.advance(1.0)
    assert bo.attributes_of("cy") == {}
    assert bo.attributes_of("ada") == {"a": "1"}


def test_a_restart_does_not_lengthen_a_day_that_has_begun(house: House) -> None:
    """SPEC P3."""
    ada = house.login("ada")
    ada.describe("a", "1")
    ada.logout()
    house.advance(DAY - 1.0)
    house.restart()
    house.advance(1.0)
    assert house.run(house.attributes.get_all("app", "ada")) == {}


def test_a_conn_timeout_outlives_a_restart(house: House) -> None:
    """SPEC L11, P3."""
    ada = house.login("ada")
    ada.describe("_conn_timeout", "20")
    house.restart()
    ada.login()
    ada.breaks()
    house.advance(20.0)
    assert not house.online("ada")
