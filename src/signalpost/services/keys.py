"""How the product's nouns become the engine's keys.

The separator can be in no name (it is not a visible character), so that no two nouns share a key and
no two apps ever meet (SPEC §1).
"""

from __future__ import annotations

__all__ = [
    "app_attributes_key",
    "app_of",
    "app_of_topic",
    "attempt_key",
    "attributes_key",
    "away_key",
    "barred_key",
    "bars_key",
    "call_key",
    "call_keys",
    "calls_key",
    "channel_key",
    "counting_key",
    "deserted_key",
    "emptied_key",
    "event_mark",
    "failed_key",
    "hook_key",
    "hooks_key",
    "hooks_of",
    "inbox_key",
    "kind_of",
    "logins_key",
    "online_key",
    "own_attributes_key",
    "pair_key",
    "request_key",
    "roll_key",
    "session_key",
    "session_keys",
    "session_of_mark",
    "spent_key",
    "split",
    "subject_of",
    "told_key",
    "topic_key",
    "topic_keys",
    "tries_key",
]

_SEP = "\x1f"


def inbox_key(app: str, account: str) -> str:
    """An account: the key of its inbox, and of everything local that hangs on it."""
    return f"{app}{_SEP}{account}"


def topic_key(app: str, channel: str) -> str:
    """A channel's topic."""
    return f"{app}{_SEP}{channel}"


def session_key(key: str) -> str:
    """The session record of an account."""
    return f"session{_SEP}{key}"


def logins_key(key: str) -> str:
    """How often an account has logged in (L16)."""
    return f"logins{_SEP}{key}"


def spent_key(key: str) -> str:
    """What an account has spent of its rates when its session left a node (M8, M10)."""
    return f"spent{_SEP}{key}"


def attributes_key(key: str) -> str:
    """The attributes record of an account."""
    return f"attributes{_SEP}{key}"


def request_key(key: str, request: str) -> str:
    """What was answered to a request of an account (PROTOCOL §12)."""
    return f"request{_SEP}{key}{_SEP}{request}"


def attempt_key(who: str, request: str) -> str:
    """What was answered to a request of a back end, which has this key (SPEC A3)."""
    return f"attempt{_SEP}{who}{_SEP}{request}"


def bars_key(app: str) -> str:
    """What accounts of an app are barred from."""
    return f"bars{_SEP}{app}"


def barred_key(key: str) -> str:
    """An account that is barred from something: who changes that, and when it is over."""
    return f"barred{_SEP}{key}"


def topic_keys(app: str) -> str:
    """How the keys of all topics of an app begin."""
    return f"{app}{_SEP}"


def session_keys(app: str) -> str:
    """How the keys of all session records of an app begin."""
    return f"session{_SEP}{app}{_SEP}"


def call_keys(app: str) -> str:
    """How the keys of all call records of an app begin."""
    return f"call{_SEP}{app}{_SEP}"


def call_key(app: str, channel: str, one: str, other: str) -> str:
    """The call record of two accounts, whoever calls whom."""
    first, second = (one, other) if one < other else (other, one)
    return f"call{_SEP}{app}{_SEP}{channel}{_SEP}{first}{_SEP}{second}"


def pair_key(app: str, one: str, other: str) -> str:
    """The open calls that two accounts have with each other, whoever calls whom."""
    first, second = (one, other) if one < other else (other, one)
    return f"pair{_SEP}{app}{_SEP}{first}{_SEP}{second}"


def event_mark(call: str, session: int) -> str:
    """The mark of a call's events for the session of this generation."""
    return f"{session:x}{_SEP}{call}"


def session_of_mark(mark: str) -> int:
    """The generation of the session that the events with this mark are for."""
    return int(mark.partition(_SEP)[0], 16)


def calls_key(key: str) -> str:
    """The open calls of an account."""
    return f"calls{_SEP}{key}"


def counting_key(topic: str) -> str:
    """When a channel may announce its number of members again."""
    return f"count{_SEP}{topic}"


def channel_key(topic: str) -> str:
    """Who brought a channel that has attributes into being, and its end."""
    return f"channel{_SEP}{topic}"


def emptied_key(topic: str) -> str:
    """A channel that has just been left by its last member."""
    return f"emptied{_SEP}{topic}"


def deserted_key(app: str, account: str) -> str:
    """The channels in which nobody is that an account has brought into being (E6)."""
    return f"deserted{_SEP}{app}{_SEP}{account}"


def own_attributes_key(app: str, account: str) -> str:
    """The bytes of attributes that an account has set in channels (E6)."""
    return f"set{_SEP}{app}{_SEP}{account}"


def app_attributes_key(app: str) -> str:
    """The bytes of attributes of an app's channels (E6)."""
    return f"set{_SEP}{app}"


def hook_key(app: str, endpoint: str, kind: str, subject: str) -> str:
    """What an endpoint is to be told of a subject, and when somebody is to look at it."""
    return f"hook{_SEP}{app}{_SEP}{endpoint}{_SEP}{kind}{_SEP}{subject}"


def hooks_key(app: str, endpoint: str) -> str:
    """An endpoint: all that it is to be told, and whether it wants anything."""
    return f"hooks{_SEP}{app}{_SEP}{endpoint}"


def hooks_of(hook: str) -> str:
    """The endpoint of a queue."""
    return hooks_key(*hook.split(_SEP, 3)[1:3])


def tries_key(hook: str) -> str:
    """How often the first of a queue was tried to be told."""
    return f"tries{_SEP}{hook}"


def failed_key(app: str, endpoint: str) -> str:
    """What an endpoint could not be told."""
    return f"failed{_SEP}{app}{_SEP}{endpoint}"


def told_key(key: str) -> str:
    """That an account was told to be online."""
    return f"told{_SEP}{key}"


def online_key(app: str) -> str:
    """The accounts of an app that were told to be online."""
    return f"online{_SEP}{app}"


def roll_key(app: str) -> str:
    """When it is looked whether these still are."""
    return f"roll{_SEP}{app}"


def away_key(key: str) -> str:
    """When an account is told to be offline, if it is not back."""
    return f"away{_SEP}{key}"


def split(key: str) -> list[str]:
    """The parts that a key was made of."""
    return key.split(_SEP)


def app_of(key: str) -> str:
    """The app that a record's, a bucket's or a timer's key belongs to."""
    return key.split(_SEP, 2)[1]


def app_of_topic(topic: str) -> str:
    """The app that a topic belongs to."""
    return topic.partition(_SEP)[0]


def kind_of(key: str) -> str:
    """The noun that a record's or timer's key begins with."""
    return key.partition(_SEP)[0]


def subject_of(key: str) -> str:
    """What a record's or timer's key is about: all behind the noun."""
    return key.partition(_SEP)[2]
