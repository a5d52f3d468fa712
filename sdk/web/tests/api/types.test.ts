/** What the types say; `tsc`, which is part of the checks, holds them to it. */
import { WebSocket as Ws } from "ws";
import { expectTypeOf, test } from "vitest";
import type {
  Attributes,
  Call,
  CallEvents,
  Channel,
  ChannelEvent,
  ChannelEvents,
  ChannelView,
  Client,
  ClientEvents,
  Code,
  connect,
  ConnectOptions,
  End,
  Message,
  Outcome,
  OwnAttributes,
  Status,
  WebSocketConstructor,
} from "../../src/index.js";

test("types of the session", () => {
  expectTypeOf<typeof connect>().toEqualTypeOf<(options: ConnectOptions) => Promise<Client>>();
  expectTypeOf<Client["status"]>().toEqualTypeOf<Status>();
  expectTypeOf<Status>().toEqualTypeOf<0 | 1 | 2 | 3>();
  expectTypeOf<Client["attributes"]>().toEqualTypeOf<OwnAttributes>();
  expectTypeOf<Client["logout"]>().toEqualTypeOf<() => Promise<void>>();
  expectTypeOf<Client["close"]>().toEqualTypeOf<() => void>();
  expectTypeOf<ClientEvents["loggedOut"]>().toEqualTypeOf<{ readonly code: Code; readonly reason: string }>();
  expectTypeOf<ConnectOptions["token"]>().toEqualTypeOf<string | (() => string | Promise<string>)>();
});

test("types of messages, channels and calls", () => {
  expectTypeOf<ReturnType<Client["messages"]>>().toEqualTypeOf<AsyncIterableIterator<Message>>();
  expectTypeOf<ReturnType<Client["join"]>>().toEqualTypeOf<Promise<Channel>>();
  expectTypeOf<Channel>().toExtend<ChannelView>();
  expectTypeOf<OwnAttributes>().toExtend<Attributes>();
  expectTypeOf<ReturnType<Channel["events"]>>().toEqualTypeOf<AsyncIterableIterator<ChannelEvent>>();
  expectTypeOf<keyof ChannelEvents>().toEqualTypeOf<ChannelEvent["type"] | "closed">();
  expectTypeOf<ReturnType<Call["answered"]>>().toEqualTypeOf<Promise<Outcome>>();
  expectTypeOf<CallEvents["over"]>().toEqualTypeOf<End>();
  expectTypeOf<Outcome["type"]>().toEqualTypeOf<"accepted" | "refused" | "ended">();
  expectTypeOf<End["type"]>().toEqualTypeOf<"refused" | "ended" | "failed">();
});

test("a browser's WebSocket and that of `ws` fit", () => {
  expectTypeOf<typeof WebSocket>().toExtend<WebSocketConstructor>();
  expectTypeOf<typeof Ws>().toExtend<WebSocketConstructor>();
});
