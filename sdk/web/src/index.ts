/**
 * `import { connect } from "signalpost"`: for pages, workers, Node and mini-programs.
 *
 * What asks the server rejects with an error of its own when it is refused or not answered within 10 s, with NotLoggedIn
 * (1003) when there is no session, and with ArgumentError (1004, 1005) before anything is sent when an argument is not
 * what it may be. Names of accounts, channels and apps have 1 to 128 bytes of UTF-8, and no blanks. Sizes are bytes of
 * UTF-8; durations are seconds; times of messages are Unix seconds.
 *
 * @module promise-api
 */
export { Attributes, OwnAttributes } from "./api/attributes.js";
export {
  Call,
  type CallAccepted,
  type CallEnded,
  type CallEvents,
  type CallFailed,
  type CallKeys,
  type CallReceived,
  type CallRefused,
  type CallState,
  type End,
  type Outcome,
} from "./api/call.js";
export {
  type AttributeChanged,
  Channel,
  type ChannelEvent,
  type ChannelEvents,
  type ChannelMessage,
  ChannelView,
  type EventsLost,
  type MemberJoined,
  type MemberLeft,
} from "./api/channel.js";
export { Client, type ClientEvents, type InviteOptions, type Message } from "./api/client.js";
export {
  connect,
  type ConnectOptions,
  type WebSocketConstructor,
  type WebSocketLike,
} from "./api/connect.js";
export type { Observe } from "./api/observer.js";
export type { Patience, Waiting } from "./api/waiting.js";
export { Code } from "./core/codes.js";
export {
  ArgumentError,
  CallError,
  ChannelLeft,
  JoinError,
  LoggedOut,
  LoginError,
  MessageError,
  NotLoggedIn,
  QueryError,
  RequestError,
  SignalpostError,
} from "./core/errors.js";
export type { Change } from "./core/events.js";
export type { Status } from "./core/machine.js";
export type { Settings } from "./core/settings.js";
export type { Token } from "./shell/client-engine.js";
export { weChatSocket, type SocketTask, type WeChat } from "./shell/wechat.js";
