"""Plays the scripted conversations of protocol/vectors, and matches what comes against their patterns.

It knows the format (protocol/vectors/README.md) and nothing of the server: whatever a script does not
expect is a failure.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from support.client import RawClient, parse_line

__all__ = ["VECTORS", "Conversation", "Mismatch", "Player", "conversations", "match"]

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
SETTING = json.loads((VECTORS / "setting.json").read_text())

_NAME = re.compile(r"\$\{([^}]+)\}")


class Mismatch(AssertionError):
    """What came is not what the script expects."""


# --- patterns ---------------------------------------------------------------------------------


def match(pattern: Any, value: Any, saved: dict[str, Any], path: str = "$") -> None:
    """Hold a value against a pattern; `saved` gains what the pattern saves. Raises Mismatch."""
    if isinstance(pattern, dict):
        operators = [name for name in pattern if name.startswith("$") and name != "$more"]
        if operators:
            assert len(pattern) == len(operators), f"{path}: operators do not stand beside members"
            for name in operators:
                _OPERATORS[name](pattern[name], value, saved, path)
            return
        _match_object(pattern, value, saved, path)
    elif isinstance(pattern, list):
        _require(isinstance(value, list), path, "an array", value)
        _require(len(value) == len(pattern), path, f"{len(pattern)} elements", value)
        for index, (part, element) in enumerate(zip(pattern, value, strict=True)):
            match(part, element, saved, f"{path}[{index}]")
    else:
        expected = substitute(pattern, saved)
        _require(_same(expected, value), path, repr(expected), value)


def _match_object(pattern: dict[str, Any], value: Any, saved: dict[str, Any], path: str) -> None:
    _require(isinstance(value, dict), path, "an object", value)
    wanted = {name: part for name, part in pattern.items() if name != "$more"}
    missing = wanted.keys() - value.keys()
    _require(not missing, path, f"the members {sorted(missing)}", value)
    surplus = value.keys() - wanted.keys()
    _require("$more" in pattern or not surplus, path, f"no members {sorted(surplus)}", value)
    for name, part in wanted.items():
        match(part, value[name], saved, f"{path}.{name}")


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _require(holds: bool, path: str, expected: str, value: Any) -> None:
    if not holds:
        raise Mismatch(f"{path}: expected {expected}, got {value!r}")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _any(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    """Anything will do."""


def _int(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    _require(_is_int(value), path, "a whole number", value)


def _text(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    _require(isinstance(value, str) and value != "", path, "a text that is not empty", value)


def _above(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    bound = substitute(operand, saved)
    _require(_is_int(value) and value > bound, path, f"a whole number above {bound}", value)


def _next(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    before = substitute(operand, saved)
    _require(_is_int(value) and value == before + 1, path, f"{before + 1}", value)


def _not(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    other = substitute(operand, saved)
    _require(not _same(other, value), path, f"anything but {other!r}", value)


def _begins(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    start = substitute(operand, saved)
    _require(isinstance(value, str) and value.startswith(start), path, f"a text that begins {start!r}", value)


def _save(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    saved[operand] = value


def _json(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    _require(isinstance(value, str), path, "a text that holds JSON", value)
    try:
        parsed = json.loads(value)
    except ValueError:
        raise Mismatch(f"{path}: expected JSON text, got {value!r}") from None
    match(operand, parsed, saved, f"{path}(json)")


def _line(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    _require(isinstance(value, str), path, "a message line", value)
    try:
        line = parse_line(value)
    except (AssertionError, TypeError, ValueError):
        raise Mismatch(f"{path}: expected a message line, got {value!r}") from None
    _require(line.time.isdigit(), path, "a time in seconds", line.time)
    for name, part in operand.items():
        match(part, getattr(line, name), saved, f"{path}(line).{name}")


def _each(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    _require(isinstance(value, list), path, "an array", value)
    for index, element in enumerate(value):
        match(operand, element, saved, f"{path}[{index}]")


def _count(operand: Any, value: Any, saved: dict[str, Any], path: str) -> None:
    _require(isinstance(value, list) and len(value) == operand, path, f"{operand} elements", value)


_OPERATORS: dict[str, Callable[[Any, Any, dict[str, Any], str], None]] = {
    "$any": _any,
    "$int": _int,
    "$text": _text,
    "$above": _above,
    "$next": _next,
    "$not": _not,
    "$begins": _begins,
    "$save": _save,
    "$json": _json,
    "$line": _line,
    "$each": _each,
    "$count": _count,
}


def substitute(value: Any, saved: dict[str, Any]) -> Any:
    """The value with `${name}` replaced, in whatever depth; a text that is nothing else takes the type."""
    if isinstance(value, dict):
        return {name: substitute(part, saved) for name, part in value.items()}
    if isinstance(value, list):
        return [substitute(part, saved) for part in value]
    if not isinstance(value, str):
        return value
    if whole := _NAME.fullmatch(value):
        return saved[whole[1]]
    return _NAME.sub(lambda found: str(saved[found[1]]), value)


def _spell(frame: Any) -> str:
    """A frame as JSON text, all characters as they are; only what has no bytes is escaped."""
    text = json.dumps(frame, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


# --- scripts ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Conversation:
    """One script, for one kind of client if it is written for several."""

    file: str
    name: str
    rows: tuple[str, ...]
    steps: list[dict[str, Any]]
    app: str  # "" for one of its own
    kind: str  # "" if the script names its kinds itself

    @property
    def id(self) -> str:
        """How a test of it is called."""
        words = f"{self.file}-{self.name}-{self.kind}" if self.kind else f"{self.file}-{self.name}"
        return re.sub(r"[^A-Za-z0-9_.-]+", "_", words)


def conversations() -> Iterator[Conversation]:
    """All scripts, once for each kind of client that they are written for."""
    for path in sorted((VECTORS / "conversations").glob("*.json")):
        for script in json.loads(path.read_text()):
            for kind in script.get("kinds", [""]):
                yield Conversation(
                    path.stem,
                    script["name"],
                    tuple(script["rows"]),
                    script["steps"],
                    script.get("app", ""),
                    kind,
                )


class _Party:
    """One of those who talk: its connection, and what an SDK would remember of it."""

    def __init__(self, kind: dict[str, Any]) -> None:
        self.client: RawClient | None = None  # None before it connects
        self.kind = kind
        self.line = ""  # of its session
        self.calls = 0  # made on this connection
        self.cursor = 0  # the version up to which it has acknowledged; javasdk only


class Player:
    """Plays one conversation."""

    def __init__(
        self, conversation: Conversation, open_: Callable[[], Awaitable[RawClient]], app: str
    ) -> None:
        self._conversation = conversation
        self._open = open_
        self._parties: dict[str, _Party] = {}
        self._saved: dict[str, Any] = {"app": app, "kind": conversation.kind}
        if conversation.kind:
            self._saved["lines"] = SETTING["kinds"][conversation.kind]["lines"]

    async def play(self) -> None:
        """Play it to its end; raises Mismatch, and AssertionError for what came unexpected."""
        await self._play(self._conversation.steps)
        for who, party in self._parties.items():
            if party.client is not None and party.client.closed is None:
                await self._nothing(party, {"who": who})
            assert party.client is None or party.client.frames == [], (who, party.client.frames)

    async def _play(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            if "times" in step:
                for number in range(1, step["times"] + 1):
                    self._saved["n"] = number
                    await self._play(step["steps"])
                continue
            try:
                await self._step(step)
            except Mismatch as error:
                raise Mismatch(f"{error}\nin the step {json.dumps(step, ensure_ascii=False)}") from None

    async def _step(self, step: dict[str, Any]) -> None:
        party = self._parties.setdefault(step["who"], _Party({}))
        for verb, perform in self._VERBS.items():
            if verb in step:
                await perform(self, party, step)
                return
        raise AssertionError(f"a step without a verb: {step}")

    # --- coming and going ---

    async def _connect(self, party: _Party, step: dict[str, Any]) -> None:
        assert party.client is None or party.client.closed is not None, "connected already"
        party.client = await self._open()
        party.client.account = step["who"]
        party.line, party.calls, party.cursor = "", 0, 0

    async def _login(self, party: _Party, step: dict[str, Any]) -> None:
        who = step["who"]
        party.kind = SETTING["kinds"][substitute(step["login"], self._saved)]
        fields = {
            "vid": self._saved["app"],
            "account": who,
            "uid": 0,
            "token": "_no_need_token",
            "ip": "",
            **party.kind["login"],
            **substitute(step.get("with", {}), self._saved),
        }
        party.calls = party.kind["first_id"] - 1
        await self._client(party).send(_spell(["login", fields]))
        frame = await self._take(party)
        body = {"result": "ok", "uid": 0, "line": {"$save": f"{who}.line"}}
        if party.kind["ours"]:
            body |= {"resumed": False, "channels": {}, "inbox": {"$save": "epoch"}}
        body |= step.get("ok", {})
        match(["login_ret", ["", {"$json": body}]], frame, self._saved)
        if isinstance(body["line"], dict):
            party.line = self._saved[f"{who}.line"]
        else:
            party.line = substitute(body["line"], self._saved)
        for frame in party.kind["after_login"]:
            await self._client(party).send(_spell(frame))

    async def _enter(self, party: _Party, step: dict[str, Any]) -> None:
        await self._connect(party, step)
        await self._login(party, {**step, "login": step["enter"]})
        await self._ask(party, ["user_getmsg", {"ver_clear": 0, "max": 30}])
        await self._answered(party, {"$json": {"result": "ok", "ver_clear": {"$int": True}, "msgs": []}}, [])

    async def _cut(self, party: _Party, step: dict[str, Any]) -> None:
        await self._client(party).cut()
        await self._noticed()

    async def _close(self, party: _Party, step: dict[str, Any]) -> None:
        await self._client(party).close()
        await self._noticed()

    async def _closed(self, party: _Party, step: dict[str, Any]) -> None:
        code, _ = await self._client(party).gone()
        match(step["closed"], code, self._saved, "close code")
        assert self._client(party).frames == [], self._client(party).frames

    async def _noticed(self) -> None:
        """Let the server see what the kernel has told it already: it answers a stranger a few times."""
        stranger = await self._open()
        for _ in range(4):
            await stranger.settle()
        await stranger.close()

    # --- talking ---

    async def _send(self, party: _Party, step: dict[str, Any]) -> None:
        await self._client(party).send(_spell(substitute(step["send"], self._saved)))

    async def _send_text(self, party: _Party, step: dict[str, Any]) -> None:
        await self._client(party).send(step["send_text"])

    async def _get(self, party: _Party, step: dict[str, Any]) -> None:
        match(step["get"], await self._take(party), self._saved)

    async def _get_all(self, party: _Party, step: dict[str, Any]) -> None:
        await self._in_any_order(party, step["get_all"])

    async def _nothing(self, party: _Party, step: dict[str, Any]) -> None:
        await self._client(party).settle()
        frames = self._client(party).frames
        if frames:
            raise Mismatch(f"{step['who']} expected nothing, got {frames}")

    async def _call(self, party: _Party, step: dict[str, Any]) -> None:
        await self._ask(party, substitute(step["call"], self._saved))
        if "refused" in step:
            reason = {"$text": True, "$save": "reason"}
            body: Any = {
                "result": "failed",
                "reason": reason,
                "code": step["refused"],
                "data": {"result": "${reason}"},
            }
        else:
            body = {"result": "ok", **step["ok"]}
        await self._answered(party, {"$json": body}, step.get("events", []))

    async def _ask(self, party: _Party, call: list[Any]) -> None:
        func, args = call
        party.calls += 1
        line = {"line": party.line} if party.line else {}
        await self._client(party).send(_spell(["call2", [func, party.calls, {**line, **args}]]))

    async def _answered(self, party: _Party, body: Any, events: list[Any]) -> None:
        await self._in_any_order(party, [["call2-ret", [party.calls, "", body]], *events])

    async def _receive(self, party: _Party, step: dict[str, Any]) -> None:
        """One inbox item, in the way that suits the kind."""
        version = {"$int": True, "$save": "version"}
        line = {"$line": {"version": party.kind["lines"], "dst": step["who"], **step["receive"]}}
        if party.kind["inbox"] == "pushed":
            pushed = ["notify", ["recvmsg", {"$json": [version, line]}]]
            match(pushed, await self._take(party), self._saved)
            return
        announcement = ["notify", ["msg", version]]
        match(announcement, await self._take(party), self._saved)
        await self._ask(party, ["user_getmsg", {"ver_clear": party.cursor, "max": 30}])
        body = {"result": "ok", "ver_clear": {"$int": True}, "msgs": [["${version}", line]]}
        await self._answered(party, {"$json": body}, [])
        match(["notify", ["msg", "${version}"]], await self._take(party), self._saved)
        party.cursor = self._saved["version"]
        await self._ask(party, ["user_getmsg", {"ver_clear": party.cursor, "max": 30}])
        body = {"result": "ok", "ver_clear": party.cursor, "msgs": []}
        await self._answered(party, {"$json": body}, [])

    # --- frames ---

    @staticmethod
    def _client(party: _Party) -> RawClient:
        assert party.client is not None, "not connected"
        return party.client

    async def _take(self, party: _Party) -> Any:
        """The next frame, whatever it is."""
        return await self._client(party).wait(lambda _: True, "the next frame")

    async def _in_any_order(self, party: _Party, patterns: list[Any]) -> None:
        frames = [await self._take(party) for _ in patterns]
        reasons = []
        for order in itertools.permutations(patterns):
            saved = dict(self._saved)
            try:
                for pattern, frame in zip(order, frames, strict=True):
                    match(pattern, frame, saved)
            except Mismatch as error:
                reasons.append(str(error))
                continue
            self._saved.update(saved)
            return
        raise Mismatch("; or ".join(reasons))

    _VERBS: ClassVar[dict[str, Callable[[Player, _Party, dict[str, Any]], Awaitable[None]]]] = {
        "connect": _connect,
        "login": _login,
        "enter": _enter,
        "cut": _cut,
        "close": _close,
        "closed": _closed,
        "send": _send,
        "send_text": _send_text,
        "get": _get,
        "get_all": _get_all,
        "nothing": _nothing,
        "call": _call,
        "receive": _receive,
    }
