/**
 * Who connects, before anything is said: what a proxy tells, and the name of the address. Upstream clientserver.c:
 * start_daemon up to its "connect from".
 */
import { type LineStream } from "../session/linestream.ts";
import { allowProxy, UNDETERMINED } from "./access.ts";
import { accessTools } from "./accesstools.ts";
import { unmapped } from "./addresses.ts";
import { clientName } from "./clientname.ts";
import { type Config } from "./config.ts";
import { type DaemonContext } from "./context.ts";
import { type Deadline } from "./deadline.ts";
import { isJailed } from "./jail.ts";
import { readProxyHeader } from "./proxy.ts";

/** A connection whose client is yet to be asked. */
export interface Arrival {
  readonly stream: LineStream;
  readonly config: Config;
  readonly deadline: Deadline;
  /** The peer's numeric address. */
  readonly address: string;
  /** It is the client's own: no proxy's header comes. */
  readonly told: boolean;
}

/** A client before it has a module. */
export interface Visitor extends Arrival {
  /** The name its address leads to; null when that was not looked up. */
  readonly name: string | null;
}

/** Finds out who connects. Null: a proxy's header is wrong, or comes from somebody who is none of the proxies. */
export async function identify(context: DaemonContext, arrival: Arrival): Promise<Visitor | null> {
  const { config, stream, deadline } = arrival;
  const { log, platform } = context;
  let { address } = arrival;
  if (!arrival.told && config.globals.flag("proxy protocol")) {
    const proxies = config.globals.text("proxy protocol hosts");
    if (!(await allowProxy(address, proxies, accessTools(context)))) {
      log.info(`proxy protocol rejected from untrusted peer ${UNDETERMINED} (${address})`);
      return null;
    }
    const header = await deadline.limit(stream.next(readProxyHeader));
    if (header === null) return null;
    address = header.address === null ? address : unmapped(header.address);
  }
  const asked = config.defaults.flag("reverse lookup")
    // In a root directory of its own there may be nothing to look names up with.
    || (isJailed(config) && config.modules.some((module) => module.flag("reverse lookup")));
  const name = asked ? await clientName(address, platform.host.lookup, (text) => log.info(text)) : null;
  return { ...arrival, address, name };
}
