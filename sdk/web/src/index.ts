/** What the package `signalpost` gives to an application: `connect`, and everything that comes of it. */
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
export type { Token } from "./shell/engine.js";
export { weChatSocket, type SocketTask, type WeChat } from "./shell/wechat.js";
