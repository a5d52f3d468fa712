"""Each thing that a back end can ask, and how each of them is refused (SPEC A2)."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from signalpost.api.openapi import statuses
from signalpost.api.table import ROWS, Row
from support.api import KEYS, ApiServer, BackEnd, Told
from support.client import RawClient
from support.server import CONFIG
from support.waiting import until

# --- messages -----------------------------------------------------------------------------------


async def test_a_message_reaches_an_account_and_is_kept_for_one_that_is_away(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    bo = await server.client(f"bo-{n}")
    sent = await back.post("messages", {"from": "shop", "to": bo.account, "text": "ready"})
    _, line = await bo.pushed()
    assert (line.id, line.src, line.content) == (sent["id"], "shop", "ready")
    await back.post("messages", {"from": "shop", "to": f"away-{n}", "text": "later"})
    away = await server.client(f"away-{n}", polled=False)
    assert await away.take_all() == ["later"]


async def test_what_a_client_may_not_send_a_back_end_may_not_either(back: BackEnd, n: str) -> None:
    for message, code in (
        ({"from": "shop", "to": f"bo-{n}", "text": "é" * 4099}, 1005),
        ({"from": "shop", "to": f"bo-{n}", "text": "a\0b"}, 1004),
        ({"from": "shop", "to": "b o", "text": ""}, 1004),
        ({"from": "s hop", "to": f"bo-{n}", "text": ""}, 1004),
        ({"from": "shop", "to": "é" * 65, "text": ""}, 1005),
    ):
        told = await back.ask("POST", "messages", message)
        assert (told.status, told.code) == (400, code), message
    for channel in ("__agora_user_online", "__agora_channel_event", "__agora_x"):
        told = await back.ask("POST", f"channels/{channel}/messages", {"from": "shop", "text": "forged"})
        assert (told.status, told.code) == (400, 1004)
        told = await back.ask("PUT", f"channels/{channel}/attributes/a", {"value": "forged"})
        assert (told.status, told.code) == (400, 1004)


async def test_the_same_for_many_is_told_for_each(server: ApiServer, back: BackEnd, n: str) -> None:
    bo = await server.client(f"bo-{n}")
    receivers = [bo.account, "b o", f"away-{n}", bo.account]
    told = await back.post("messages/many", {"from": "shop", "to": receivers, "text": "hi"})
    assert told["sent"] == 2
    assert [result["to"] for result in told["results"]] == [bo.account, "b o", f"away-{n}"]
    assert told["results"][1]["code"] == 1004
    assert (await bo.pushed())[1].id == told["results"][0]["id"]


async def test_an_inbox_is_read_by_pages_and_cleared_of_messages_alone(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    bo = await server.client(f"bo-{n}", polled=False)
    for number in range(5):
        await back.post("messages", {"from": "shop", "to": bo.account, "text": str(number)})
    await back.post("calls", {"from": f"office-{n}", "to": bo.account})
    texts, cursor = [], ""
    while True:
        page = await back.get(f"accounts/{bo.account}/inbox", cursor=cursor, limit=2)
        texts += [item["text"] for item in page["items"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert texts[:5] == ["0", "1", "2", "3", "4"]
    assert len(texts) == 6
    assert await back.delete(f"accounts/{bo.account}/inbox") == {"messages": 5}
    assert [line.type for _, line in await bo.poll()] == ["voip_invite"]
    told = await back.ask("GET", f"accounts/{bo.account}/inbox", params={"cursor": "Zm9v"})
    assert (told.status, told.code) == (400, 1004)


async def test_what_a_back_end_sends_is_bounded_for_the_app_and_not_for_its_sender(directory: Path) -> None:
    """SPEC E6."""
    bounds = "[limits]\ninbox_messages = 4\nuntaken_messages = 1\napi_untaken_messages = 3\n"
    with ApiServer(directory, config=CONFIG + KEYS + bounds) as server:
        back = await server.back_end()
        for number in range(3):
            await back.post("messages", {"from": f"s{number}", "to": f"bo{number}", "text": ""})
        told = await back.ask("POST", "messages", {"from": "other", "to": "cy", "text": ""})
        assert (told.status, told.code) == (409, 400)
        assert "3 messages" in told.body["detail"]
        ada = await server.client("s0")
        await ada.ok("user_sendmsg", peer="bo0", t="instant", content="")  # it has sent nothing itself
        await back.delete("accounts/bo0/inbox")
        await back.post("messages", {"from": "s", "to": "bo1", "text": ""})
        await server.leave()


async def test_a_back_end_has_a_rate_of_messages_of_its_own(directory: Path) -> None:
    limits = "[limits]\nuser_messages = 1\napi_messages = 5\n"
    with ApiServer(directory, config=CONFIG + KEYS + limits) as server:
        back = await server.back_end()
        told = await back.post("messages/many", {"from": "s", "to": [f"b{n}" for n in range(9)], "text": ""})
        assert told["sent"] == 5
        assert "5 in any one second" in told["results"][-1]["reason"]
        answer = await back.ask("POST", "messages", {"from": "s", "to": "bo", "text": ""})
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, 400, "1")
        await server.leave()


# --- accounts -----------------------------------------------------------------------------------


async def test_accounts_are_seen_as_they_stand(server: ApiServer, back: BackEnd, n: str) -> None:
    bo, broken, away = await server.client(f"bo-{n}"), await server.client(f"cy-{n}"), f"away-{n}"
    await bo.ok("channel_join", name=f"room-{n}")
    await broken.cut()

    async def is_broken() -> bool:
        return not (await back.get(f"accounts/{broken.account}"))["connected"]

    await until(is_broken, "the break is noticed")
    assert await back.get(f"accounts/{bo.account}") == {
        "account": bo.account,
        "online": True,
        "connected": True,
        "channels": [f"room-{n}"],
        "waiting": 0,
        "blocked": None,
    }
    told = await back.post("presence", {"accounts": [away, broken.account, bo.account]})
    assert [(one["account"], one["online"], one["connected"]) for one in told["accounts"]] == [
        (away, False, False),
        (broken.account, True, False),
        (bo.account, True, True),
    ]
    told = await back.ask("POST", "presence", {"accounts": ["x"] * 1001})
    assert told.status == 400
    assert (await back.ask("POST", "presence", {"accounts": ["b o"]})).code == 1004


async def test_those_online_are_listed_by_pages(server: ApiServer, back: BackEnd, n: str) -> None:
    names = {(await server.client(f"on-{n}-{number}")).account for number in range(5)}
    found: list[str] = []
    page = await back.get("online", limit=2)
    found += [one["account"] for one in page["accounts"]]
    while page["cursor"]:
        page = await back.get("online", limit=2, cursor=page["cursor"])
        found += [one["account"] for one in page["accounts"]]
    assert names <= set(found)


async def test_a_kick_ends_a_session_with_103_and_says_whether_there_was_one(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    bo = await server.client(f"bo-{n}")
    watcher = await server.client(f"cy-{n}")
    await bo.ok("channel_join", name=f"room-{n}")
    await watcher.ok("channel_join", name=f"room-{n}")
    assert await back.post(f"accounts/{bo.account}/kick") == {"kicked": True}
    await bo.wait(lambda frame: frame[0] == "kick", "kick")
    assert (await bo.gone())[0] == 1000
    assert (await watcher.event(f"room-{n}"))[1].type == "channel_user_leave"
    assert await back.post(f"accounts/{bo.account}/kick") == {"kicked": False}
    assert not (await back.get(f"accounts/{bo.account}"))["online"]
    assert (await server.client(bo.account)).line


async def test_a_blocked_account_is_kept_out_for_its_time(server: ApiServer, back: BackEnd, n: str) -> None:
    bo = await server.client(f"bo-{n}")
    told = await back.put(f"accounts/{bo.account}/block", {"seconds": 60, "reason": "spam"})
    assert told["reason"] == "spam"
    await bo.wait(lambda frame: frame[0] == "kick", "kick")
    again = await server.open()
    err, body = await again.try_login(bo.account)
    assert "blocked: spam" in (err, body.get("reason")), (err, body)
    assert (await back.get(f"accounts/{bo.account}"))["blocked"] == told
    assert (await back.get("blocked"))["accounts"][bo.account] == told
    assert await back.delete(f"accounts/{bo.account}/block") == {"unblocked": True}
    assert await back.delete(f"accounts/{bo.account}/block") == {"unblocked": False}
    await server.client(bo.account)
    await back.put(f"accounts/{bo.account}/block", {"seconds": 0.2})

    async def is_free() -> bool:
        client = await server.open()
        err, _ = await client.try_login(bo.account)
        return not err

    await until(is_free, "the block is over")


async def test_revoked_tokens_are_refused_and_later_ones_are_not(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    old = (await back.post("tokens", {"account": f"bo-{n}", "seconds": 600}))["token"]
    bo = await server.client(f"bo-{n}", token=old)
    told = await back.post(f"accounts/{bo.account}/revoke", {"token_seconds": 600})
    assert told["kicked"] is True
    again = await server.open()
    err, body = await again.try_login(bo.account, token=old)
    assert "revoked" in str((err, body))
    new = (await back.post("tokens", {"account": bo.account, "seconds": 700}))["token"]
    await server.client(bo.account, token=new)


async def test_attributes_of_an_account_are_set_and_read(server: ApiServer, back: BackEnd, n: str) -> None:
    path = f"accounts/bo-{n}/attributes"
    assert await back.get(path) == {"attributes": {}}
    assert await back.get(f"{path}/mood") == {"value": ""}
    await back.put(f"{path}/mood", {"value": "good"})
    await back.put(f"{path}/{quote('a b/c', safe='')}", {"value": "x"})
    assert await back.get(path) == {"attributes": {"mood": "good", "a b/c": "x"}}
    bo = await server.client(f"bo-{n}")
    assert (await bo.ok("user_get_attr", account=bo.account, name="mood"))["value"] == "good"
    told = await back.ask("PUT", f"{path}/_conn_timeout", {"value": "soon"})
    assert (told.status, told.code) == (400, 1004)
    for number in range(98):
        await back.put(f"{path}/n{number}", {"value": ""})
    told = await back.ask("PUT", f"{path}/one-more", {"value": ""})
    assert (told.status, told.code) == (409, 1001)


async def test_a_grace_time_that_is_set_is_in_force_at_once(server: ApiServer, back: BackEnd, n: str) -> None:
    """SPEC L11: also for the session that is there."""
    bo = await server.client(f"bo-{n}")
    await back.put(f"accounts/{bo.account}/attributes/_conn_timeout", {"value": "20"})
    await bo.ok("channel_join", name=f"room-{n}")  # what its node knows of the session is what is stored


# --- channels -----------------------------------------------------------------------------------


async def test_channels_are_listed_and_seen(server: ApiServer, back: BackEnd, n: str) -> None:
    names = {f"room-{n}-{number}/x" for number in range(3)}
    for number, name in enumerate(sorted(names)):
        client = await server.client(f"bo-{n}-{number}")
        await client.ok("channel_join", name=name)
    await client.ok("channel_join", name="__agora_user_online")
    await client.ok("channel_set_attr", channel=name, name="topic", value="v")
    found: dict[str, int] = {}
    page = await back.get("channels", limit=2)
    found |= {one["channel"]: one["members"] for one in page["channels"]}
    while page["cursor"]:
        page = await back.get("channels", limit=2, cursor=page["cursor"])
        found |= {one["channel"]: one["members"] for one in page["channels"]}
    assert {each: found.get(each) for each in names} == dict.fromkeys(names, 1)
    assert "__agora_user_online" not in found
    seen = await back.get(f"channels/{quote(name, safe='')}")
    assert seen == {"channel": name, "members": 1, "attributes": {"topic": "v"}}
    assert (await back.ask("GET", f"channels/none-{n}")).status == 404
    assert (await back.ask("GET", "channels/__agora_user_online")).code == 1004


async def test_all_members_are_listed_by_pages(server: ApiServer, back: BackEnd, n: str) -> None:
    names = [f"m{number}-{n}" for number in range(5)]
    for name in names:
        await (await server.client(name)).ok("channel_join", name=f"room-{n}")
    first = await back.get(f"channels/room-{n}/members", limit=3)
    assert (first["total"], first["members"]) == (5, names[:3])
    second = await back.get(f"channels/room-{n}/members", limit=3, cursor=first["cursor"])
    assert (second["members"], second["cursor"]) == (names[3:], "")
    assert await back.get(f"channels/none-{n}/members") == {"total": 0, "members": [], "cursor": ""}


async def test_what_is_said_in_a_channel_all_members_hear(server: ApiServer, back: BackEnd, n: str) -> None:
    bo = await server.client(f"bo-{n}")
    await bo.ok("channel_join", name=f"room-{n}")
    sent = await back.post(f"channels/room-{n}/messages", {"from": "desk", "text": "hello"})
    _, line = await bo.event(f"room-{n}")
    assert (line.src, line.json["msg"], line.id) == ("desk", "hello", sent["id"])
    assert (await back.post(f"channels/none-{n}/messages", {"from": "desk", "text": "hello"}))["id"]
    told = await back.ask("POST", f"channels/room-{n}/messages", {"from": "desk", "text": "é" * 4097})
    assert (told.status, told.code) == (400, 1005)


async def test_a_member_that_is_put_out_hears_so_and_nothing_more(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    """SPEC C3: 601."""
    bo, cy = await server.client(f"bo-{n}"), await server.client(f"cy-{n}")
    for client in (bo, cy):
        await client.ok("channel_join", name=f"room-{n}")
    await bo.event(f"room-{n}")
    await back.delete(f"channels/room-{n}/members/{bo.account}")
    for client in (bo, cy):
        _, line = await client.event(f"room-{n}")
        assert (line.type, line.json["account"]) == ("channel_user_leave", bo.account)
    await back.post(f"channels/room-{n}/messages", {"from": "desk", "text": "gone?"})
    await cy.event(f"room-{n}")
    await bo.quiet()
    await bo.refused("channel_sendmsg", 400, name=f"room-{n}", msg="still here")
    assert (await back.get(f"accounts/{bo.account}"))["channels"] == []
    assert (await back.ask("DELETE", f"channels/room-{n}/members/{bo.account}")).status == 404
    await bo.ok("channel_join", name=f"room-{n}")
    assert (await cy.event(f"room-{n}"))[1].type == "channel_user_join"


async def test_who_is_put_out_of_a_channel_that_tells_no_leaves_hears_it_all_the_same(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    bo, cy = await server.client(f"bo-{n}"), await server.client(f"cy-{n}")
    await bo.ok("channel_set_attr", channel=f"room-{n}", name="_userNotification", value="0")
    for client in (bo, cy):
        await client.ok("channel_join", name=f"room-{n}")
    await back.delete(f"channels/room-{n}/members/{bo.account}")
    assert (await bo.event(f"room-{n}"))[1].type == "channel_user_leave"
    await cy.quiet()


async def test_a_channel_is_closed_with_all_that_was_in_it(server: ApiServer, back: BackEnd, n: str) -> None:
    clients = [await server.client(f"m{number}-{n}") for number in range(3)]
    for client in clients:
        await client.ok("channel_join", name=f"room-{n}")
    await back.put(f"channels/room-{n}/attributes/topic", {"value": "v"})
    assert await back.delete(f"channels/room-{n}") == {"members": 3}
    assert (await back.ask("GET", f"channels/room-{n}")).status == 404
    assert await back.get(f"channels/room-{n}/attributes") == {"attributes": {}}
    for client in clients:
        await client.refused("channel_sendmsg", 400, name=f"room-{n}", msg="still here")
    assert await back.delete(f"channels/none-{n}") == {"members": 0}


async def test_attributes_of_a_channel_are_set_deleted_and_cleared(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    bo = await server.client(f"bo-{n}")
    await bo.ok("channel_join", name=f"room-{n}")
    path = f"channels/room-{n}/attributes"
    for name in ("a", "b", "_keep"):
        await back.put(f"{path}/{name}", {"value": "1"})
        _, line = await bo.event(f"room-{n}")
        assert (line.json["account"], line.json["name"], line.json["type"]) == ("", name, "update")
    assert await back.get(f"{path}/a") == {"value": "1"}
    await back.delete(f"{path}/a")
    assert (await bo.event(f"room-{n}"))[1].json["type"] == "del"
    assert (await back.ask("GET", f"{path}/a")).status == 404
    await back.delete(path)
    assert (await bo.event(f"room-{n}"))[1].json["type"] == "clear"
    assert await back.get(path) == {"attributes": {"_keep": "1"}}
    told = await back.ask("PUT", f"{path}/_member_num", {"value": "7"})
    assert (told.status, told.code) == (400, 1004)
    for number in range(99):
        await back.put(f"{path}/n{number}", {"value": ""})
    told = await back.ask("PUT", f"{path}/one-more", {"value": ""})
    assert (told.status, told.code) == (409, 1001)


# --- calls --------------------------------------------------------------------------------------


async def ring(client: RawClient) -> dict[str, object]:
    _, line = await client.pushed()
    assert line.type == "voip_invite"
    body: dict[str, object] = line.json
    return body


async def test_a_call_in_the_name_of_who_is_away_rings_and_is_ended(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    bo = await server.client(f"bo-{n}")
    call = await back.post("calls", {"from": f"office-{n}", "to": bo.account, "extra": '{"x":1}'})
    assert (call["from"], call["to"], call["extra"]) == (f"office-{n}", bo.account, '{"x":1}')
    assert (await ring(bo))["channel"] == call["channel"]
    peer = {"channelName": call["channel"], "peer": f"office-{n}", "extra": ""}
    await bo.ok("voip_invite_ack", **peer)
    assert (await back.get(f"calls/{call['id']}"))["state"] == "ringing"
    await bo.ok("voip_invite_accept", **peer)
    assert [each["state"] for each in (await back.get("calls", account=bo.account))["calls"]] == ["accepted"]
    office = await server.client(f"office-{n}", polled=False)  # whoever logs in later has no part in it
    assert (await back.get(f"calls/{call['id']}"))["state"] == "accepted"
    assert await office.take_all() == []
    await back.post(f"calls/{call['id']}/end", {"extra": "bye"})
    _, line = await bo.pushed()
    assert (line.type, line.json["extra"]) == ("voip_invite_bye", "bye")
    assert (await back.ask("GET", f"calls/{call['id']}")).status == 404
    assert (await back.ask("POST", f"calls/{call['id']}/end", {})).status == 404
    assert (await back.get("calls", account=bo.account))["calls"] == []


async def test_a_call_in_the_name_of_who_is_there_is_his(server: ApiServer, back: BackEnd, n: str) -> None:
    ada, bo = await server.client(f"ada-{n}"), await server.client(f"bo-{n}")
    call = await back.post("calls", {"from": ada.account, "to": bo.account, "channel": f"room-{n}"})
    await ring(bo)
    await bo.ok("voip_invite_accept", channelName=f"room-{n}", peer=ada.account, extra="")
    assert (await ada.pushed())[1].type == "voip_invite_accept"
    listed = {each["id"] for each in (await back.get("calls", limit=1000))["calls"]}
    assert call["id"] in listed
    await back.post(f"calls/{call['id']}/end", {})
    for client in (ada, bo):
        assert (await client.pushed())[1].type == "voip_invite_bye"


async def test_a_call_that_cannot_be_is_refused_with_the_code_of_a_client(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    bo = await server.client(f"bo-{n}")
    call = {"from": f"office-{n}", "to": bo.account, "channel": f"room-{n}"}
    await back.post("calls", call)
    for change, status, code in (
        ({}, 409, 701),
        ({"to": f"away-{n}", "extra": '{"_require_peer_online":1}'}, 409, 703),
        ({"to": "+4930123456", "extra": '{"srcNum":"+4930"}'}, 409, 705),
        ({"to": f"office-{n}"}, 400, 1004),
        ({"to": f"x-{n}", "extra": "{"}, 400, 1004),
        ({"to": f"x-{n}", "extra": json.dumps({"x": "é" * 4096}, ensure_ascii=False)}, 400, 1005),
        ({"from": "o ffice"}, 400, 1004),
    ):
        told = await back.ask("POST", "calls", call | change)
        assert (told.status, told.code) == (status, code), (change, told)
    assert (await back.ask("GET", "calls", params={"account": "b o"})).code == 1004


# --- tokens, batches ----------------------------------------------------------------------------


async def test_a_token_lets_its_account_in(server: ApiServer, back: BackEnd, n: str) -> None:
    made = await back.post("tokens", {"account": f"bo-{n}", "seconds": 60})
    assert made["token"].split(":")[2] == str(made["expires"])
    await server.client(f"bo-{n}", token=made["token"])
    assert (await back.ask("POST", "tokens", {"account": "b o"})).code == 1004


async def test_a_batch_is_done_in_its_order_and_told_for_each(
    server: ApiServer, back: BackEnd, n: str
) -> None:
    send = {"method": "POST", "path": "/messages"}
    told = await back.post(
        "batch",
        {
            "requests": [
                {**send, "body": {"from": "shop", "to": f"bo-{n}", "text": "1"}},
                {**send, "body": {"from": "shop", "to": "b o", "text": "2"}},
                {**send, "body": {"from": "shop", "to": f"bo-{n}", "text": "3"}, "idempotency_key": f"k-{n}"},
                {**send, "body": {"from": "shop", "to": f"bo-{n}", "text": "3"}, "idempotency_key": f"k-{n}"},
                {"method": "GET", "path": f"/accounts/bo-{n}/inbox?limit=10"},
                {"method": "PUT", "path": f"/accounts/bo-{n}/attributes/a", "body": {"value": "b"}},
                {"method": "POST", "path": "/batch", "body": {"requests": [{"method": "GET", "path": "/x"}]}},
                {"method": "GET", "path": "/nowhere"},
                {"method": "GET", "path": "/../../info"},
            ]
        },
    )
    answers = told["answers"]
    assert [each["status"] for each in answers] == [200, 400, 200, 200, 200, 204, 400, 404, 404]
    assert [item["text"] for item in answers[4]["body"]["items"]] == ["1", "3"]
    assert answers[5]["body"] is None
    assert (await back.ask("POST", "batch", {"requests": []})).status == 400


# --- operators ----------------------------------------------------------------------------------


async def test_an_operator_sees_what_runs_and_for_whom(server: ApiServer) -> None:
    operator = await server.back_end("op")
    info = await operator.get("/v1/info")
    assert (info["ready"], info["status"]) == (True, "ok")
    apps = await operator.get("/v1/apps")
    assert apps == {"apps": [{"app": "app", "tokens": True}, {"app": "other", "tokens": True}]}
    await server.leave()


# --- what all have in common --------------------------------------------------------------------

NAMES = {
    "webhook": "nobody",
    "app": "app",
    "account": "somebody",
    "channel": "somewhere",
    "name": "something",
    "call": "no-call",
}


def path_of(row: Row, **names: str) -> str:
    return row.path.format_map(NAMES | names)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_every_row_refuses_who_may_not_ask_it(server: ApiServer, row: Row) -> None:
    """SPEC A1: no key, a wrong one, one of another app, one without the scope."""
    body = {} if row.body else None

    async def asked(id: str, path: str = path_of(row), **options: str) -> Told:
        return await (await server.back_end(id, **options)).ask(row.method, path, body)

    try:
        for told in (await asked(""), await asked("back", secret="x" * 32), await asked("nobody")):
            assert told.status == 401
            assert told.headers["www-authenticate"].startswith("Bearer")
        if row.of_app:
            assert (await asked("back", path_of(row, app="other"))).status == 403
            assert (await asked("op", path_of(row, app="none"))).status == 404
        else:
            assert (await asked("back")).status == 403
        if row.scope is not None:
            lacking = "sender" if row.scope.value == "read" else "reader"
            assert (await asked(lacking)).status == 403
    finally:
        await server.leave()


@pytest.mark.parametrize("row", [row for row in ROWS if row.body], ids=lambda row: row.name)
async def test_every_row_refuses_what_is_no_such_body(server: ApiServer, row: Row) -> None:
    operator = await server.back_end("op")
    path = path_of(row)
    kind = {"Content-Type": "application/json"}
    try:
        for content in (b"", b"{", b"[]", b"null", b"\xff", b'{"unknown": 1}', b"[" * 100_000):
            told = await operator.ask(row.method, path, content=content, headers=kind)
            assert (told.status, told.code) == (400, 1004), content
        told = await operator.ask(row.method, path, content=b"{}", headers={"Content-Type": "text/plain"})
        assert told.status == 415
        told = await operator.ask(row.method, path, content=b" " * (4 * 1024 * 1024 + 1), headers=kind)
        assert told.status == 413
    finally:
        await server.leave()


@pytest.mark.parametrize("row", [row for row in ROWS if row.query], ids=lambda row: row.name)
async def test_every_row_refuses_what_is_no_such_query(server: ApiServer, row: Row) -> None:
    operator = await server.back_end("op")
    try:
        for query in ("limit=0", "limit=x", "limit=1&limit=2", "unknown=1", "cursor=%ff", "cursor=!", "&&"):
            told = await operator.ask(row.method, f"{path_of(row)}?{query}")
            assert (told.status, told.code) == (400, 1004), query
    finally:
        await server.leave()


async def test_what_is_nowhere_and_what_is_asked_otherwise(server: ApiServer, back: BackEnd) -> None:
    assert (await back.ask("GET", "/v1")).status == 404
    assert (await back.ask("GET", "/")).status == 404
    assert (await back.ask("GET", "/v1/apps/app/accounts//inbox")).status == 404
    told = await back.ask("PATCH", "messages")
    assert (told.status, told.headers["allow"]) == (405, "POST")
    assert (await back.ask("GET", "/v1/apps/app/accounts/%ff")).code == 1004
    assert (await back.ask("GET", "/v1/apps/app/accounts/a%20b")).code == 1004


def test_every_row_says_what_it_may_answer() -> None:
    for row in ROWS:
        told = statuses(row)
        assert {400, 401, 403, 429, 503} <= told.keys()
        assert (204 in told) != (200 in told)
