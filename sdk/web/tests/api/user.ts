/** A user's program: compiled against the package as it is published, never run. */
import {
  type Call,
  type CallState,
  type Channel,
  type ChannelEvent,
  Client as ClientClass,
  type Client,
  Code,
  connect,
  type End,
  LoginError,
  type Message,
  type Outcome,
  SignalpostError,
  type Status,
  weChatSocket,
} from "../../src/index.js";

/** Something is done with these. */
function use(...values: unknown[]): void {
  values.pop();
}

export async function run(signal: AbortSignal | undefined): Promise<void> {
  let me: Client;
  try {
    me = await connect({
      url: "ws://127.0.0.1:8080/",
      appId: "demo",
      account: "ada",
      token: async () => Promise.resolve("any"),
      retries: Infinity,
      signal, // undefined is as good as none
      observe: (direction: "in" | "out", text: string) => {
        text.padStart(direction.length);
      },
    });
  } catch (error) {
    if (error instanceof LoginError && error.code === Code.LOGIN_E_TOKENEXPIRED) return;
    throw error;
  }

  const off: () => void = me.on("message", async ({ sender, text, id, time }) => {
    const line = `${sender} ${text} ${id}` satisfies string;
    const when: Date = new Date(time * 1000);
    await me.send(sender, `${line} ${when.toISOString()}`, { signal });
  });
  off();
  me.on("status", (status) => {
    const known: 0 | 1 | 2 | 3 = status;
    const same: Status = known;
    use(same);
  });
  me.on("loggedOut", ({ code, reason }) => {
    const known: Code = code;
    use(known, reason.length);
  });
  // @ts-expect-error there is no such event
  me.on("mesage", () => undefined);
  me.on("reconnected", (event) => {
    // @ts-expect-error there is no such field
    use(event.resummed);
  });
  // @ts-expect-error an account is a text
  await me.send(5, "x");
  // @ts-expect-error a client is made by `connect`
  new ClientClass();
  // @ts-expect-error nobody sets the status
  me.status = 2;

  for await (const message of me.messages({ signal })) {
    const one: Message = message;
    // @ts-expect-error messages do not change
    one.text = "";
    break;
  }

  const room: Channel = await me.join("room");
  for await (const event of room.events()) handle(event);
  const members: readonly string[] = room.members;
  // @ts-expect-error the list is the channel's
  room.members[0] = "bo";
  const topic: string | undefined = room.attributes["topic"];
  use(members, topic);

  const call: Call = await me.invite("bo", { extra: { video: true }, ringSeconds: 20, signal });
  const state: CallState = call.state;
  const outcome: Outcome = await call.answered({ seconds: 5 });
  if (outcome.type === "ended") use(outcome.byPeer);
  // @ts-expect-error an accepted call was not ended by anybody
  else use(outcome.byPeer);
  const end: End = await call.ended();
  switch (end.type) {
    case "failed":
      use(end.code satisfies Code);
      break;
    case "refused":
    case "ended":
      use(end.extra.length);
  }
  use(state);

  try {
    await me.attributes.set("mood", "fine");
    // @ts-expect-error others' attributes are to be read
    use(me.attributesOf("bo").set);
  } catch (error) {
    if (error instanceof SignalpostError) use(error.code satisfies Code);
  }
  await me.logout();
}

function handle(event: ChannelEvent): string {
  switch (event.type) {
    case "message":
      return event.text;
    case "joined":
    case "left":
      return event.account;
    case "attribute":
      return event.change === "update" ? event.value : event.change;
    case "lost":
      return String(event.count);
  }
}

export function inWeChat(wx: Parameters<typeof weChatSocket>[0]): Promise<Client> {
  return connect({ url: "wss://host/", appId: "a", account: "b", token: "c", webSocket: weChatSocket(wx) });
}
