/** What the package `signalpost` gives to an application. */
export * as requests from "./core/arguments.js";
export { Code, NO_TOKEN } from "./core/codes.js";
export * from "./core/errors.js";
export type * from "./core/events.js";
export type { Settings } from "./core/settings.js";
export { Action } from "./core/steps.js";
export { Engine } from "./shell/engine.js";
export type { Address, Done, EngineOptions, Patience, Result, Token } from "./shell/engine.js";
export type { Socket, SocketConstructor } from "./shell/link.js";
export type { Surroundings } from "./shell/surroundings.js";
export { weChatSocket } from "./shell/wechat.js";
