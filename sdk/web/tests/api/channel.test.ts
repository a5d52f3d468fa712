/** ChannelView and Channel, method by method. */
import { describe, expect, test } from "vitest";
import { type Channel, type ChannelEvent, ChannelLeft, type Client, MessageError } from "../../src/index.js";
import { collect, failure, House, next, soon, take, until } from "./people.js";

async function both(): Promise<[Client, Client, Channel, Channel]> {
  const house = new House();
  const [ada, bo] = [await house.client("ada"), await house.client("bo")];
  const hers = await soon(ada.join("room"));
  return [ada, bo, hers, await soon(bo.join("room"))];
}

describe("ChannelView", () => {
  test("name: as it was given", async () => {
    expect((await new House().client("ada")).channel("room").name).toBe("room");
  });

  test("count: SPEC C12", async () => {
    const [ada] = await both();
    expect(await ada.channel("room").count()).toBe(2);
    expect(await ada.channel("nowhere").count()).toBe(0);
  });

  test("has: SPEC C12", async () => {
    const [ada] = await both();
    expect(await ada.channel("room").has("bo")).toBe(true);
    expect(await ada.channel("room").has("cy")).toBe(false);
  });

  test("latestMembers: SPEC C12, oldest first", async () => {
    const [ada] = await both();
    expect(await ada.channel("room").latestMembers()).toEqual(["ada", "bo"]);
  });

  test("allMembers: SPEC C12, all or the latest", async () => {
    const [ada] = await both();
    expect(await ada.channel("room").allMembers()).toEqual(["ada", "bo"]);
    expect(await ada.channel("room").allMembers(1)).toEqual(["bo"]);
  });

  test("set: SPEC C10, every member is told", async () => {
    const [ada, , hers, his] = await both();
    await ada.channel("room").set("topic", "tea");
    const event = { account: "ada", name: "topic", value: "tea", change: "update" };
    expect(await next(his, "attribute")).toMatchObject(event);
    expect(his.attributes["topic"]).toBe("tea");
    await until(() => hers.attributes["topic"] === "tea", "her own");
  });

  test("delete: SPEC C10", async () => {
    const [ada, , , his] = await both();
    await his.set("topic", "tea");
    await ada.channel("room").delete("topic");
    await until(() => !("topic" in his.attributes), "the deletion");
    const events = his.events();
    await take(events);
    expect(await take(events)).toMatchObject({ type: "attribute", name: "topic", change: "del" });
  });

  test("clear: SPEC C10, but what begins with an underscore", async () => {
    const [ada, , , his] = await both();
    await his.set("topic", "tea");
    await his.set("_channel_ttl", "60");
    const told = collect(his, "attribute");
    await ada.channel("room").clear();
    await until(() => told.length === 3, "the change");
    expect(told[2]?.[1]).toMatchObject({ change: "clear" });
    expect(his.attributes["topic"]).toBeUndefined();
    expect(his.attributes["_channel_ttl"]).toBe("60");
  });

  test("forceSend: SPEC C5, without being a member, also to nobody", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    const room = await soon(ada.join("room"));
    const id = await soon(bo.channel("room").forceSend("from outside"));
    expect(await next(room, "message")).toMatchObject({ sender: "bo", text: "from outside", id });
    expect(typeof (await soon(bo.channel("nowhere").forceSend("x")))).toBe("string");
  });
});

describe("Channel", () => {
  test("members: SPEC C1, C3, as new as the last event", async () => {
    const [ada, bo, hers, his] = await both();
    expect(his.members).toEqual(["ada", "bo"]);
    await next(hers, "joined");
    expect(hers.members).toEqual(["ada", "bo"]);
    await bo.logout();
    await next(hers, "left");
    expect(hers.members).toEqual([ada.account]);
  });

  test("attributes: SPEC C10, at the join, and a copy", async () => {
    const house = new House();
    const [ada, bo] = [await house.client("ada"), await house.client("bo")];
    const hers = await soon(ada.join("room"));
    await hers.set("topic", "tea");
    const his = await soon(bo.join("room"));
    expect(his.attributes["topic"]).toBe("tea");
    (his.attributes as Record<string, string>)["topic"] = "coffee";
    expect(his.attributes["topic"]).toBe("tea");
  });

  test("joined: until it is left", async () => {
    const [, , hers] = await both();
    expect(hers.joined).toBe(true);
    await hers.leave();
    expect(hers.joined).toBe(false);
  });

  test("on: SPEC §5, every event, also those that came before anybody listened", async () => {
    const [, bo, hers, his] = await both();
    await his.send("hello");
    await his.set("topic", "tea");
    await bo.logout();
    await until(() => hers.members.length === 1, "all that bo did");
    const told = collect(hers, "message", "joined", "left", "attribute", "closed");
    await until(() => told.length === 4, "four events");
    await hers.leave();
    expect(told.map(([type]) => type)).toEqual(["joined", "message", "attribute", "left", "closed"]);
    expect(told[0]?.[1]).toEqual({ type: "joined", account: "bo" });
    expect(told[3]?.[1]).toEqual({ type: "left", account: "bo" });
    expect(told[4]?.[1]).toEqual({ code: 602 });
  });

  test("events: SPEC §5, in order; it ends when this client leaves", async () => {
    const [, , hers, his] = await both();
    const found: ChannelEvent[] = [];
    const reading = (async () => {
      for await (const event of hers.events()) found.push(event);
    })();
    await his.send("one");
    await his.leave();
    await until(() => found.length === 3, "three events");
    await hers.leave();
    await soon(reading);
    expect(found.map(({ type }) => type)).toEqual(["joined", "message", "left"]);
  });

  test("events: SPEC C3, it rejects when the place is lost", async () => {
    const house = new House();
    const ada = await house.client("ada");
    const room = await soon(ada.join("room"));
    const waiting = failure(room.events().next());
    await house.client("ada");
    const error = await waiting;
    expect(error).toBeInstanceOf(ChannelLeft);
    expect(error.code).toBe(601);
    expect(await next(room, "closed")).toEqual({ code: 601 });
  });

  test("send: SPEC C4, to all, oneself included", async () => {
    const [, , hers, his] = await both();
    const id = await soon(hers.send("x".repeat(8192)));
    for (const room of [hers, his]) {
      const message = await next(room, "message");
      expect(message).toMatchObject({ type: "message", sender: "ada", id });
      expect(message.text).toHaveLength(8192);
      expect(Math.abs(Date.now() / 1000 - message.time)).toBeLessThan(60);
    }
    await hers.leave();
    const error = await failure(hers.send("from outside"));
    expect(error).toBeInstanceOf(MessageError);
    expect(error.code).toBe(400);
  });

  test("leave: SPEC C3, and again", async () => {
    const [ada, , hers] = await both();
    await soon(hers.leave());
    expect(await ada.channel("room").has("ada")).toBe(false);
    await soon(hers.leave());
    expect(await next(hers, "closed")).toEqual({ code: 602 });
  });
});
