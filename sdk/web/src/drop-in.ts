/** What the script for web pages holds: so far the engine and the requests that all faces stand on. */
export * as requests from "./core/arguments.js";
export { Action } from "./core/steps.js";
export { Engine } from "./shell/engine.js";
export { weChatSocket } from "./shell/wechat.js";
