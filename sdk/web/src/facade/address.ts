/**
 * Where the server is (PROTOCOL §1): told by the application or the script tag, or asked for.
 *
 * It knows pages, workers, Node and WeChat mini-programs by what they have. It refuses to know what is said over
 * a connection.
 */
import { isObject, parse } from "../core/codec.js";
import { checkUrl, type SocketConstructor } from "../shell/link.js";
import { miniProgram, weChatSocket } from "../shell/wechat.js";

const page = typeof document === "undefined" ? null : document;
const script = page?.currentScript as HTMLScriptElement | null | undefined; // of a classic script, while it is loaded

/** The connections of a mini-program; elsewhere the engine finds its WebSocket. */
export function socketOption(): { socket?: SocketConstructor } {
  const found = miniProgram();
  return found ? { socket: weChatSocket(found) } : {};
}

/** What the script tag says: `data-server`, of this very script, or of any if that cannot be known. */
export function scriptServer(): string | null {
  return (script ?? page?.querySelector("script[data-server]"))?.getAttribute("data-server") ?? null;
}

/** The address as a WebSocket's; a path counts from the page. Throws ArgumentError if it is none. */
export function resolve(address: unknown): string {
  const isPath = page && typeof address === "string" && !address.includes(":");
  return checkUrl(isPath ? new URL(address, page.baseURI).href : address);
}

/** What the originals make of an IPv4 address and a port: another name, the next port, TLS. */
export function originalAddress(host: unknown, port: number): string {
  return `wss://${String(host).replace(/\./g, "-")}-sig-web.agora.io:${port + 1}/`;
}

/** Whom the application names to be asked for the address: base URLs. */
export interface Directory {
  lbs_url1: string[];
  lbs_url2: string[];
  lbs_wx: string[];
}

/**
 * Whom to ask here, as groups of base URLs; a group is asked if nobody in those before has an answer. First those
 * that the application names, then where the script came from, then where the page came from.
 */
export function groupsOf({ lbs_url1, lbs_url2, lbs_wx }: Directory): string[][] {
  const named: unknown[] = miniProgram() ? [lbs_wx] : [lbs_url1, lbs_url2];
  const bases = named.flat().filter((base): base is string => typeof base === "string");
  const origins = [script?.src, page?.baseURI].flatMap(
    (url = "") => /^https?:\/\/[^/?#]+/i.exec(url)?.slice(0, 1) ?? [], // of a file there is none
  );
  return [bases, ...[...new Set(origins)].map((origin) => [origin])].filter(({ length }) => length);
}

/** The address for each connection of one account: that which worked, else one that has not been tried. */
export class Finder {
  private readonly fixed: () => string | null;
  private readonly groups: () => string[][];
  private readonly appId: unknown;
  private candidates: string[] = []; // what asking has found, the next one to be tried first
  private last = ""; // what was tried last

  constructor(fixed: () => string | null, groups: () => string[][], appId: unknown) {
    this.fixed = fixed;
    this.groups = groups;
    this.appId = appId;
  }

  /** The address to try now. */
  async next(): Promise<string> {
    const fixed = this.fixed();
    if (fixed) return resolve(fixed);
    if (!this.candidates.length) this.candidates = await ask(this.groups(), this.appId);
    return (this.last = this.candidates.shift() ?? "");
  }

  /** The last one was good: it is the next one, too. */
  confirm(): void {
    if (this.last) this.candidates.unshift(this.last);
    this.last = "";
  }
}

/** Ask one group after the other. */
async function ask([bases = [], ...others]: string[][], appId: unknown): Promise<string[]> {
  try {
    return await askAll(bases, appId);
  } catch (error) {
    if (!others.length) throw error;
    return ask(others, appId);
  }
}

/** Ask all at once; the first good answer counts. */
function askAll(bases: string[], appId: unknown): Promise<string[]> {
  return new Promise((found, fail) => {
    let open = bases.length;
    for (const base of bases) {
      askOne(base, appId).then(found, (error: unknown) => {
        if (!--open) fail(new Error(String(error)));
      });
    }
  });
}

async function askOne(base: string, appId: unknown): Promise<string[]> {
  const answer = parse(
    await get(`${base.replace(/\/+$/, "")}/getaddr?vid=${encodeURIComponent(String(appId))}`),
  );
  const fields = isObject(answer) ? answer : {};
  if (miniProgram()) return [checkUrl(`wss://${String(first(fields["wx_web"]))}`)];
  const entry = first(fields["web"]);
  if (typeof entry === "string") return [checkUrl(entry)];
  // A Signalpost server takes connections where it answers; what the originals make of a pair is the second choice.
  const [host, port] = entry as [string, number];
  return [checkUrl(base), checkUrl(originalAddress(host, port))];
}

function first(list: unknown): unknown {
  return (list as unknown[])[0]; // whatever throws here, it is this answer that is no good
}

async function get(url: string): Promise<string> {
  const found = miniProgram();
  if (!found) return (await fetch(url, { credentials: "omit" })).text();
  return new Promise((answer, fail) => {
    found.request({
      url,
      dataType: "text", // else it would be parsed
      success: ({ data }) => {
        answer(String(data));
      },
      fail: () => {
        fail(new Error("no answer"));
      },
    });
  });
}
