"""Frames: what texts mean, what is no frame, and what answers look like (PROTOCOL §2-§7, §11)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalpost.wire import arguments, codec, frames
from signalpost.wire.arguments import name_text, text_of
from support.conversation import VECTORS

FRAMES = json.loads((VECTORS / "frames.json").read_text())

texts = st.text(st.characters(exclude_categories=["Cs"]))


def meaning(frame: frames.Frame) -> dict[str, Any]:
    """What the vectors say of a frame."""
    match frame:
        case frames.Login():
            members = msgspec.structs.asdict(frame.fields)
            return {"frame": "login"} | {name: value for name, value in members.items() if value is not None}
        case frames.LineLogin():
            return {"frame": "line_login"}
        case frames.SetFlag():
            return {"frame": "set_flag", "flags": frame.flags}
        case frames.Ping():
            return {"frame": "ping", "number": frame.number}
        case frames.Unreadable():
            return {"frame": "unreadable call", "id": frame.id}
        case frames.Call():
            body = frame.body
            return {"frame": "call2", "func": body.func, "id": body.id, "args": json.loads(bytes(body.args))}


def unfolded(text: str | bytes) -> Any:
    """A server's frame with the JSON texts in it parsed, so that spelling does not count."""
    frame = json.loads(text)
    match frame:
        case ["login_ret", [err, body]]:
            return ["login_ret", [err, json.loads(body)]]
        case ["call2-ret", [call_id, err, body]]:
            return ["call2-ret", [call_id, err, json.loads(body)]]
        case ["notify", ["recvmsg", item]]:
            return ["notify", ["recvmsg", json.loads(item)]]
    return frame


def build(told: dict[str, Any]) -> bytes:
    """The frame that a meaning asks for, made by the codec."""
    match told:
        case {"frame": "login_ret", "error": "", "body": body}:
            return codec.login_ok({name: body[name] for name in body if name not in ("result", "uid")})
        case {"frame": "login_ret", "error": reason, "body": body}:
            return codec.login_failed(reason, body["code"], retry=body.get("retry_ms", 0) / 1000)
        case {"frame": "call2-ret", "id": call_id, "body": {"result": "ok", **fields}}:
            return codec.call_ok(call_id, fields)
        case {"frame": "call2-ret", "id": call_id, "body": body}:
            return codec.call_answer(call_id, codec.failure_body(body["reason"], body["code"]))
        case {"frame": "announcement", "version": version}:
            return codec.announcement(version)
        case {"frame": "push", "version": version, "line": line}:
            return codec.push(version, line)
        case {"frame": "channel event", "channel": channel, "id": number, "line": line}:
            return codec.channel_event(channel, number, line)
        case {"frame": "pong", "number": number}:
            return codec.pong(number)
        case {"frame": "kick"}:
            return codec.kick()
        case {"frame": "close"}:
            return codec.close_frame()
        case {"frame": "error", "code": code, "reason": reason}:
            return codec.error(reason, code)
    raise AssertionError(told)


# --- from clients -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", FRAMES["client"], ids=lambda case: case["text"][:60])
def test_a_client_s_frame_means_what_the_vectors_say(case: dict[str, Any]) -> None:
    """PROTOCOL §2."""
    assert meaning(codec.decode_frame(case["text"].encode())) == case["meaning"]


@pytest.mark.parametrize("case", FRAMES["client_invalid"], ids=lambda case: repr(case["text"][:60]))
def test_what_is_no_frame_is_told_from_what_is_no_json(case: dict[str, Any]) -> None:
    """SPEC E5: the one brings an error, the other ends the connection."""
    expected = codec.NotJson if case["outcome"] == "close" else codec.Malformed
    with pytest.raises(expected) as raised:
        codec.decode_frame(case["text"].encode())
    assert str(raised.value)


DEPTH = 30_000  # brackets that fit into 64 KiB twice


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEPTH + "]" * DEPTH,
        "[" * 65_536,
        '["login",{"account":' + "[" * DEPTH + "]" * DEPTH + "}]",
        '["login",' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "]",
        '["call2",["f",1,' + "[" * DEPTH + "]" * DEPTH + "]]",
        '["call2",["f",1,{"a":"\\ud800","b":' + "[" * DEPTH + "]" * DEPTH + "}]]",
        '["set_flag",{"a":' + "[" * DEPTH + "]" * DEPTH + "}]",
        '["dance",' + "[" * DEPTH + "]" * DEPTH + "]",
    ],
    ids=lambda text: text[:40],
)
def test_depth_is_an_error_and_no_crash(text: str) -> None:
    """SPEC E5: 64 KiB hold 30 000 nested arrays."""
    with pytest.raises((codec.Malformed, codec.NotJson)):
        codec.decode_frame(text.encode())


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_a_frame_or_one_of_two_errors(data: bytes) -> None:
    """SPEC E5: nothing else comes out of the decoder."""
    try:
        codec.decode_frame(data)
    except (codec.NotJson, codec.Malformed):
        return


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    ),
    st.sampled_from(["login", "call2", "ping", "set_flag", "line_login", "dance"]),
)
def test_json_is_never_taken_for_something_else(argument: Any, name: str) -> None:
    """SPEC E5: a JSON text is a frame or malformed, lone surrogates in it or not."""
    for frame in ([name, argument], ["call2", [name, 1, argument]], argument):
        try:
            codec.decode_frame(json.dumps(frame).encode())
        except codec.Malformed:
            continue


# --- arguments --------------------------------------------------------------------------------


def decoded(type_: type[Any], text: str) -> Any:
    return codec.decode_args(msgspec.json.Decoder(type_), msgspec.Raw(text.encode()))


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ('"ada"', "ada"),
        ("7", "7"),
        ("-7", "-7"),
        ("7.0", "7"),
        ("1e3", "1000"),
        ("0.5", "0.5"),
        ('"7.0"', "7.0"),
    ],
)
def test_a_number_given_as_a_name_is_its_decimal_text(spelled: str, name: str) -> None:
    """SPEC §1."""
    assert name_text(decoded(arguments.AccountArgs, f'{{"account":{spelled}}}').account) == name


@pytest.mark.parametrize("spelled", ["null", "true", "[]", "{}", '["ada"]', "1e400"])
def test_what_can_be_no_name_is_malformed(spelled: str) -> None:
    """SPEC §1, E5."""
    with pytest.raises(codec.Malformed, match="account"):
        decoded(arguments.AccountArgs, f'{{"account":{spelled}}}')


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        ('"as it is"', "as it is"),
        ('""', ""),
        ("null", "null"),
        ("true", "true"),
        ("7", "7"),
        ("1.5", "1.5"),
        ("[ 1, 2 ]", "[1,2]"),
        ('{"b": 1, "a": "\\u00e9"}', '{"b":1,"a":"\u00e9"}'),
        ('{"nul": "\\u0000"}', '{"nul":"\\u0000"}'),
    ],
)
def test_contents_that_are_no_text_are_their_json_text(spelled: str, text: str) -> None:
    """SPEC §1: contents that are no text are sent as their JSON text."""
    assert text_of(decoded(arguments.SendArgs, f'{{"peer":"bo","content":{spelled}}}').content) == text


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (arguments.PollArgs, '{"ver_clear":"7"}'),
        (arguments.PollArgs, '{"ver_clear":1.5}'),
        (arguments.PollArgs, '{"ver_clear":null}'),
        (arguments.PollArgs, '{"max":true}'),
        (arguments.AckArgs, "{}"),
        (arguments.SendArgs, '{"peer":"bo"}'),
        (arguments.SendArgs, '{"content":"x"}'),
        (arguments.SendArgs, '{"peer":"bo","content":"x","line":7}'),
        (arguments.SendArgs, '{"peer":"bo","content":"x","rid":null}'),
        (arguments.SendArgs, '{"peer":"bo","content":"\\ud800"}'),
        (arguments.ChannelMessageArgs, '{"name":"room","msg":"x","force":1}'),
        (arguments.ChannelAttributeArgs, '{"name":"a","value":"b"}'),
        (arguments.CallArgs, '{"peer":"bo"}'),
        (arguments.Args, "null"),
        (arguments.Args, "[]"),
        (arguments.Args, "7"),
        (arguments.Args, '"text"'),
        (arguments.SendArgs, '{"peer":"bo","content":' + "[" * DEPTH + "]" * DEPTH + "}"),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else value.__name__,
)
def test_malformed_arguments_say_so(type_: type[Any], text: str) -> None:
    """SPEC E5: anything else bad gets an error."""
    with pytest.raises(codec.Malformed) as raised:
        decoded(type_, text)
    assert str(raised.value)


def test_unknown_members_are_ignored() -> None:
    """PROTOCOL §2: what the originals send besides is not looked at."""
    args = decoded(
        arguments.SendArgs, '{"peer":"bo","content":"x","flag":"v1:E:3600","t":"instant","new":[1]}'
    )
    assert (args.peer, args.content) == ("bo", "x")


# --- to clients -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FRAMES["server"], ids=lambda case: case["text"][:60])
def test_a_server_s_frame_is_made_as_the_vectors_say(case: dict[str, Any]) -> None:
    """PROTOCOL §3-§7."""
    assert unfolded(build(case["meaning"])) == unfolded(case["text"])


@given(reason=texts.filter(bool), code=st.integers(0, 2000))
def test_a_failure_has_a_reason_in_every_place_that_is_looked_at(reason: str, code: int) -> None:
    """PROTOCOL §5, §11.3: `reason` for Python, `data.result` for the web, and an empty error element."""
    name, (call_id, err, body) = json.loads(codec.call_answer(0, codec.failure_body(reason, code)))
    assert (name, call_id, err) == ("call2-ret", 0, "")
    assert json.loads(body) == {
        "result": "failed",
        "reason": reason,
        "code": code,
        "data": {"result": reason},
    }


@given(reason=texts.filter(bool), code=st.integers(0, 2000))
def test_a_refused_login_has_its_reason_first(reason: str, code: int) -> None:
    """PROTOCOL §4, §11.3: in the first element and in a body that is JSON."""
    name, (err, body) = json.loads(codec.login_failed(reason, code))
    assert (name, err) == ("login_ret", reason)
    assert json.loads(body) == {"result": "failed", "reason": reason, "code": code}


def test_a_login_s_answer_switches_no_mode_on() -> None:
    """PROTOCOL §11.4."""
    body = json.loads(json.loads(codec.login_ok({"line": "8d1bc8"}))[1][1])
    assert body == {"result": "ok", "uid": 0, "line": "8d1bc8"}


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_pong_echoes_the_number(number: float) -> None:
    """PROTOCOL §11.6: the ping's number, as a number."""
    frame = codec.decode_frame(json.dumps(["ping", number]).encode())
    assert isinstance(frame, frames.Ping)
    name, echoed = json.loads(codec.pong(frame.number))
    assert (name, echoed) == ("pong", number)


@given(call_id=st.integers() | texts, value=texts)
def test_an_answer_s_body_is_json_text(call_id: int | str, value: str) -> None:
    """PROTOCOL §11.3: a text that holds JSON, and the id as it came."""
    name, (echoed, err, body) = json.loads(codec.call_ok(call_id, {"value": value}))
    assert (name, echoed, err, json.loads(body)) == (
        "call2-ret",
        call_id,
        "",
        {"result": "ok", "value": value},
    )


@given(line=texts, version=st.integers(0, 2**53))
def test_a_push_holds_a_number_and_a_line(line: str, version: int) -> None:
    """PROTOCOL §6, §11.6: JSON text of [v, line], v a number."""
    name, (kind, item) = json.loads(codec.push(version, line))
    assert (name, kind, json.loads(item)) == ("notify", "recvmsg", [version, line])


@given(call_id=st.integers() | texts)
def test_the_answer_to_a_message_is_one_like_all_others(call_id: int | str) -> None:
    """PROTOCOL §12: made in a shorter way, it says what any answer would: `id`, the server's id."""
    made = unfolded(codec.sent_answer(call_id, "ab12-7"))
    assert made == unfolded(codec.call_ok(call_id, {"id": "ab12-7"}))


# --- large answers ----------------------------------------------------------------------------

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    attributes=st.dictionaries(_TEXTS, _TEXTS, max_size=5),
    members=st.lists(st.tuples(_TEXTS, st.just(0)), max_size=5).map(lambda some: some * 90),
    call_id=st.integers() | _TEXTS,
)
def test_an_answer_in_pieces_is_the_same_answer(
    attributes: dict[str, str], members: list[tuple[str, int]], call_id: int | str
) -> None:
    """PROTOCOL §5: whatever stands in it."""
    fields = {"list": members, "attrs": attributes, "epoch": "e", "id": 7}
    large = codec.Large(fields)
    assert b"".join(large.answer(call_id)) == codec.call_ok(call_id, fields)
    nested = codec.Large({"json": attributes}, nested=frozenset({"json"}))
    text = msgspec.json.encode(attributes).decode()
    assert b"".join(nested.answer(call_id)) == codec.call_ok(call_id, {"json": text})


@given(_TEXTS)
def test_a_text_takes_as_many_bytes_in_an_answer_as_it_is_said_to(text: str) -> None:
    """SPEC E5: what grows is counted as grown."""
    with_it, without = (codec.call_ok(1, {"msgs": [[1, one]]}) for one in (text, ""))
    assert codec.size_in_answer(text) - codec.size_in_answer("") == len(with_it) - len(without)
