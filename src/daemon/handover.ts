/**
 * Handing a connection from the listening process to one that serves it: descriptors over a local socket, and with them
 * what is known of the client, as JSON behind its length.
 */
import { latin1, nameOfText } from "../memory.ts";
import { type Sockets } from "../posix/sockets.ts";
import { type ConfigData } from "./config.ts";

const HEADER_BYTES = 4;
const CHUNK_BYTES = 64 * 1024;
/** More than any configuration and early input; a length beyond it is no length. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What goes with a connection. Bytes are names: one code unit each. */
export type Handover = VisitorHandover | AdmissionHandover;

/** A client that has yet to be received. Descriptors: the connection. */
export interface VisitorHandover {
  readonly kind: "visitor";
  readonly address: string;
  /** Bytes of the client that have been read already. */
  readonly read: string;
}

/** A client that may use a module. Descriptors: the connection, and the lock file if it is counted. */
export interface AdmissionHandover {
  readonly kind: "admission";
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

/** Bytes as a name. */
export function nameOfBytes(bytes: Uint8Array): string {
  return latin1(bytes, 0, bytes.length);
}

/** The environment as posix_spawn takes it, with further variables; null takes one away. */
export function environmentNames(
  environment: Readonly<Record<string, string>>, more: Readonly<Record<string, string | null>>,
): string[] {
  const merged: Record<string, string | null> = { ...environment };
  for (const [name, value] of Object.entries(more)) merged[name] = value;
  return Object.entries(merged).flatMap(([name, value]) => (value === null ? [] : [nameOfText(`${name}=${value}`)]));
}
