"""The life of a call: its table row by row, and its clocks (SPEC §6)."""

from __future__ import annotations

import itertools
import json

import pytest

from domain.saying_no import refused
from signalpost.domain import calls as rules
from signalpost.domain.calls import Call, Decision, Effect, Input, State
from signalpost.domain.limits import Limits

LIMITS = Limits()
NOW = 1000.0

W, P, R, A, OVER, N = State


def call(state: State, **fields: object) -> Call:
    start = {
        "id": "c1",
        "channel": "room",
        "caller": "ada",
        "callee": "bo",
        "extra": '{"x":1}',
        "state": state,
        "invited": NOW,
        "timeout": 30.0,
        "pushed": NOW,
        "caller_session": 5,
        "callee_session": 0 if state is State.WAITING else 6,
    }
    return Call(**(start | fields))


def failed(code: int) -> tuple[str, str, object]:
    return ("ada", "voip_invite_failed", code)


INVITE_BO = ("bo", "voip_invite", '{"x":1}')
TAKE_BACK = ("bo", "", None)
BYE_TO_BO, BYE_TO_ADA = ("bo", "voip_invite_bye", "said"), ("ada", "voip_invite_bye", "said")
ACK, ACCEPT = ("ada", "voip_invite_ack", "said"), ("ada", "voip_invite_accept", "said")
REFUSE = ("ada", "voip_invite_refuse", "said")

# SPEC §6 once more, by hand: what follows from what, and who is told what.
LIFE: dict[tuple[State, Input], tuple[State, list[tuple[str, str, object]]]] = {
    (W, Input.PUSH): (P, [INVITE_BO]),
    (W, Input.END_BY_APP): (OVER, [BYE_TO_ADA]),
    (W, Input.END_BY_CALLER): (OVER, []),
    (W, Input.CALLER_GONE): (OVER, []),
    (W, Input.CALLEE_GONE): (W, []),
    (W, Input.PEER_TIMEOUT): (OVER, [failed(703)]),
    (W, Input.RING_TIMEOUT): (OVER, [failed(704)]),
    (P, Input.PUSH): (P, [TAKE_BACK, INVITE_BO]),
    (P, Input.CONFIRM): (R, [ACK]),
    (P, Input.ACCEPT): (A, [ACCEPT]),
    (P, Input.REFUSE): (OVER, [REFUSE]),
    (P, Input.END_BY_CALLER): (OVER, [TAKE_BACK, BYE_TO_BO]),
    (P, Input.END_BY_CALLEE): (OVER, [BYE_TO_ADA]),
    (P, Input.END_BY_APP): (OVER, [TAKE_BACK, BYE_TO_BO, BYE_TO_ADA]),
    (P, Input.CALLER_GONE): (OVER, [TAKE_BACK, BYE_TO_BO]),
    (P, Input.CALLEE_GONE): (OVER, [TAKE_BACK, failed(703)]),
    (P, Input.RING_TIMEOUT): (OVER, [TAKE_BACK, BYE_TO_BO, failed(704)]),
    (P, Input.CONFIRM_TIMEOUT): (OVER, [TAKE_BACK, BYE_TO_BO, failed(705)]),
    (R, Input.PUSH): (N, [TAKE_BACK, INVITE_BO]),
    (R, Input.CONFIRM): (R, []),
    (R, Input.ACCEPT): (A, [ACCEPT]),
    (R, Input.REFUSE): (OVER, [REFUSE]),
    (R, Input.END_BY_CALLER): (OVER, [TAKE_BACK, BYE_TO_BO]),
    (R, Input.END_BY_CALLEE): (OVER, [BYE_TO_ADA]),
    (R, Input.END_BY_APP): (OVER, [TAKE_BACK, BYE_TO_BO, BYE_TO_ADA]),
    (R, Input.CALLER_GONE): (OVER, [TAKE_BACK, BYE_TO_BO]),
    (R, Input.CALLEE_GONE): (OVER, [TAKE_BACK, failed(703)]),
    (R, Input.RING_TIMEOUT): (OVER, [TAKE_BACK, BYE_TO_BO, failed(704)]),
    (N, Input.PUSH): (N, [TAKE_BACK, INVITE_BO]),
    (N, Input.CONFIRM): (R, []),
    (N, Input.ACCEPT): (A, [ACCEPT]),
    (N, Input.REFUSE): (OVER, [REFUSE]),
    (N, Input.END_BY_CALLER): (OVER, [TAKE_BACK, BYE_TO_BO]),
    (N, Input.END_BY_CALLEE): (OVER, [BYE_TO_ADA]),
    (N, Input.END_BY_APP): (OVER, [TAKE_BACK, BYE_TO_BO, BYE_TO_ADA]),
    (N, Input.CALLER_GONE): (OVER, [TAKE_BACK, BYE_TO_BO]),
    (N, Input.CALLEE_GONE): (OVER, [TAKE_BACK, failed(703)]),
    (N, Input.RING_TIMEOUT): (OVER, [TAKE_BACK, BYE_TO_BO, failed(704)]),
    (N, Input.CONFIRM_TIMEOUT): (OVER, [TAKE_BACK, BYE_TO_BO, failed(705)]),
    (A, Input.CONFIRM): (A, []),
    (A, Input.DTMF_BY_CALLER): (A, [("bo", "voip_invite_msg", "said")]),
    (A, Input.DTMF_BY_CALLEE): (A, [("ada", "voip_invite_msg", "said")]),
    (A, Input.END_BY_CALLER): (OVER, [BYE_TO_BO]),
    (A, Input.END_BY_CALLEE): (OVER, [BYE_TO_ADA]),
    (A, Input.END_BY_APP): (OVER, [BYE_TO_BO, BYE_TO_ADA]),
    (A, Input.CALLER_GONE): (OVER, [BYE_TO_BO]),
    (A, Input.CALLEE_GONE): (OVER, [BYE_TO_ADA]),
}
EVERYTHING = list(itertools.product(State, Input))
OUT_OF_TURN = [pair for pair in EVERYTHING if pair not in LIFE]


def named(pair: tuple[State, Input]) -> str:
    return f"{pair[0].name}-{pair[1].name}"


def told(effect: Effect) -> tuple[str, str, object]:
    if not effect.kind:
        return (effect.to, "", None)
    if effect.kind == rules.FAILED:
        failure = json.loads(effect.extra)
        assert failure["reason"]
        return (effect.to, effect.kind, failure["code"])
    return (effect.to, effect.kind, effect.extra)


@pytest.mark.parametrize("pair", LIFE, ids=named)
def test_each_row_of_the_table(pair: tuple[State, Input]) -> None:
    """SPEC K1-K7, K11: the state that follows, and what the parties are told in which order."""
    before, what = pair
    state, deeds = LIFE[pair]
    if what is Input.PUSH:
        after, effects = rules.push(call(before), session=8, now=NOW + 5)
    else:
        after, effects = rules.advance(call(before), what, "said")
    assert after.state is state
    assert after.over is (state is OVER)
    assert [told(effect) for effect in effects] == deeds
    for effect in effects:
        assert effect.call == "c1"
        assert effect.src == ("bo" if effect.to == "ada" else "ada")
        fresh = effect.kind == rules.INVITE
        assert effect.session == (5 if effect.to == "ada" else 8 if fresh else call(before).callee_session)
    pushed = (NOW + 5, 8) if what is Input.PUSH else (NOW, call(before).callee_session)
    assert (after.pushed, after.callee_session) == pushed
    assert (after.id, after.caller_session) == ("c1", 5)


@pytest.mark.parametrize("pair", OUT_OF_TURN, ids=named)
def test_what_is_out_of_turn_is_refused(pair: tuple[State, Input]) -> None:
    """SPEC K12: 1001, whatever is not in the table; so for everything once the call is over."""
    with refused(1001):
        rules.advance(call(pair[0]), pair[1])


def test_the_table_has_these_rows_and_no_others() -> None:
    assert set(rules.TABLE) == set(LIFE)


# --- inviting ---------------------------------------------------------------------------------------


def invited(current: Call | None, *, caller: str = "ada", callee: str = "bo") -> Decision:
    new = call(W, id="c2", caller=caller, callee=callee, extra="{}", timeout=12.0, invited=NOW + 50)
    return rules.invite(current, new)


def test_a_new_call_waits_and_does_nothing_yet() -> None:
    """SPEC K1."""
    new, effects = invited(None)
    assert (new.id, new.state, new.invited, new.timeout, effects) == ("c2", W, NOW + 50, 12.0, ())


@pytest.mark.parametrize("state", [W, P, R, N])
@pytest.mark.parametrize(("caller", "callee"), [("ada", "bo"), ("bo", "ada")])
def test_a_call_that_rings_is_not_made_again_from_either_side(state: State, caller: str, callee: str) -> None:
    """SPEC K8: 701, crossing invites too."""
    with refused(701):
        invited(call(state), caller=caller, callee=callee)


@pytest.mark.parametrize(("caller", "callee"), [("ada", "bo"), ("bo", "ada")])
def test_inviting_while_accepted_ends_the_old_call_for_the_other_side(caller: str, callee: str) -> None:
    """SPEC K8: and it rings anew."""
    new, effects = invited(call(A), caller=caller, callee=callee)
    assert (new.id, new.caller, new.callee, new.state) == ("c2", caller, callee, W)
    assert [told(effect) for effect in effects] == [(callee, "voip_invite_bye", "")]
    assert effects[0].call == "c1"


def test_nobody_invites_himself() -> None:
    """SPEC K8."""
    with refused(1004):
        invited(None, callee="ada")


@pytest.mark.parametrize(("callee", "code"), [("", 1004), ("b o", 1004), ("é" * 65, 1005)])
def test_a_callee_has_a_name(callee: str, code: int) -> None:
    """SPEC §1."""
    with refused(code):
        invited(None, callee=callee)


# --- clocks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "online", "fields", "at", "what"),
    [
        (W, False, {}, 20.0, Input.PEER_TIMEOUT),
        (W, True, {}, 30.0, Input.RING_TIMEOUT),
        (W, False, {"timeout": 10.0}, 10.0, Input.RING_TIMEOUT),
        (W, False, {"timeout": 20.0}, 20.0, Input.PEER_TIMEOUT),
        (P, True, {}, 20.0, Input.CONFIRM_TIMEOUT),
        (P, True, {"pushed": NOW + 15}, 30.0, Input.RING_TIMEOUT),
        (P, True, {"pushed": NOW + 5}, 25.0, Input.CONFIRM_TIMEOUT),
        (P, False, {}, 20.0, Input.CONFIRM_TIMEOUT),
        (R, True, {}, 30.0, Input.RING_TIMEOUT),
        (R, False, {"timeout": 5.0}, 5.0, Input.RING_TIMEOUT),
    ],
)
def test_the_first_time_to_end_decides(
    state: State, online: bool, fields: dict[str, float], at: float, what: Input
) -> None:
    """SPEC K5, K6, K7: K5 and K6 count from the invitation, K7 from the push."""
    one = call(state, **fields)
    assert rules.next_deadline(one, peer_online=online, limits=LIMITS) == NOW + at
    assert rules.overdue(one, peer_online=online, limits=LIMITS, now=NOW + at - 0.1) is None
    assert rules.overdue(one, peer_online=online, limits=LIMITS, now=NOW + at) is what
    assert rules.overdue(one, peer_online=online, limits=LIMITS, now=NOW + 1000) is what


@pytest.mark.parametrize("state", [A, OVER])
def test_an_accepted_call_has_no_time_limit(state: State) -> None:
    """SPEC K12."""
    assert rules.next_deadline(call(state), peer_online=True, limits=LIMITS) is None
    assert rules.overdue(call(state), peer_online=False, limits=LIMITS, now=NOW + 1e6) is None


def test_the_waits_are_the_deployments() -> None:
    """SPEC K5, K7: configurable."""
    limits = Limits(peer_wait=3.0, confirm_wait=4.0)
    assert rules.next_deadline(call(W), peer_online=False, limits=limits) == NOW + 3
    assert rules.next_deadline(call(P), peer_online=True, limits=limits) == NOW + 4


# --- sessions ---------------------------------------------------------------------------------------
#
# In `call` ada calls in session 5, and it was sent to bo's session 6.


@pytest.mark.parametrize(
    ("state", "account", "session", "what"),
    [
        (W, "bo", 6, Input.PUSH),
        (W, "ada", 5, None),
        (P, "bo", 6, None),
        (R, "bo", 6, None),
        (A, "bo", 6, None),
    ],
)
def test_a_new_connection_is_sent_what_waits(
    state: State, account: str, session: int, what: Input | None
) -> None:
    """SPEC K5, K11: and everything else goes on."""
    assert rules.at_resume(call(state), account) is what


@pytest.mark.parametrize(
    ("state", "account", "session", "login", "takeover"),
    [
        (W, "bo", 7, Input.PUSH, Input.PUSH),
        (P, "bo", 7, Input.CALLEE_GONE, Input.PUSH),
        (R, "bo", 7, Input.CALLEE_GONE, Input.PUSH),
        (N, "bo", 7, Input.CALLEE_GONE, Input.PUSH),
        (A, "bo", 7, Input.CALLEE_GONE, Input.CALLEE_GONE),
        # It was invited between the session's beginning and the look at its calls.
        (P, "bo", 6, None, None),
        (A, "bo", 6, None, None),
        # A session that is over by now, and looks late.
        (P, "bo", 4, None, None),
        (A, "bo", 4, None, None),
        *[(state, "ada", 6, Input.CALLER_GONE, Input.CALLER_GONE) for state in (W, P, R, N, A)],
        *[(state, "ada", session, None, None) for state in (W, P, R, N, A) for session in (4, 5)],
    ],
)
def test_a_fresh_session_rings_and_ends_what_is_not_its_own(
    state: State, account: str, session: int, login: Input | None, takeover: Input | None
) -> None:
    """SPEC K11, L17: whatever a newer session has is not touched, whoever looks first."""
    assert rules.at_login(call(state), account, session) is login
    assert rules.at_takeover(call(state), account, session) is takeover


@pytest.mark.parametrize(
    ("state", "account", "session", "what"),
    [
        (W, "bo", 6, Input.CALLEE_GONE),
        (P, "bo", 6, Input.CALLEE_GONE),
        (A, "bo", 6, Input.CALLEE_GONE),
        (P, "bo", 5, None),
        (A, "bo", 7, None),
        (A, "ada", 5, Input.CALLER_GONE),
        (A, "ada", 4, None),
    ],
)
def test_a_session_that_ends_ends_its_own_calls(
    state: State, account: str, session: int, what: Input | None
) -> None:
    """SPEC K11."""
    assert rules.at_end(call(state), account, session) is what


@pytest.mark.parametrize(
    ("caller", "callee", "what"),
    [
        (5, 6, None),
        (0, 6, Input.CALLER_GONE),
        (5, 0, Input.CALLEE_GONE),
        (9, 6, Input.CALLER_GONE),
        (5, 9, Input.CALLEE_GONE),
        (0, 0, Input.CALLER_GONE),
    ],
)
def test_an_accepted_call_without_one_of_its_sessions_is_over(
    caller: int, callee: int, what: Input | None
) -> None:
    """SPEC K11, N5: whoever was to tell."""
    assert rules.at_look(call(A), caller, callee) is what


def test_a_session_that_another_took_over_from_acts_no_more() -> None:
    """SPEC L17, K11: though nobody has told it yet; one that took over has the call with what it does."""
    for one, account, session in ((call(P), "bo", 6), (call(W), "bo", 6), (call(A), "ada", 5)):
        assert rules.acting(one, account, session) is one
    assert rules.acting(call(P), "bo", 7) == call(P, callee_session=7)
    assert rules.acting(call(A), "ada", 7) == call(A, caller_session=7)
    for account, session in (("bo", 5), ("ada", 4)):
        with refused(1001):
            rules.acting(call(A), account, session)
