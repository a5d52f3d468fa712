import { afterEach, describe, expect, test, vi } from "vitest";

import type { MediaEvents } from "../src/call/media.js";
import { split, type Signal } from "../src/call/pieces.js";
import { Person } from "../src/person.js";
import { talkOf } from "../src/state/state.js";
import { FakeCall, FakeWorld } from "./support/fake.js";

/** Microphone, camera and connection as Person sees them; it keeps what was asked of it. */
class FakeMedia {
  readonly asked: string[] = [];
  readonly taken: Signal[] = [];
  readonly events: MediaEvents;
  hint = "";
  microphone = true;
  camera = true;

  constructor(events: MediaEvents) {
    this.events = events;
  }

  prepare(video: boolean): Promise<void> {
    this.asked.push(video ? "prepare video" : "prepare");
    return Promise.resolve();
  }

  offer(): Promise<void> {
    this.asked.push("offer");
    this.events.signal("offer", "o".repeat(9000));
    return Promise.resolve();
  }

  answer(): Promise<void> {
    this.asked.push("answer");
    return Promise.resolve();
  }

  take(signal: Signal): Promise<void> {
    this.taken.push(signal);
    return Promise.resolve();
  }

  unmute(): void {
    this.asked.push("unmute");
  }

  close(): void {
    this.asked.push("close");
  }
}

interface Someone {
  readonly person: Person;
  readonly media: FakeMedia[]; // of its calls, in their order
  readonly heard: string[];
}

const inside: Person[] = [];

afterEach(async () => {
  for (const person of inside.splice(0)) await person.leave();
});

async function come(world: FakeWorld, account: string): Promise<Someone> {
  const media: FakeMedia[] = [];
  const heard: string[] = [];
  const person = new Person(
    { url: "ws://nowhere/", appId: "demo", account, token: "x" },
    {
      connect: world.connect,
      media: (_, events) => {
        const made = new FakeMedia(events);
        media.push(made);
        return made as never;
      },
      frame: () => undefined,
      heard: (what, keys) => heard.push(`${what}${keys}`),
      soon: queueMicrotask,
    },
  );
  await person.enter();
  inside.push(person);
  return { person, media, heard };
}

/** The first call of a person. */
const callOf = ({ person }: Someone): Person["store"]["state"]["calls"][number] | undefined =>
  person.store.state.calls[0];

describe("messages", () => {
  test("that fail can be sent again", async () => {
    const world = new FakeWorld();
    const { person } = await come(world, "ada");
    const client = world.clients.get("ada");
    if (client !== undefined) client.failing = true;
    await person.say("@bo", "hi");
    const [line] = talkOf(person.store.state, "@bo").lines;
    expect(line).toMatchObject({ text: "hi", fate: "failed" });
    if (client !== undefined) client.failing = false;
    await person.sayAgain("@bo", line?.key ?? "");
    expect(talkOf(person.store.state, "@bo").lines.map(({ fate }) => fate)).toEqual(["sent"]);
  });

  test("to the room are shown once to who wrote them, in one order to all", async () => {
    const world = new FakeWorld();
    const [ada, bo] = [await come(world, "ada"), await come(world, "bo")];
    await Promise.all([ada.person.say("#lobby", "one"), ada.person.say("#lobby", "one")]);
    const texts = ({ person }: Someone): string[] =>
      talkOf(person.store.state, "#lobby")
        .lines.filter(({ kind }) => kind === "said")
        .map(({ text }) => text);
    await vi.waitFor(() => {
      expect([texts(ada), texts(bo)]).toEqual([
        ["one", "one"],
        ["one", "one"],
      ]);
    });
  });
});

describe("rooms", () => {
  test("a line whose answer was lost is sent when the room has heard it", async () => {
    const world = new FakeWorld();
    const { person } = await come(world, "ada");
    world.losing = true;
    await person.say("#lobby", "heard");
    await vi.waitFor(() => {
      const said = talkOf(person.store.state, "#lobby").lines.filter(({ kind }) => kind === "said");
      expect(said.map(({ text, fate }) => [text, fate])).toEqual([["heard", "sent"]]);
    });
  });

  test("who asks for two at once is in the second", async () => {
    const world = new FakeWorld();
    const { person } = await come(world, "ada");
    await Promise.all([person.goTo("garden"), person.goTo("kitchen")]);
    expect(person.store.state.room).toMatchObject({ name: "kitchen", joined: true, members: ["ada"] });
    expect(world.room("garden").members).toEqual([]);
  });
});

describe("calls", () => {
  test("go from the invitation over the offer to the end", async () => {
    const world = new FakeWorld();
    const [ada, bo] = [await come(world, "ada"), await come(world, "bo")];
    await ada.person.call("bo", true);
    expect(ada.media[0]?.asked).toEqual(["prepare video"]);
    await vi.waitFor(() => {
      expect(bo.media[0]?.taken).toEqual([
        { call: expect.any(String) as string, kind: "offer", body: "o".repeat(9000) },
      ]);
    });
    expect(bo.media[0]?.asked).toEqual([]); // nothing is open before the answer
    await bo.person.accept(callOf(bo)?.id ?? 0);
    expect(bo.media[0]?.asked).toEqual(["prepare video", "unmute", "answer"]);
    await vi.waitFor(() => {
      expect(ada.media[0]?.asked).toEqual(["prepare video", "offer", "unmute"]);
    });
    await bo.person.press(callOf(bo)?.id ?? 0, "5");
    await vi.waitFor(() => {
      expect([callOf(ada)?.pressed, ada.heard]).toEqual(["5", ["keys5"]]);
    });
    ada.person.hangUp(callOf(ada)?.id ?? 0);
    await vi.waitFor(() => {
      expect(
        [ada, bo].map(({ person, media }) => [person.store.state.calls, media[0]?.asked.at(-1)]),
      ).toEqual([
        [[], "close"],
        [[], "close"],
      ]);
    });
  });

  test("take no signals from strangers, nor for other calls", async () => {
    const world = new FakeWorld();
    const [ada, bo, mallory] = [
      await come(world, "ada"),
      await come(world, "bo"),
      await come(world, "mallory"),
    ];
    await ada.person.call("bo", false);
    await vi.waitFor(() => {
      expect(bo.media[0]?.taken).toHaveLength(1);
    });
    const call = bo.media[0]?.taken[0]?.call ?? "";
    const [forged = ""] = split({ call, kind: "candidates", body: "[]" }, "f1");
    await world.clients.get("mallory")?.send("bo", forged);
    const [other = ""] = split({ call: "another", kind: "candidates", body: "[]" }, "f2");
    await world.clients.get("ada")?.send("bo", other);
    await world.clients.get("ada")?.send("bo", "done");
    await vi.waitFor(() => {
      expect(talkOf(bo.person.store.state, "@ada").lines.map(({ text }) => text)).toContain("done");
    });
    expect(bo.media[0]?.taken).toHaveLength(1);
    expect(talkOf(bo.person.store.state, `@${mallory.person.store.state.me}`).lines).toEqual([]);
  });

  test("remember nothing of who does not call", async () => {
    const world = new FakeWorld();
    const [ada, bo] = [await come(world, "ada"), await come(world, "bo")];
    const probe = (await world.clients.get("ada")?.send("bo", "hi")) ?? "";
    const name = `made-${Number(probe.slice(1)) + 2}`; // of the call: the part before it has a number, too
    const [first = "", second = ""] = split(
      { call: name, kind: "candidates", body: JSON.stringify(["x".repeat(9000)]) },
      "f3",
    );
    await world.clients.get("ada")?.send("bo", first);
    await ada.person.call("bo", false);
    await vi.waitFor(() => {
      expect(bo.media[0]?.taken).toHaveLength(1);
    });
    expect(bo.media[0]?.taken[0]?.call).toBe(name);
    await world.clients.get("ada")?.send("bo", second);
    await world.clients.get("ada")?.send("bo", "done");
    await vi.waitFor(() => {
      expect(talkOf(bo.person.store.state, "@ada").lines.map(({ text }) => text)).toContain("done");
    });
    expect(bo.media[0]?.taken).toHaveLength(1);
  });

  test("ring eight at a time; more are refused, and missed", async () => {
    const world = new FakeWorld();
    const bo = await come(world, "bo");
    const callers: Someone[] = [];
    for (let at = 0; at < 9; at += 1) callers.push(await come(world, `caller-${at}`));
    for (const { person } of callers) await person.call("bo", false);
    await vi.waitFor(() => {
      expect(callers.map((one) => callOf(one)?.ending ?? null)).toEqual([
        ...new Array<null>(8).fill(null),
        "busy",
      ]);
    });
    expect(bo.person.store.state.calls).toHaveLength(8);
    expect(bo.media).toHaveLength(8);
    expect(talkOf(bo.person.store.state, "@caller-8").lines).toMatchObject([
      { kind: "missed", text: "Missed call" },
    ]);
  });

  test("are refused eight at a time when many ring; the others end by themselves", async () => {
    const world = new FakeWorld();
    const bo = await come(world, "bo");
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const calls = Array.from({ length: 20 }, (_, at) => {
      const there = new FakeCall("bo", `c${at}`, "{}", false);
      const here = new FakeCall(`p${at}`, `c${at}`, "{}", true);
      [here.other, there.other, here.refusing] = [there, here, answered];
      return here;
    });
    const client = world.clients.get("bo");
    for (const call of calls) client?.emit("invite", call);
    const over = (): number => calls.filter(({ state }) => state === "over").length;
    await vi.waitFor(() => {
      expect(talkOf(bo.person.store.state, "@p19").lines).toMatchObject([{ kind: "missed" }]);
    });
    answer();
    await vi.waitFor(() => {
      expect(over()).toBe(8);
    });
    client?.emit("invite", new FakeCall("late", "c", "{}", true));
    await vi.waitFor(() => {
      expect(talkOf(bo.person.store.state, "@late").lines).toMatchObject([{ kind: "missed" }]);
    });
    expect(over()).toBe(8);
  });

  test("that are accepted end the one that one is in", async () => {
    const world = new FakeWorld();
    const [ada, bo, cleo] = [await come(world, "ada"), await come(world, "bo"), await come(world, "cleo")];
    await ada.person.call("bo", false);
    await cleo.person.call("bo", false);
    await vi.waitFor(() => {
      expect(bo.person.store.state.calls).toHaveLength(2);
    });
    const [first, second] = bo.person.store.state.calls;
    await bo.person.accept(first?.id ?? 0);
    await bo.person.accept(second?.id ?? 0);
    await vi.waitFor(() => {
      expect(ada.person.store.state.calls).toEqual([]);
    });
    expect(bo.person.store.state.calls.map(({ peer, stage }) => [peer, stage])).toEqual([
      ["cleo", "accepted"],
    ]);
  });

  test("to who is away end at once, and nothing stays open", async () => {
    const { person, media } = await come(new FakeWorld(), "ada");
    await person.call("bo", true);
    expect(person.store.state.calls.map(({ ending }) => ending)).toEqual(["offline"]);
    expect(media[0]?.asked.at(-1)).toBe("close");
    expect(person.mediaOf(person.store.state.calls[0]?.id ?? 0)).toBeNull();
  });
});

test("What was missed, and what is nobody's fault, is said in the room", async () => {
  const world = new FakeWorld();
  const { person } = await come(world, "ada");
  world.clients
    .get("ada")
    ?.emit("problem", { name: "invite_received", code: 1000, reason: "missed calls: 2" });
  for (const count of [1, 5]) world.tell("lobby", "lost", { count });
  await vi.waitFor(() => {
    expect(talkOf(person.store.state, "#lobby").lines.map(({ kind, text }) => [kind, text])).toEqual([
      ["note", "Missed calls: 2"],
      ["note", "One event was missed"],
      ["note", "5 events were missed"],
    ]);
  });
});
