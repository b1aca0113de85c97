/**
 * A running daemon against clients that send what honest ones do, broken somewhere: in the greeting, the password, the
 * arguments or the frames; over TCP or within a WebSocket. For so many seconds it must not crash, keep processes, tell
 * what is not in its modules, or change anything but the module that may be written to.
 *
 * WSYNC_DAEMON_FUZZ=SEED+SECONDS chooses other attempts than the usual ones.
 */
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesOf } from "../../src/memory.ts";
import { frameOf, Opcode } from "../../src/protocol/websocket.ts";
import { missing, peer, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { DaemonRoom, received, type Template } from "./_daemonroom.ts";

const reason = peer === null ? "no stock rsync (apt-get install rsync)" : missing("node");
const [seed, seconds] = (process.env.WSYNC_DAEMON_FUZZ ?? "874+8").split("+").map(Number);
/** Attempts at a time. */
const AT_ONCE = 6;
/** A client that gets no answer goes away after so long, milliseconds. */
const PATIENCE_MS = 1500;

/** Numbers from a seed (mulberry32). */
class Random {
  private state: number;

  constructor(from: number) {
    this.state = from >>> 0;
  }

  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** Words that mean something to somebody. */
const WORDS = [
  "../", "/", "..", "/../../neighbour/secret", "\0", "\n", "@RSYNCD: 32.0 md5\n", "@RSYNCD: 99.9\n", "@RSYNCD: EXIT\n",
  "#list\n", "#early_input=99999\n", "#early_input=-1\n", "#x\n", "guarded\n", "write\n", "user ", "--server\0",
  "--sender\0", "--daemon\0", "--config=/etc/passwd\0", "--log-file=/tmp/x\0", "--files-from=/etc/passwd\0",
  "-e.LsfxCIvu\0",
  "--temp-dir=../neighbour\0", "--partial-dir=/\0", "--backup-dir=../../neighbour\0", "--link-dest=../../neighbour\0",
  "--write-devices\0", "--copy-dest=/\0", "-s\0", "x".repeat(5000), "\xff\xff\xff\xff", "\0\0\0\x07",
  "\x7f\xff\xff\xff",
  "\xff\xff\xff\x07", "a".repeat(1023), "\0\0\0\0",
].map(bytesOf);

type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

const splice = (bytes: Uint8Array, at: number, gone: number, more: Uint8Array): Uint8Array =>
  Uint8Array.from([...bytes.subarray(0, at), ...more, ...bytes.subarray(at + gone)]);

/** A place: as often among the lines and arguments at the beginning as anywhere. */
function place(bytes: Uint8Array, random: Random): number {
  return random.below(random.below(2) === 0 ? Math.min(bytes.length, 160) : bytes.length);
}

const CHANGES: readonly Change[] = [
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => splice(bytes, place(bytes, random), 1, Uint8Array.of(random.below(256))),
  (bytes, random) => {
    const changed = bytes.slice();
    for (let count = 1 + random.below(20); count > 0; count--) changed[place(bytes, random)] ^= 1 << random.below(8);
    return changed;
  },
  (bytes, random) => splice(bytes, place(bytes, random), random.below(3) * random.below(20), random.of(WORDS)),
  (bytes, random) => splice(bytes, place(bytes, random), 1 + random.below(40), new Uint8Array(0)),
  (bytes, random) => {
    const at = place(bytes, random);
    return splice(bytes, at, 0, bytes.subarray(at, at + random.below(200)));
  },
];

function broken(template: Template, random: Random): Uint8Array {
  let { bytes } = template;
  for (let count = 1 + random.below(3); count > 0 && bytes.length > 0; count--) {
    bytes = random.of(CHANGES)(bytes, random);
  }
  return bytes;
}

const UPGRADE = bytesOf("GET /rsync HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
  + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");

/** The bytes within a WebSocket, whose frames may be broken too. */
function withinWebSocket(bytes: Uint8Array, random: Random): Uint8Array {
  const parts: Uint8Array[] = [UPGRADE];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(4000);
    parts.push(frameOf(Opcode.binary, bytes.subarray(at, at + length), Uint8Array.of(1, 2, 3, random.below(256))));
    at += length;
  }
  const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
  return random.below(3) === 0 ? random.of(CHANGES)(whole, random) : whole;
}

describe.skipIf(reason !== "")(`a daemon among clients that send anything ${reason}`, () => {
  let room: DaemonRoom;
  let templates: Template[] = [];

  beforeAll(async () => {
    room = await DaemonRoom.open("fuzz", wsync("node")!);
    templates = await room.templates();
  });
  afterAll(() => room?.close());

  /** One client: its answer. It may take its bytes back at any time, and vanish. */
  async function attempt(random: Random): Promise<Buffer> {
    const web = random.below(4) === 0;
    const sent = broken(random.of(templates), random);
    const bytes = web ? withinWebSocket(sent, random) : sent;
    const socket = connect(web ? room.webPort : room.port, "127.0.0.1");
    const answer = received(socket, PATIENCE_MS);
    const pieces = random.below(3) === 0 ? 1 + random.below(4) : 1;
    for (let i = 0; i < pieces; i++) {
      socket.write(bytes.subarray((bytes.length * i) / pieces, (bytes.length * (i + 1)) / pieces));
      if (i + 1 < pieces) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (random.below(3) === 0) socket.end();
    if (random.below(8) === 0) setTimeout(() => socket.resetAndDestroy(), random.below(50));
    return answer;
  }

  it(`holds, seed ${seed}`, async () => {
    const until = Date.now() + seconds * 1000;
    let attempts = 0;
    let told = 0;
    const client = async (lane: number): Promise<void> => {
      const random = new Random(seed * 1000 + lane);
      while (Date.now() < until) {
        if (DaemonRoom.isTold(await attempt(random))) told++;
        attempts++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, lane) => client(lane)));
    await room.quiet();
    expect(attempts).toBeGreaterThan(AT_ONCE);
    expect(told).toBe(0);
    expect(room.faults()).toEqual([]);
    expect(room.leftovers()).toEqual([]);
    const metrics = await room.metrics();
    expect(metrics).not.toMatch(/wsync_daemon_sessions_ended_total\{code="(15|-.*|undefined)"\}/);
    const copy = join(room.top, "after");
    const url = `rsync://127.0.0.1:${room.port}/read/`;
    expect(await run([peer!, "-a", url, copy])).toMatchObject({ code: 0, stderr: "" });
    expect(room.processes().length).toBeLessThanOrEqual(9);
  });
});
