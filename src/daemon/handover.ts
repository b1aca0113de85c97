/**
 * Handing a connection from the listening process to one that serves it: descriptors over a local socket, and with them
 * what is known of the client, as JSON behind its length.
 */
import { latin1, nameOfText } from "../memory.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type Config, type ConfigData } from "./config.ts";
import { type Admission } from "./greet.ts";

/** Where a process of the pool has its socket to the listening process. */
export const CONTROL_FD = 3;
/** Tells a process that the daemon started it, and for what. */
export const PART_VARIABLE = "WSYNC_DAEMON_PART";

const HEADER_BYTES = 4;
const CHUNK_BYTES = 64 * 1024;
/** More than any configuration and early input; a length beyond it is no length. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What goes with a connection. Bytes are names: one code unit each. */
export type Handover = VisitorHandover | AdmissionHandover;

/** A client that has yet to be received. Descriptors: the connection. */
export interface VisitorHandover {
  readonly kind: "visitor";
  /** The connection's id in logs. */
  readonly session: string;
  readonly address: string;
  /** The address is the client's own, whatever stands in between. */
  readonly told: boolean;
  /** Bytes of the client that have been read already. */
  readonly read: string;
}

/** A client that may use a module. Descriptors: the connection, and the lock file if it is counted. */
export interface AdmissionHandover {
  readonly kind: "admission";
  /** The connection's id in logs. */
  readonly session: string;
  /** The connection is standard input and output. */
  readonly onStdio: boolean;
  readonly config: ConfigData;
  readonly variables: Readonly<Record<string, string>>;
  /** Index of the module in the configuration. */
  readonly module: number;
  readonly version: number;
  readonly address: string;
  readonly name: string;
  readonly user: string;
  readonly readOnly: boolean;
  readonly earlyInput: string;
  readonly read: string;
}

/** Tells what is known of a client that may use a module. `read`: bytes of it that are left over. */
export function admissionHandover(
  config: Config, admission: Admission, read: Uint8Array, onStdio: boolean, session: string,
): AdmissionHandover {
  const { module, earlyInput, version, address, name, user, readOnly } = admission;
  return {
    kind: "admission", session, onStdio, config: config.data, variables: config.env.variables(), module: module.index,
    version, address, name, user, readOnly, earlyInput: nameOfBytes(earlyInput), read: nameOfBytes(read),
  };
}

/** The bytes of a message. */
export function encodeHandover(message: Handover): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(HEADER_BYTES + json.length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, HEADER_BYTES);
  return bytes;
}

/** Waits for a message on a blocking socket; null when the other side has gone. */
export function receiveHandover(
  sockets: Sockets, socket: number,
): { readonly message: Handover; readonly fds: readonly number[] } | null {
  let bytes = new Uint8Array(0);
  const fds: number[] = [];
  for (;;) {
    const length = bytes.length < HEADER_BYTES ? -1 : new DataView(bytes.buffer).getUint32(0, true);
    if (length > MAX_BYTES) return null;
    if (length >= 0 && bytes.length >= HEADER_BYTES + length) {
      const text = new TextDecoder().decode(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length));
      return { message: JSON.parse(text) as Handover, fds };
    }
    const part = sockets.receiveDescriptors(socket, CHUNK_BYTES);
    if (part === null) return null;
    fds.push(...part.fds);
    const joined = new Uint8Array(bytes.length + part.bytes.length);
    joined.set(bytes);
    joined.set(part.bytes, bytes.length);
    bytes = joined;
  }
}

function nameOfBytes(bytes: Uint8Array): string {
  return latin1(bytes, 0, bytes.length);
}

/** What a process tells the one that started it, a line of JSON each. */
export type WorkerMessage =
  /** It waits for a connection. */
  | { readonly type: "ready" }
  /** The connection that it was given has ended with this exit code, and it waits for another. */
  | { readonly type: "served"; readonly code: number }
  /** "post-xfer exec": to be run when it has ended. */
  | { readonly type: "after"; readonly command: string; readonly variables: Readonly<Record<string, string>> }
  /**
   * It is about to give up its rights, or to become otherwise unfit for another connection: whatever it says from now
   * on must not have anything done with the daemon's rights.
   */
  | { readonly type: "sealed" };

/** The environment as posix_spawn takes it, with further variables, which are names; null takes one away. */
export function environmentNames(
  environment: Readonly<Record<string, string>>, more: Readonly<Record<string, string | null>>,
): string[] {
  const kept = Object.entries(environment).filter(([name]) => !(name in more));
  const added = Object.entries(more).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
  return [...kept.map(([name, value]) => nameOfText(`${name}=${value}`)), ...added];
}
