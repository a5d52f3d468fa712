/**
 * Lets tests in another language have pages on the built drop-in, signal.js: one process holds all of them.
 *
 * A command is a line, [party, what, arguments…], and so is what a party is told. What should not happen is told as
 * `wrong`. It ends by itself when there are no more commands, if no session keeps it.
 */
const { createRequire } = require("node:module");
const { resolve } = require("node:path");
const { createInterface } = require("node:readline");

const WEB = resolve(__dirname, "../../sdk/web");
globalThis.WebSocket = createRequire(`${WEB}/package.json`)("ws").WebSocket; // Node 20 has none
const Signal = require(`${WEB}/dist/umd/signal.js`);

/** One account. */
class Page {
  constructor(number) {
    this.tell = (...event) => console.log(JSON.stringify([number, ...event]));
    this.calls = new Map(); // the latest, by peer
  }

  enter(url, app, account) {
    const signal = Signal(app);
    signal.setup_debugging("ap_url", url);
    const session = (this.session = signal.login(account, "any"));
    session.onLoginSuccess = () => this.tell("in");
    session.onLogout = (code) => {
      this.tell("out", code);
      this.tell("gone");
    };
    session.onMessageInstantReceive = (sender, uid, text) => this.tell("message", sender, text);
    session.onInviteReceived = (call) => {
      this.follow(call);
      this.tell("rings", call.peer, call.channelName);
    };
    this.refuse(session, "onLoginFailed", "onReconnecting", "onError");
  }

  /** These are not to be called. */
  refuse(thing, ...names) {
    for (const name of names) thing[name] = (...args) => this.tell("wrong", name, ...args);
  }

  follow(call) {
    this.calls.set(call.peer, call);
    call.onInviteAcceptedByPeer = () => this.tell("accepted", call.peer);
    call.onInviteEndByPeer = call.onInviteEndByMyself = () => this.tell("ended", call.peer);
    this.refuse(call, "onInviteRefusedByPeer", "onInviteFailed");
  }

  send(peer, text) {
    this.session.messageInstantSend(peer, text, (failed, ...why) => {
      if (failed) this.tell("wrong", "messageInstantSend", ...why);
      else this.tell("sent");
    });
  }

  join(name) {
    const channel = (this.channel = this.session.channelJoin(name));
    channel.onChannelJoined = () => this.tell("joined", name);
    channel.onMessageChannelReceive = (sender, uid, text) => this.tell("said", sender, text);
    this.refuse(channel, "onChannelJoinFailed");
  }

  say(text) {
    this.channel.messageChannelSend(text, (...why) => {
      if (why.length) this.tell("wrong", "messageChannelSend", ...why);
      else this.tell("sent");
    });
  }

  invite(channel, peer) {
    this.follow(this.session.channelInviteUser2(channel, peer, ""));
  }

  accept(channel, peer) {
    this.calls.get(peer).channelInviteAccept("");
  }

  end(channel, peer) {
    this.calls.get(peer).channelInviteEnd();
  }

  leave() {
    this.session.logout();
  }
}

const pages = new Map();
createInterface(process.stdin).on("line", (line) => {
  const [number, what, ...args] = JSON.parse(line);
  if (!pages.has(number)) pages.set(number, new Page(number));
  pages.get(number)[what](...args);
});
