/**
 * Who a client is: its address, and the name that the address leads to. Upstream clientname.c: client_addr,
 * client_name, check_name.
 */
import { type HostLookup } from "../host.ts";
import { type Sockets } from "../posix/sockets.ts";
import { isAddress, parseAddress, unmapped } from "./addresses.ts";

/** The name of a client whose address leads to none, or to one that does not lead back. */
const UNKNOWN = "UNKNOWN";

const NO_ADDRESS = "0.0.0.0";
/** A peer on a socket of this machine that has no address. */
const LOCAL_ADDRESS = "127.0.0.1";
/** Where remote shells tell whom they serve, in order. */
const SHELL_VARIABLES = ["REMOTE_HOST", "SSH_CONNECTION", "SSH_CLIENT", "SSH2_CLIENT"];

/** The address of a socket's peer; "" when it cannot be told. IPv4 in IPv6's clothes is IPv4. */
export function socketAddress(sockets: Sockets | null, fd: number): string {
  const peer = sockets?.peer(fd) ?? null;
  if (peer === null) return "";
  return peer.kind === "local" ? LOCAL_ADDRESS : unmapped(peer.address);
}

/** The address of a remote shell's client, as its environment tells it; null when it does not. */
export function shellAddress(env: (name: string) => string | undefined): string | null {
  const told = SHELL_VARIABLES.map(env).find((value) => value !== undefined);
  const address = told === undefined ? NO_ADDRESS : told.split(" ", 1)[0];
  return isAddress(address, true) ? address : null;
}

/** The name of an address, if it leads back to it; UNKNOWN otherwise, with the reason in the log. */
export async function clientName(address: string, lookups: HostLookup, log: (text: string) => void): Promise<string> {
  if (address === NO_ADDRESS) return UNKNOWN;
  const own = parseAddress(address);
  if (own === null) {
    log(`malformed address ${address}`);
    return UNKNOWN;
  }
  const found = await lookups.reverse(address);
  if ("error" in found) {
    log(`name lookup failed for ${address}: ${found.error}`);
    return UNKNOWN;
  }
  const back = await lookups.forward(found.name);
  if ("error" in back) {
    log(`forward name lookup for ${found.name} failed: ${back.error}`);
    return UNKNOWN;
  }
  const same = back.addresses.some((one) => parseAddress(one)?.bytes.join() === own.bytes.join());
  if (same) return found.name;
  log(`${address} is not a known address for "${found.name}": spoofed address?`);
  return UNKNOWN;
}
