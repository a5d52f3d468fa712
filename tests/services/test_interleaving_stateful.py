"""Use cases that wait for commits, in any order, interleaved with others: no session is orphaned, no member
is left behind, no call leaks or tells anything twice (SPEC L7, L8, L17, P3, K1, K11, M4, M6).
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.house import Device, Heard, House, Started
from signalpost.domain.calls import Input
from signalpost.domain.inbox import INSTANT
from signalpost.domain.refusals import Refusal
from signalpost.domain.sessions import recall
from signalpost.services.calls import Answer
from signalpost.services.stored import ATTRIBUTES
from signalpost.wire.codes import CHANNEL_USER_ONLINE

ACCOUNTS = ["ada", "bo", "cy"]
WHO = st.sampled_from(ACCOUNTS)
WHERE = st.sampled_from(["room", "hall", "yard"])
DEEDS = {
    "confirm": Answer(None, Input.CONFIRM),
    "accept": Answer(None, Input.ACCEPT),
    "refuse": Answer(None, Input.REFUSE),
}


class Interleaving(RuleBasedStateMachine):
    """Three people, six devices, a slow disk, and a loop that has no time for long work."""

    def __init__(self) -> None:
        super().__init__()
        self.house = self.make_house()
        self.eye = self.house.login("eye")
        self.eye.join(CHANNEL_USER_ONLINE)
        self.eye.join("room")
        self.total = 0  # of the joins of the room, as it was last told
        self.online: dict[str, list[str]] = {account: [] for account in ACCOUNTS}
        self.devices = {
            account: [self.house.device(account, ours=ours) for ours in (True, True, False)]
            for account in ACCOUNTS
        }
        self.started: list[Started] = []
        self.texts: dict[tuple[str, str], list[str]] = defaultdict(list)  # sent, in order, by pair
        self.count = 0

    @staticmethod
    def make_house() -> House:
        return House()

    @initialize()
    def everybody_is_there(self) -> None:
        for account in ACCOUNTS:
            device = self.devices[account][0]
            device.login()
            device.describe("mood", "fine")
            device.join("room")
        self.devices["ada"][0].set("room", "_auto_update_num", "1")
        self.house.disk.slow = True
        self.house.busy = True

    def attached(self, account: str) -> Device | None:
        return self.house.attached.get(f"app\x1f{account}")

    def begin(self, use_case) -> None:
        self.started.append(self.house.begin(use_case))

    # --- sessions -----------------------------------------------------------------------------

    @rule(who=WHO, number=st.integers(0, 2))
    def somebody_logs_in(self, who: str, number: int) -> None:
        device = self.devices[who][number]
        if device.live is None and not device.coming:
            device.begin_login()

    @rule(who=WHO, number=st.integers(0, 1))
    def somebody_comes_back(self, who: str, number: int) -> None:
        device = self.devices[who][number]
        if device.live is None and not device.coming and device.line:
            device.begin_login(line=device.line)

    @rule(who=WHO)
    def somebody_logs_out(self, who: str) -> None:
        if device := self.attached(who):
            self.begin(device.leaving())

    @rule(who=WHO)
    def a_connection_breaks(self, who: str) -> None:
        if device := self.attached(who):
            device.breaks()

    @rule(who=WHO, channel=st.sampled_from(["room", "hall"]))
    def somebody_joins(self, who: str, channel: str) -> None:
        if device := self.attached(who):
            device.join(channel)

    @rule(who=WHO, name=st.sampled_from(["", "_total"]), seconds=st.sampled_from(["0", "1"]))
    def somebody_has_the_members_counted(self, who: str, name: str, seconds: str) -> None:
        if device := self.attached(who):
            attribute = f"_auto_update{name}_num"
            channels = self.house.channels
            self.begin(channels.attributes.set(device.session, "room", attribute, seconds))

    @rule(who=WHO)
    def somebody_says_something_of_himself(self, who: str) -> None:
        if device := self.attached(who):
            self.begin(self.house.attributes.set(device.session, "mood", "better"))

    # --- messages and calls -------------------------------------------------------------------

    @rule(who=WHO, peer=WHO)
    def somebody_sends(self, who: str, peer: str) -> None:
        if device := self.attached(who):
            self.count += 1
            text = str(self.count)
            self.texts[who, peer].append(text)
            self.begin(self.house.inboxes.send(device.session, peer, text))

    @rule(who=WHO, peer=WHO, channel=WHERE)
    def somebody_invites(self, who: str, peer: str, channel: str) -> None:
        if device := self.attached(who):
            self.begin(self.house.calls.invite(device.session, channel, peer, ""))

    @rule(who=WHO, peer=WHO, channel=WHERE, deed=st.sampled_from(["confirm", "accept", "accept", "refuse"]))
    def somebody_answers(self, who: str, peer: str, channel: str, deed: str) -> None:
        device = self.attached(who)
        if device is not None:
            self.begin(self.house.calls.answer(device.session, channel, peer, DEEDS[deed], ""))

    @rule(who=WHO, peer=WHO, channel=WHERE)
    def somebody_ends(self, who: str, peer: str, channel: str) -> None:
        if device := self.attached(who):
            self.begin(self.house.calls.end(device.session, channel, peer, ""))

    # --- time and the disk --------------------------------------------------------------------

    @rule()
    def the_disk_commits(self) -> None:
        self.house.disk.commit_all()

    @rule()
    def the_disk_commits_what_it_has(self) -> None:
        self.house.disk.commit()

    @rule()
    def the_loop_takes_another_turn(self) -> None:
        self.house.turn()

    @rule(seconds=st.sampled_from([0.25, 1.0, 5.0, 20.0, 30.0, 121.0]))
    def time_passes(self, seconds: float) -> None:
        self.house.advance(seconds)

    # --- what has to be true ------------------------------------------------------------------

    @invariant()
    def whoever_is_attached_has_the_session(self) -> None:
        for account in ACCOUNTS:
            live = [device for device in self.devices[account] if device.live is not None]
            assert len(live) <= 1
            found = self.house.run(self.house.presence.find(f"app\x1f{account}"))
            if live:
                assert found is not None
                session = live[0].session.session
                assert (recall(found[0], session), found[1]) == (session, live[0].session.rev)
                assert found[0].attached
                assert self.attached(account) is live[0]
            elif found is not None and found[0].attached:
                assert any(device.coming for device in self.devices[account])

    @invariant()
    def membership_and_sessions_agree(self) -> None:
        places = defaultdict(set)
        for account in ACCOUNTS:
            found = self.house.run(self.house.presence.find(f"app\x1f{account}"))
            for place in () if found is None else (*found[0].places, *found[0].kept):
                places[place.channel].add(account)
        for channel in ("room", "hall"):
            assert set(self.house.members(channel)) - {"eye"} == places[channel]

    @invariant()
    def online_and_offline_alternate(self) -> None:
        told = self.eye.heard()
        self.the_total_of_joins_never_steps_back(told)
        for one in told:
            if one.channel == "room":
                continue
            self.online[one.what["account"]].append(one.what["event"])
        for account, events in self.online.items():
            assert all(one != other for one, other in pairwise(events))
            assert (events[-1:] == ["online"]) is self.house.online(account)

    def the_total_of_joins_never_steps_back(self, told: list[Heard]) -> None:
        for one in told:
            if one.kind == "attr_update" and one.what[0] == "_total_member_num" and one.what[2] == "update":
                assert int(one.what[1]) >= self.total
                self.total = int(one.what[1])

    @invariant()
    def nothing_goes_wrong_where_nobody_waits(self) -> None:
        assert self.house.reported == []

    def teardown(self) -> None:
        house = self.house
        house.busy = False
        while house.disk.waiting or house.waits:
            house.disk.commit_all()
            house.turn()
        house.disk.slow = False
        for started in self.started:
            assert started.finished
            try:
                started.result()
            except Refusal:
                continue
        house.advance(1.0)
        self.attributes_have_an_end_that_whoever_is_offline_knows()
        self.messages_came_once_and_in_order()
        self.online_and_offline_alternate()
        for account in ACCOUNTS:
            if device := self.attached(account):
                device.logout()
        house.advance(200.0)
        self.callers_learnt_one_outcome()
        assert house.open_calls() == []
        assert house.sets_of_calls() == []
        assert house.armed("call") == house.armed("session") == house.armed("count") == []
        for account in ACCOUNTS:
            assert {kind for kind, _, _ in house.login(account).inbox()} <= {INSTANT}

    def attributes_have_an_end_that_whoever_is_offline_knows(self) -> None:
        """SPEC P3: all have a timer, which looks for who is online; of who has left the record says so."""
        house = self.house
        keys = [key for key in house.records_kept._records if key.startswith("attributes\x1f")]
        assert keys
        assert set(keys) <= set(house.deadlines_kept.keys())
        left = [key for key in keys if "" in ATTRIBUTES.decode(house.records_kept.find(key).value)]  # type: ignore[union-attr]
        online = {f"attributes\x1fapp\x1f{account}" for account in ACCOUNTS if house.online(account)}
        assert set(left) == set(keys) - online

    def messages_came_once_and_in_order(self) -> None:
        came: dict[tuple[str, str], list[str]] = defaultdict(list)
        for key, item in self.house.log:
            if item.kind == INSTANT:
                came[item.src, key.partition("\x1f")[2]].append(item.text)
        assert came == {pair: texts for pair, texts in self.texts.items() if texts}

    def callers_learnt_one_outcome(self) -> None:
        told: dict[tuple[str, str], list[str]] = defaultdict(list)  # call and account -> kinds
        for key, item in self.house.log:
            if item.kind == INSTANT:
                continue
            kind = item.kind.removeprefix("voip_invite").removeprefix("_") or "invite"
            account = key.partition("\x1f")[2]
            told[item.call, account].append(kind)
        for kinds in told.values():
            if "invite" in kinds:
                assert kinds[0] == "invite"
                assert kinds.count("bye") <= 1
                continue
            assert kinds.count("ack") <= 1
            assert "ack" not in kinds[1:]
            assert kinds.count("accept") <= 1
            ends = [kind for kind in kinds if kind in ("refuse", "failed", "bye")]
            assert len(ends) <= 1
            assert not ends or kinds[-1] == ends[0]
            if "accept" in kinds:
                assert "failed" not in kinds
                assert "refuse" not in kinds


TestInterleaving = Interleaving.TestCase
TestInterleaving.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
