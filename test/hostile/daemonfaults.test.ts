/**
 * Clients of a daemon that vanish: before they say anything, in the middle of a line, of their arguments, of a list or
 * a file, and just before the end; in order, without a word, or with a reset. No process, no claimed connection and no
 * unfinished file may be left.
 */
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missing, peer, type Runtime, wsync } from "../_programs.ts";
import { run } from "../_run.ts";
import { DaemonRoom, received, type Template } from "./_daemonroom.ts";

const reason = peer === null ? "no stock rsync (apt-get install rsync)" : "";
const NEWLINE = 10;

/** How long a client stays after its last byte, milliseconds: the daemon is at it by then. */
const STAY_MS = 60;
const WAYS = ["end", "destroy", "resetAndDestroy"] as const;

/** Places to stop at: around the lines, and all over the rest. */
function cuts({ bytes }: Template): number[] {
  const greeting = bytes.indexOf(NEWLINE) + 1;
  const module = bytes.indexOf(NEWLINE, greeting) + 1;
  const shares = [0.3, 0.5, 0.7, 0.9].map((share) => Math.floor(bytes.length * share));
  const places = [0, greeting >> 1, greeting, module, module + 10, ...shares, bytes.length - 1];
  return places.filter((at) => at < bytes.length);
}

async function vanish(port: number, bytes: Uint8Array, way: (typeof WAYS)[number], reads: boolean): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const gone = received(socket, 2000);
  await new Promise((resolve) => socket.once("connect", resolve));
  if (!reads) socket.pause();
  socket.write(bytes);
  await new Promise((resolve) => setTimeout(resolve, STAY_MS));
  socket.resume();
  socket[way]();
  await gone;
}

const runtimes: readonly Runtime[] = ["node", "deno", "bun"];
describe.skipIf(reason !== "").each(runtimes)(`clients that vanish from a daemon on %s ${reason}`, (runtime) => {
  const absent = missing(runtime);
  let room: DaemonRoom;
  let templates: Template[] = [];

  beforeAll(async () => {
    if (absent !== "") return;
    room = await DaemonRoom.open(`faults-${runtime}`, wsync(runtime)!, ["max connections = 1"]);
    templates = await room.templates();
  });
  afterAll(async () => {
    if (absent === "") expect(await room?.close()).toBe(0);
  });

  it.skipIf(absent !== "").each(["push", "update", "pull", "guarded"])("in the middle of %s", async (name) => {
    const template = templates.find((one) => one.name === name)!;
    for (const [i, at] of cuts(template).entries()) {
      await vanish(room.port, template.bytes.subarray(0, at), WAYS[i % WAYS.length], i % 2 === 0);
      await room.quiet();
    }
    expect(room.leftovers()).toEqual([]);
    expect(room.faults()).toEqual([]);
    // One connection at a time is allowed, and nobody has it.
    for (const module of ["read", "write"]) {
      const url = `rsync://127.0.0.1:${room.port}/${module}/`;
      expect(await run([peer!, "-r", url, join(room.top, `after-${name}`)])).toMatchObject({ code: 0, stderr: "" });
      await room.quiet();
    }
    expect(room.processes().length).toBeLessThanOrEqual(3);
  });
});
