"""User attributes: who reads and writes them, and how long they live (SPEC P2, P3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from services.house import House, refused
from signalpost.domain.apps import App
from signalpost.domain.limits import Limits
from signalpost.domain.refusals import Superseded
from signalpost.engine.ports import NO_FIELDS, Put, Unavailable
from signalpost.services.stored import ATTRIBUTES

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


def test_restarts_lengthen_nothing_for_who_has_left(house: House) -> None:
    """SPEC P3: however many there are, and also if he came and left in between."""
    ada, cy = house.login("ada"), house.login("cy")
    ada.describe("a", "1")
    cy.describe("a", "1")
    ada.logout()
    cy.logout()
    for _ in range(3):
        house.advance(DAY / 4)
        house.restart()
    cy.login()
    cy.logout()
    house.advance(DAY / 4)
    assert house.run(house.attributes.get_all("app", "ada")) == {}
    assert house.run(house.attributes.get_all("app", "cy")) == {"a": "1"}
    house.advance(DAY * 3 / 4)
    assert house.run(house.attributes.get_all("app", "cy")) == {}


def test_who_was_online_at_a_restart_has_a_day_from_then(house: House) -> None:
    """SPEC P3: also if he had left before, and come again; also at another restart."""
    ada = house.login("ada")
    ada.describe("a", "1")
    ada.logout()
    house.advance(DAY - 2.0)
    ada.login()
    house.advance(1.0)
    house.restart()
    house.advance(DAY - 1.0)
    house.restart()
    house.advance(DAY - 1.0)
    assert house.run(house.attributes.get_all("app", "ada")) == {"a": "1"}
    house.advance(1.0)
    assert house.run(house.attributes.get_all("app", "ada")) == {}


def test_who_leaves_while_nothing_can_be_stored_has_a_day_all_the_same(house: House) -> None:
    """SPEC P3: what could not be stored is stored later, and nobody is kept from leaving by it."""
    ada = house.login("ada")
    ada.describe("a", "1")
    house.advance(DAY / 2)
    house.disk.slow = True
    leaving = house.begin(house.sessions.logout(ada.session))
    house.disk.fail()
    leaving.result()
    house.disk.slow = False
    house.janitor.sweep()
    house.advance(DAY - 1.0)
    assert house.run(house.attributes.get_all("app", "ada")) == {"a": "1"}
    house.advance(1.0)
    assert house.run(house.attributes.get_all("app", "ada")) == {}


def test_a_mark_of_having_left_that_came_too_late_is_taken_off(house: House) -> None:
    """SPEC P3: on another node the end of one session may be stored behind the beginning of the next."""
    ada = house.login("ada")
    ada.describe("a", "1")
    entry = house.run(house.attributes.at_end(ada.key))
    house.run(house.attributes.went_offline(App(), ada.key, entry))
    house.advance(DAY + 1.0)
    house.restart()
    house.advance(DAY - 1.0)
    assert house.run(house.attributes.get_all("app", "ada")) == {"a": "1"}
    house.advance(1.0)
    assert house.run(house.attributes.get_all("app", "ada")) == {}


def test_nothing_is_left_of_attributes_that_have_ended(house: House) -> None:
    """SPEC E5: no record, no timer."""
    ada = house.login("ada")
    ada.describe("a", "1")
    ada.logout()
    house.advance(DAY)
    assert house.records_kept._records == {}
    assert house.deadlines_kept.keys() == []


def test_a_conn_timeout_outlives_a_restart(house: House) -> None:
    """SPEC L11, P3."""
    ada = house.login("ada")
    ada.describe("_conn_timeout", "20")
    house.restart()
    ada.login()
    ada.breaks()
    house.advance(20.0)
    assert not house.online("ada")


def test_a_change_stores_one_attribute_and_a_login_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPEC E5: of 100 attributes of 8 KB, which would be 0.8 MB each time."""
    ada = house.login("ada")
    for n in range(100):
        ada.describe(f"a{n}", "x" * 8096)
    written: list[int] = []  # bytes of values, by write
    put = house.records_kept._set

    def count(key: str, record: Any, fields: Mapping[str, bytes] = NO_FIELDS) -> Any:
        written.append((0 if record is None else len(record.value)) + sum(map(len, fields.values())))
        return put(key, record, fields)

    monkeypatch.setattr(house.records_kept, "_set", count)
    ada.describe("a7", "y")
    assert sum(written) < 100
    ada.logout()
    ada.login()
    ada.breaks()
    ada.resume()
    house.login("ada")
    assert sum(written) < 200
    assert ada.house.run(house.attributes.get("app", "ada", "a7")) == "y"


def test_attributes_that_an_earlier_version_stored_are_read_and_change(house: House) -> None:
    """SPEC P2, L11: it kept all of an account in one value; each change from now on is its own."""
    old = {"_conn_timeout": "25", "mood": "good", **{f"a{n}": "1" for n in range(97)}}
    house.run(house.kept.commit(Put("attributes\x1fapp\x1fada", ATTRIBUTES.encode(old))))
    ada = house.login("ada")
    assert ada.attributes_of("ada") == old
    assert house.run(house.attributes.get("app", "ada", "mood")) == "good"
    assert ada.session.session.grace == 25.0
    ada.describe("mood", "better")
    ada.describe("new", "2")
    with refused(1001):
        ada.describe("one more", "3")
    assert ada.attributes_of("ada") == {**old, "mood": "better", "new": "2"}
    ada.describe("_conn_timeout", "30")
    house.restart()
    assert house.login("ada").session.session.grace == 30.0
    assert ada.attributes_of("ada") == {**old, "mood": "better", "new": "2", "_conn_timeout": "30"}


def test_a_conn_timeout_is_in_force_when_it_is_stored_and_not_before(house: House) -> None:
    """SPEC L11."""
    ada = house.login("ada")
    house.disk.slow = True
    setting = house.begin(house.attributes.set(ada.session, "_conn_timeout", "20"))
    assert ada.session.session.grace == 120.0
    house.disk.commit_all()
    setting.result()
    assert ada.session.session.grace == 20.0


def test_a_conn_timeout_that_could_not_be_stored_leaves_the_old_one_in_force(house: House) -> None:
    """SPEC L11: the one that is read back after a restart."""
    ada = house.login("ada")
    ada.describe("_conn_timeout", "30")
    house.disk.slow = True
    setting = house.begin(house.attributes.set(ada.session, "_conn_timeout", "20"))
    house.disk.fail()
    with pytest.raises(Unavailable):
        setting.result()
    house.disk.slow = False
    assert ada.session.session.grace == 30.0
    ada.breaks()
    house.advance(25.0)
    assert house.online("ada")


def test_a_conn_timeout_that_is_stored_as_its_session_comes_back_is_that_sessions(house: House) -> None:
    """SPEC L11: whichever of the two waited for the other."""
    ada = house.login("ada")
    house.disk.slow = True
    setting = house.begin(house.attributes.set(ada.session, "_conn_timeout", "20"))
    ada.breaks()
    ada.begin_login(line=ada.line)
    house.disk.commit_all()
    house.disk.slow = False
    with pytest.raises(Superseded):
        setting.result()
    ada.breaks()
    house.advance(20.0)
    assert not house.online("ada")
