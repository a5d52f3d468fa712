"""Requests that wait for their answer (client/requests.py)."""

from __future__ import annotations

import json

import pytest

from signalpost.client.requests import Requests, failure_code, timeout_code
from signalpost.wire.codes import FRAME_BYTES

QUERIES = (
    "channel_query_num",
    "channel_query_user_isin",
    "channel_query_userlist",
    "channel_query_userlist_all",
)


@pytest.mark.parametrize(
    ("func", "failed", "silent"),
    [
        ("user_sendmsg", 400, 401),
        ("channel_sendmsg", 400, 401),
        ("channel_join", 300, 300),
        *((query, 500, 501) for query in QUERIES),
        ("voip_invite", 700, 702),
        ("voip_invite_accept", 1001, 1001),
        ("user_set_attr", 1001, 1001),
        ("channel_leave", 1001, 1001),
        ("anything", 1001, 1001),
    ],
)
def test_every_function_has_its_codes(func: str, failed: int, silent: int) -> None:
    """SPEC E1."""
    assert (failure_code(func), timeout_code(func)) == (failed, silent)


def test_what_changes_something_carries_a_request_id() -> None:
    """PROTOCOL §12: a join and the queries need none."""
    requests = Requests("seed", 10)
    for func in (*QUERIES, "channel_join", "user_query_user_status", "user_get_attr", "user_get_attr_all"):
        assert "rid" not in requests.add(1, func, {}, 0).args
    rids = [
        requests.add(1, func, {}, 0).args["rid"] for func in ("user_sendmsg", "channel_leave", "voip_invite")
    ]
    assert len(set(rids)) == 3
    assert all(rid.startswith("seed-") for rid in rids)


def test_requests_are_given_up_oldest_first() -> None:
    """SPEC E1, L19: each waits equally long."""
    requests = Requests("seed", 10)
    assert requests.deadline is None
    first, second, third = (requests.add(n, "user_sendmsg", {}, n) for n in (1, 2, 3))
    assert requests.deadline == 11
    assert requests.take(first.id) is first
    assert requests.take(first.id) is None
    assert requests.deadline == 12
    assert requests.overdue(11.9) == []
    assert requests.overdue(13) == [second, third]
    assert len(requests) == 0
    assert requests.deadline is None


def test_nothing_is_sent_on_the_next_connection_yet() -> None:
    """PROTOCOL §12: they are repeated in the order in which they were made."""
    requests = Requests("seed", 10)
    pending = [requests.add(n, "user_sendmsg", {}, 0) for n in range(3)]
    for each in pending:
        each.sent = True
    requests.disconnected()
    assert list(requests) == pending
    assert not any(each.sent for each in requests)
    assert requests.clear() == pending
    assert list(requests) == []


def test_the_arguments_of_the_caller_stay_as_they_are() -> None:
    """The request id goes into a copy."""
    args = {"peer": "bo"}
    Requests("seed", 10).add(1, "user_sendmsg", args, 0)
    assert args == {"peer": "bo"}


def test_a_frame_has_no_more_bytes_than_the_server_takes() -> None:
    """SPEC E5: one that has would cost the connection."""
    requests = Requests("seed", 10)
    overhead = len(requests.frame(requests.add(1, "user_get_attr", {"name": ""}, 0)))
    fits = requests.add(2, "user_get_attr", {"name": "x" * (FRAME_BYTES - overhead)}, 0)
    assert len(requests.frame(fits)) == FRAME_BYTES
    with pytest.raises(ValueError, match="65537 bytes: at most 65536"):
        requests.frame(requests.add(3, "user_get_attr", {"name": "x" * (FRAME_BYTES - overhead + 1)}, 0))


def test_what_is_sent_without_waiting_has_an_id_of_its_own() -> None:
    """PROTOCOL §5: answers are matched by id."""
    requests = Requests("seed", 10)
    first = requests.add(1, "user_get_attr", {}, 0)
    _, (func, id, args) = json.loads(requests.once("user_ack", {"ver_clear": 7}))
    assert (func, args) == ("user_ack", {"ver_clear": 7})
    assert id > first.id
    assert len(requests) == 1
