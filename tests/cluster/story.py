"""What a crowd did and saw, as it was written down, and the judge of it.

It is pure: no socket, no clock. `judge` says what can never be right again, and what is only still missing
and may yet come. Texts are unique over the whole story, so that a text names its message.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Attribute", "CallSide", "Event", "Mailing", "Said", "Stay", "Story", "Truth", "Verdict", "judge"]

JOIN, LEAVE, SAY, ATTRIBUTE = "join", "leave", "say", "attribute"
ONLINE, OFFLINE = "online", "offline"

# How a side of a call has come to its end, and what may have happened before.
_OVER = {"refused", "failed", "bye", "ended", "gone"}
_BEFORE = {
    "caller": {"invited", "confirmed", "accepted"},
    "callee": {"rings", "accepted"},
}


@dataclass
class Mailing:
    """All messages from one account to another."""

    sent: list[str] = field(default_factory=list)  # in the order in which they were first sent
    stored: set[str] = field(default_factory=set)  # whose sender saw success
    doubtful: set[str] = field(default_factory=set)  # without a sure answer: they may come, once
    refused: set[str] = field(default_factory=set)  # whose sender was told that they are not stored
    taken: list[str] = field(default_factory=list)  # as the receiver's application saw them
    repeats: bool = False  # the receiver cannot tell what it has seen already (SPEC M6: Python 1.0.2)


@dataclass(frozen=True)
class Event:
    """One event of a channel, as a member was told it. `number`: its offset, 0 to originals."""

    number: int
    kind: str
    account: str
    text: str = ""  # what was said, or name and value of an attribute


@dataclass
class Stay:
    """What one member saw of a channel, from a join on, without a break that it could notice."""

    account: str
    channel: str
    epoch: str = ""  # "" to originals
    after: int = 0  # the number behind which it is told
    members: tuple[str, ...] = ()  # at the join, oneself among them
    events: list[Event] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)  # the channel's, as it has them now
    lost: list[tuple[int, int]] = field(default_factory=list)  # (the number behind which, how many)
    over: str = ""  # why it sees no more: "left", "gone" (the session ended unasked), "broken" (originals)


@dataclass
class Said:
    """A message into a channel."""

    speaker: str
    channel: str
    epoch: str  # in which its speaker was a member; "" to originals
    accepted: bool = False  # its speaker saw success


@dataclass
class CallSide:
    """What one party learnt of one call, in order."""

    call: str
    account: str
    role: str  # caller or callee
    words: list[str] = field(default_factory=list)  # see `_BEFORE` and `_OVER`
    doubtful: bool = False  # it was told that something it did may have been done


@dataclass
class Attribute:
    """An attribute that one account alone sets."""

    tried: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)  # whose setter saw success
    found: str | None = None  # what is read at the end; None: nobody has looked


@dataclass
class Truth:
    """How things are at the end, and how they are found."""

    online: dict[str, bool] = field(default_factory=dict)
    found_online: dict[str, bool] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)  # by channel
    found_members: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class Story:
    """Everything that a crowd did and saw."""

    mailings: defaultdict[tuple[str, str], Mailing] = field(default_factory=lambda: defaultdict(Mailing))
    said: dict[str, Said] = field(default_factory=dict)  # by text
    stays: list[Stay] = field(default_factory=list)  # in the order in which they began
    calls: dict[tuple[str, str], CallSide] = field(default_factory=dict)  # by call and account
    attributes: defaultdict[tuple[str, str], Attribute] = field(
        default_factory=lambda: defaultdict(Attribute)
    )  # by whose (an account's, a channel's) and name
    truth: Truth = field(default_factory=Truth)
    oddities: list[str] = field(default_factory=list)  # what a client saw that no client may see


@dataclass
class Verdict:
    """What is wrong for ever, and what is missing as yet."""

    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.wrong and not self.missing

    def __str__(self) -> str:
        told = [f"wrong: {each}" for each in self.wrong] + [f"missing: {each}" for each in self.missing]
        more = f"\n… and {len(told) - 40} more" if len(told) > 40 else ""
        return "\n".join(told[:40]) + more


def judge(story: Story) -> Verdict:
    """Hold the story against what is promised. Everything in it is looked at, so it may be long."""
    verdict = Verdict(wrong=list(story.oddities))
    for pair, mailing in story.mailings.items():
        _judge_mailing(" to ".join(pair), mailing, verdict)
    logs = _logs(story.stays, verdict)
    _judge_stays(story, logs, verdict)
    _judge_said(story, logs, verdict)
    for side in story.calls.values():
        _judge_side(side, verdict)
    _judge_calls(story.calls.values(), verdict)
    for (whose, name), attribute in story.attributes.items():
        _judge_attribute(f"{name} of {whose}", attribute, verdict)
    _judge_views(story, verdict)
    _judge_truth(story.truth, verdict)
    return verdict


# --- messages (SPEC M2, M4, M5, M6, M7) -----------------------------------------------------------


def _judge_mailing(who: str, mailing: Mailing, verdict: Verdict) -> None:
    order = {text: place for place, text in enumerate(mailing.sent)}
    seen: list[str] = []
    known: set[str] = set()
    for text in mailing.taken:
        if text not in order:
            verdict.wrong.append(f"{who}: {text!r} was taken and never sent")
        elif text in mailing.refused:
            verdict.wrong.append(f"{who}: {text!r} was taken, and its sender was told that it was not stored")
        elif text not in known:
            known.add(text)
            seen.append(text)
        elif not mailing.repeats:
            verdict.wrong.append(f"{who}: {text!r} was taken twice")
    sure = [text for text in seen if text not in mailing.doubtful]
    for before, after in pairwise(sure):
        if order[before] > order[after]:
            verdict.wrong.append(f"{who}: {after!r} was taken behind {before!r}")
    for text in mailing.sent:
        if text in mailing.stored and text not in known:
            verdict.missing.append(f"{who}: {text!r} was stored and not taken")


# --- channels (SPEC C1, C6, C9, P4) ---------------------------------------------------------------

Log = dict[int, Event]  # by number


def _logs(stays: Iterable[Stay], verdict: Verdict) -> dict[tuple[str, str], Log]:
    """What happened in each epoch of each channel, put together from what all members saw."""
    logs: dict[tuple[str, str], Log] = {}
    for stay in stays:
        if not stay.epoch:
            continue
        log = logs.setdefault((stay.channel, stay.epoch), {})
        for event in stay.events:
            if log.setdefault(event.number, event) != event:
                verdict.wrong.append(
                    f"{stay.channel} {stay.epoch}: {event.number} is {log[event.number]} to some, "
                    f"and {event} to {stay.account}"
                )
    return logs


def _judge_stays(story: Story, logs: dict[tuple[str, str], Log], verdict: Verdict) -> None:
    places = {
        event.text: (epoch, number)
        for epoch, log in logs.items()
        for number, event in log.items()
        if event.kind == SAY
    }
    heard: dict[tuple[str, str], list[Stay]] = defaultdict(list)  # of originals, by account and channel
    for stay in story.stays:
        if stay.epoch:
            _judge_numbers(stay, logs[stay.channel, stay.epoch], verdict)
            _judge_members(stay, verdict)
        else:
            before = heard[stay.account, stay.channel]
            returns = bool(before) and before[-1].over == "broken"
            (_judge_return if returns else _judge_members)(stay, verdict)
            before.append(stay)
        _judge_watch(stay, story.truth, verdict)
    for (account, channel), stays in heard.items():
        _judge_original(account, channel, stays, logs, places, verdict)


def _judge_numbers(stay: Stay, log: Log, verdict: Verdict) -> None:
    """Ours have numbers: each is the next one, but for what was said to be lost."""
    who = f"{stay.account} in {stay.channel} {stay.epoch}"
    excused = {number for after, count in stay.lost for number in range(after + 1, after + 1 + count)}
    last = stay.after
    for event in stay.events:
        if event.number <= last:
            verdict.wrong.append(f"{who}: {event} came behind {last}")
            continue
        gap = [number for number in range(last + 1, event.number) if number not in excused]
        if gap:
            verdict.wrong.append(f"{who}: {gap[:5]} ({len(gap)}) are left out before {event}")
        last = event.number
    if not stay.over:
        rest = [number for number in log if number > last and number not in excused]
        if rest:
            verdict.missing.append(f"{who}: {sorted(rest)[:5]} ({len(rest)}) have not come")


def _judge_members(stay: Stay, verdict: Verdict) -> None:
    """Joins and leaves go with the list that it was given."""
    if not stay.members:
        return  # a special channel lists oneself only
    who = f"{stay.account} in {stay.channel} {stay.epoch}"
    here = set(stay.members)
    blind = [after for after, _ in stay.lost]
    for event in stay.events:
        if blind and event.number > blind[0]:
            return  # it was told that it does not know all
        if event.kind == JOIN:
            if event.account in here:
                verdict.wrong.append(f"{who}: {event.account} joined ({event.number}) and was there already")
            here.add(event.account)
        elif event.kind == LEAVE:
            if event.account not in here:
                verdict.wrong.append(f"{who}: {event.account} left ({event.number}) and was not there")
            here.discard(event.account)


def _judge_return(stay: Stay, verdict: Verdict) -> None:
    """What an original missed over a break follows a list that tells of it already (SPEC L17): only that each
    joins and leaves by turns can be said."""
    last: dict[str, str] = {}
    for event in stay.events:
        if event.kind not in (JOIN, LEAVE):
            continue
        if last.get(event.account) == event.kind:
            verdict.wrong.append(f"{stay.account} in {stay.channel}: {event.account}: {event.kind} twice")
        last[event.account] = event.kind


def _judge_watch(stay: Stay, truth: Truth, verdict: Verdict) -> None:
    """Whoever watches sees everybody come and go by turns, and knows at last who is there."""
    last: dict[str, str] = {}
    for event in stay.events:
        if event.kind in (ONLINE, OFFLINE):
            if last.get(event.account) == event.kind and not stay.lost:
                verdict.wrong.append(f"{stay.account} saw {event.account} {event.kind} twice ({event})")
            last[event.account] = event.kind
    if stay.over:
        return
    for account, kind in last.items():
        if account in truth.online and truth.online[account] != (kind == ONLINE):
            verdict.missing.append(f"{stay.account} saw {account} {kind} last, which is not so")


def _judge_original(
    account: str,
    channel: str,
    stays: list[Stay],
    logs: dict[tuple[str, str], Log],
    places: dict[str, tuple[tuple[str, str], int]],
    verdict: Verdict,
) -> None:
    """An original has no numbers: what it heard is held against the log of those that have."""
    who = f"{account} in {channel}"
    heard: dict[tuple[str, str], set[int]] = defaultdict(set)
    for stay in stays:
        last: tuple[tuple[str, str], int] | None = None
        for event in stay.events:
            if event.kind != SAY:
                continue
            place = places.get(event.text)
            if place is None:
                continue  # nobody with numbers was there
            if place[1] in heard[place[0]]:
                verdict.wrong.append(f"{who}: {event.text!r} was heard twice")
            if last is not None and last[0] == place[0] and place[1] < last[1]:
                verdict.wrong.append(f"{who}: {event.text!r} came behind {logs[last[0]][last[1]].text!r}")
            heard[place[0]].add(place[1])
            last = place
    open_ = bool(stays) and not stays[-1].over
    current = next(
        (places[event.text][0] for event in reversed(stays[-1].events) if event.text in places), None
    )
    for epoch, numbers in heard.items():
        for begin, end in _memberships(account, logs[epoch], min(numbers)):
            said = [
                number
                for number, event in sorted(logs[epoch].items())
                if begin < number < end and event.kind == SAY
            ]
            known = [number for number in said if number in numbers]
            holes = [number for number in said if known and number < known[-1] and number not in numbers]
            if holes:
                verdict.wrong.append(f"{who}: {holes[:5]} ({len(holes)}) of {epoch[1]} are left out")
            rest = [number for number in said if not known or number > known[-1]]
            if rest and open_ and epoch == current and end == _NEVER:
                verdict.missing.append(f"{who}: {rest[:5]} ({len(rest)}) of {epoch[1]} have not come")


_NEVER = 1 << 62


def _memberships(account: str, log: Log, first: int) -> Iterator[tuple[int, int]]:
    """From which number to which an account was a member. `first`: that it is known to have heard."""
    begin: int | None = None
    for number, event in sorted(log.items()):
        if event.account != account or event.kind not in (JOIN, LEAVE):
            continue
        if event.kind == JOIN:
            begin = number
        else:
            if begin is not None or first < number:
                yield (first - 1 if begin is None else begin), number
            begin, first = None, _NEVER
    if begin is not None:
        yield begin, _NEVER
    elif first != _NEVER:
        yield first - 1, _NEVER


def _judge_said(story: Story, logs: dict[tuple[str, str], Log], verdict: Verdict) -> None:
    """Nothing accepted is lost, unless a channel's memory is, and then all of it."""
    epochs: dict[str, list[str]] = defaultdict(list)  # of each channel, in their order
    for stay in story.stays:
        if stay.epoch and stay.epoch not in epochs[stay.channel]:
            epochs[stay.channel].append(stay.epoch)
    heard = Counter(event.text for log in logs.values() for event in log.values() if event.kind == SAY)
    for text, said in story.said.items():
        if heard[text] > 1:
            verdict.wrong.append(f"{text!r} of {said.speaker} is in {said.channel} {heard[text]} times")
        known = epochs[said.channel]
        if not said.accepted or heard[text] or not known:
            continue
        if said.epoch == known[-1] or (not said.epoch and len(known) == 1):
            verdict.missing.append(
                f"{text!r} of {said.speaker} was accepted in {said.channel}, and not heard"
            )
    for text in heard:
        if text not in story.said:
            verdict.wrong.append(f"{text!r} was heard, and nobody said it")


# --- calls (SPEC K1-K12) --------------------------------------------------------------------------


def _judge_side(side: CallSide, verdict: Verdict) -> None:
    who = f"{side.call} to {side.account} ({side.role}) is {side.words}"
    ends = [word for word in side.words if word in _OVER]
    others = [word for word in side.words if word not in _OVER]
    if unknown := set(others) - _BEFORE[side.role]:
        verdict.wrong.append(f"{who}: {sorted(unknown)} cannot be")
    if len(ends) > 1 or (ends and side.words[-1] != ends[0]):
        verdict.wrong.append(f"{who}: more than one end")
    if max(Counter(others).values(), default=0) > 1:
        verdict.wrong.append(f"{who}: something was told twice")
    if (
        "confirmed" in others
        and "accepted" in others
        and others.index("confirmed") > others.index("accepted")
    ):
        verdict.wrong.append(f"{who}: confirmed behind its answer")
    if "accepted" in others and ends and ends[0] in ("refused", "failed"):
        verdict.wrong.append(f"{who}: accepted, and then {ends[0]}")
    if not ends:
        verdict.missing.append(f"{who}: no end")


def _judge_calls(sides: Iterable[CallSide], verdict: Verdict) -> None:
    """Both sides tell the same."""
    calls: dict[str, dict[str, CallSide]] = defaultdict(dict)
    for side in sides:
        calls[side.call][side.role] = side
    for name, roles in calls.items():
        caller, callee = roles.get("caller"), roles.get("callee")
        if caller is None:
            verdict.wrong.append(f"{name} rang, and nobody called")
            continue
        told = set(caller.words)
        did = set() if callee is None else set(callee.words)
        if caller.doubtful or (callee is not None and callee.doubtful):
            continue
        if "accepted" in told and "accepted" not in did:
            verdict.wrong.append(f"{name}: accepted to its caller, {sorted(did)} to its callee")
        if "refused" in told and "refused" not in did:
            verdict.wrong.append(f"{name}: refused to its caller, {sorted(did)} to its callee")
        if "accepted" in did and "gone" not in told and not told & {"accepted", "ended", "failed"}:
            verdict.missing.append(f"{name}: accepted by its callee, {sorted(told)} to its caller")
        if "failed" in told and "accepted" in did:
            verdict.wrong.append(f"{name}: accepted by its callee, and failed to its caller")


# --- attributes and who is there (SPEC P1-P4, C10, L11) -------------------------------------------


def _judge_attribute(what: str, attribute: Attribute, verdict: Verdict) -> None:
    if attribute.found is None:
        return
    if not attribute.stored:
        if attribute.found and attribute.found not in attribute.tried:
            verdict.wrong.append(f"{what} is {attribute.found!r}, which nobody set")
        return
    last = attribute.tried.index(attribute.stored[-1])
    if attribute.found not in attribute.tried[last:]:
        verdict.wrong.append(f"{what} is {attribute.found!r}, and {attribute.stored[-1]!r} was stored")


def _judge_views(story: Story, verdict: Verdict) -> None:
    """Members end at what is kept."""
    for stay in story.stays:
        if stay.over:
            continue
        for (whose, name), attribute in story.attributes.items():
            if whose != stay.channel or attribute.found is None:
                continue
            seen = stay.attributes.get(name, "")
            if seen != attribute.found:
                verdict.missing.append(
                    f"{stay.account} sees {name} of {whose} as {seen!r}, and it is {attribute.found!r}"
                )


def _judge_truth(truth: Truth, verdict: Verdict) -> None:
    for account, there in truth.found_online.items():
        if there != truth.online[account]:
            verdict.missing.append(f"{account} is found {'online' if there else 'offline'}, which is not so")
    for channel, found in truth.found_members.items():
        if ghosts := found - truth.members[channel]:
            verdict.missing.append(f"{channel} has ghosts: {sorted(ghosts)}")
        if absent := truth.members[channel] - found:
            verdict.missing.append(f"{channel} lacks {sorted(absent)}")
