/**
 * "hosts allow", "hosts deny" and "proxy protocol hosts": who may connect. Upstream access.c.
 *
 * A name that cannot be looked up counts as a match in a deny list and as none in an allow list, so that a failing name
 * server lets nobody in.
 */
import { iwildmatch } from "../filter/wildmatch.ts";
import { dottedIpv4, ipv6, maskOf, parseAddress, sameNetwork } from "./addresses.ts";

/** The name of a client whose address was not looked up. */
export const UNDETERMINED = "UNDETERMINED";

/** Who connects. */
export interface Client {
  readonly address: string;
  /** The name that the address leads to, "UNKNOWN" when none does, or UNDETERMINED. */
  readonly name: string;
}

/** What matching needs from outside. */
export interface AccessTools {
  /** All addresses of a name; null when it has none. */
  resolve(name: string): Promise<readonly string[] | null>;
  /** Is a name in a netgroup? */
  inNetgroup(group: string, name: string): boolean;
  log(text: string): void;
}

/** The two lists and "forward lookup". */
export interface AccessRules {
  readonly allow: string;
  readonly deny: string;
  readonly forwardLookup: boolean;
}

/**
 * Whether a client may use what the rules guard, and the name to go on with: a name in a list that leads to the
 * client's address stands in for one that was not looked up.
 */
export async function allowAccess(
  client: Client, rules: AccessRules, tools: AccessTools,
): Promise<{ readonly allowed: boolean; readonly name: string }> {
  const matcher = new Matcher(client, rules.forwardLookup, tools);
  const allowed = await judge(matcher, rules);
  return { allowed, name: matcher.name };
}

/** Is this peer among the proxies, whose addresses or networks are listed? Without a list there are none. */
export async function allowProxy(address: string, proxies: string, tools: AccessTools): Promise<boolean> {
  return proxies !== "" && new Matcher({ address, name: UNDETERMINED }, false, tools).matches(proxies, false);
}

async function judge(matcher: Matcher, { allow, deny }: AccessRules): Promise<boolean> {
  if (allow !== "") {
    if (await matcher.matches(allow, false)) return true;
    if (deny === "") return false;
  }
  return deny === "" || !(await matcher.matches(deny, true));
}

class Matcher {
  name: string;
  private readonly address: string;
  private readonly forwardLookup: boolean;
  private readonly tools: AccessTools;

  constructor(client: Client, forwardLookup: boolean, tools: AccessTools) {
    this.name = client.name;
    this.address = client.address;
    this.forwardLookup = forwardLookup;
    this.tools = tools;
  }

  async matches(list: string, deny: boolean): Promise<boolean> {
    for (const token of list.toLowerCase().split(/[ ,\t]+/)) {
      if (token === "") continue;
      if ((await this.matchesName(token, deny)) || this.matchesAddress(token)) return true;
    }
    return false;
  }

  private async matchesName(token: string, deny: boolean): Promise<boolean> {
    const { name, tools } = this;
    if (name === "") return false;
    if (token.startsWith("@") && token.length > 1) return tools.inNetgroup(token.slice(1), name);
    if (iwildmatch(token, name)) return true;
    if (!this.forwardLookup || /^[.\d]*$/.test(token) || /[:/*?[]/.test(token)) return false;
    const addresses = await tools.resolve(token);
    if (addresses === null) return deny;
    const own = parseAddress(this.address)?.bytes;
    const same = own !== undefined && addresses.some((one) => equalBytes(parseAddress(one)?.bytes, own));
    if (same && name === UNDETERMINED) this.name = token;
    return same;
  }

  /** Address, address/bits or address/mask. */
  private matchesAddress(token: string): boolean {
    const slash = token.indexOf("/");
    const bare = slash < 0 ? token : token.slice(0, slash);
    if (/[^.\d]/.test(bare) && !bare.includes(":")) return false;
    const own = parseAddress(this.address);
    if (own === null) return false;
    const wanted = parseAddress(bare);
    if (wanted === null) {
      this.tools.log(`error matching address ${token}: it is none`);
      return false;
    }
    if (wanted.bytes.length !== own.bytes.length) return false;
    if (wanted.scope !== "" && wanted.scope !== own.scope) return false;
    const mask = slash < 0 ? maskOf(128, own.bytes.length) : this.maskFrom(token, slash + 1, own.bytes.length);
    return mask !== null && sameNetwork(own.bytes, wanted.bytes, mask);
  }

  private maskFrom(token: string, at: number, byteLength: number): Uint8Array | null {
    const text = token.slice(at);
    const mask = byteLength === 4 ? dottedIpv4(text) : text.includes(":") ? ipv6(text) : null;
    if (mask !== null) return mask;
    const bits = /^\d{1,3}$/.test(text) ? Number(text) : -1;
    if (bits >= 0 && bits <= byteLength * 8) return maskOf(bits, byteLength);
    this.tools.log(`malformed mask in ${token}`);
    return null;
  }
}

function equalBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
