/**
 * Everything that can go wrong, as one tree; each error carries its code of SPEC §7 and says what is allowed.
 *
 *     SignalpostError
 *     ├── ArgumentError        1004, 1005   nothing has been sent
 *     ├── NotLoggedIn          1003         there is no session
 *     ├── LoginError           201 to 209   the login failed
 *     ├── LoggedOut            101 to 107   the session is over
 *     ├── MessageError         400, 401     the message was refused, or nobody answered
 *     ├── JoinError            300          the channel could not be joined
 *     ├── ChannelLeft          601 to 604   this client is in the channel no longer
 *     ├── QueryError           500, 501     a query of a channel's members failed
 *     ├── CallError            700 to 705   the call failed
 *     └── RequestError         1000 to 1002 anything else failed, or nobody answered
 */
import { type Code, GENERAL_E_LARGE_PARAM, GENERAL_E_NOT_LOGIN, GENERAL_E_WRONG_PARAM } from "./codes.js";
import type { Fault } from "./texts.js";

/** Something that Signalpost refuses, or cannot do; every error of this API but an abort and the end of a time. */
export class SignalpostError extends Error implements Fault {
  /** The class's name, also in code that was made smaller. */
  override readonly name: string = "SignalpostError";
  /** The number of SPEC §7. */
  readonly code: Code;
  /** What is wrong, and where it helps, what is allowed. */
  readonly reason: string;

  constructor(code: Code, reason: string) {
    super(`${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}

/**
 * 1004, 1005: an argument is not what it may be, and `reason` says what is allowed. Nothing has been sent, unless only
 * the server can know.
 */
export class ArgumentError extends SignalpostError {
  override readonly name = "ArgumentError";
}

/** 1003: there is no session, or it ended before the answer. */
export class NotLoggedIn extends SignalpostError {
  override readonly name = "NotLoggedIn";
}

/**
 * The login failed, and nothing goes on by itself (SPEC L1). 201: no connection in time, unknown app, or no token; 204:
 * the token has expired; 206: it is wrong; 207: another login has superseded this one; 209: the account is no name.
 */
export class LoginError extends SignalpostError {
  override readonly name = "LoginError";
}

/**
 * The session is over, and nothing goes on by itself (SPEC L10). 101: logged out by `logout` or `close`; 102: no
 * connection for too long; 103: the account logged in elsewhere; 105, 107: at a reconnect the token had expired, or was
 * wrong.
 */
export class LoggedOut extends SignalpostError {
  override readonly name = "LoggedOut";
}

/**
 * 400: a message was refused, because of a rate (SPEC M8, C7), a full inbox (M9), or because this account is not a
 * member; 401: nobody confirmed it in 10 s.
 */
export class MessageError extends SignalpostError {
  override readonly name = "MessageError";
}

/** 300: the channel could not be joined. */
export class JoinError extends SignalpostError {
  override readonly name = "JoinError";
}

/**
 * This client is in the channel no longer (SPEC C3). 601: the account logged in elsewhere; 604: the connection was away
 * for too long.
 */
export class ChannelLeft extends SignalpostError {
  override readonly name = "ChannelLeft";
}

/** 500: the members of a channel could not be read; 501: nobody answered in 10 s. */
export class QueryError extends SignalpostError {
  override readonly name = "QueryError";
}

/**
 * The call failed (SPEC K5 to K8). 700: in the server; 701: the same call rings already; 702: this client has no
 * connection; 703: the peer is offline; 704: it was not answered in time; 705: the peer's device did not confirm it, or
 * a telephone was called and there is no gateway.
 */
export class CallError extends SignalpostError {
  override readonly name = "CallError";
}

/** 1000 to 1002: any other request failed, or nobody answered it in 10 s. */
export class RequestError extends SignalpostError {
  override readonly name = "RequestError";
}

/** The error that a code stands for. */
export function errorOf(code: Code, reason: string): SignalpostError {
  return new (kindOf(code))(code, reason);
}

function kindOf(code: Code): new (code: Code, reason: string) => SignalpostError {
  if (code === GENERAL_E_NOT_LOGIN) return NotLoggedIn;
  if (code === GENERAL_E_WRONG_PARAM || code === GENERAL_E_LARGE_PARAM) return ArgumentError;
  switch (Math.floor(code / 100)) {
    case 1:
      return LoggedOut;
    case 2:
      return LoginError;
    case 3:
      return JoinError;
    case 4:
      return MessageError;
    case 5:
      return QueryError;
    case 6:
      return ChannelLeft;
    case 7:
      return CallError;
    default:
      return RequestError;
  }
}
