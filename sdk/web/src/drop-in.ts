/**
 * The web SDK 1.4.0 again, on an engine of its own: `Signal`, as a global of a page, for `require` and for `import`
 * (SPEC S4).
 *
 * A callback is a property that may be set at any time, also after the call that leads to it (SPEC S6). None runs
 * inside the call that causes it; all those of an account run in order, with their object as `this`. A message or an
 * event of a call is acknowledged when its callback has returned, or the promise that it gave back is settled (M6).
 * Bad arguments are never thrown: they come back through the callback for the failure, 1004 for what is wrong and
 * 1005 for what is too long, and nothing is sent (E3). While not logged in that is 1003 (E2).
 *
 * Names of accounts and channels have 1 to 128 bytes of UTF-8, and no blanks; numbers become their decimal text.
 * Contents that are no text become their JSON text. Sizes are bytes of UTF-8.
 *
 * @module drop-in
 */
import { Signal } from "./facade/signal.js";

export type { Settings } from "./core/settings.js";
export type { Failure } from "./facade/account.js";
export type { Call } from "./facade/calls.js";
export type { Channel, ChannelCallback, ChannelState } from "./facade/channels.js";
export type { InvokeCallback, SendCallback, Session } from "./facade/session.js";
export type { SignalClient, SignalConstructor } from "./facade/signal.js";
export type { EngineOptions } from "./shell/engine.js";
export type { Socket, SocketConstructor } from "./shell/link.js";

export default Signal;
