/**
 * A remote shell that stays here and whose wire fails: it runs the command and passes bytes both ways, but in one
 * direction ends after so many of them ("cut") or changes one ("flip"). What has passed in that direction is written
 * into a file in the end.
 *
 * Usage: _badwire.mjs push|pull cut|flip|none OFFSET COUNTFILE HOST COMMAND...
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

const [way, kind, offset, countFile, , ...command] = process.argv.slice(2);
const at = Number(offset);
const server = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
// By it rsync ends its shell; left alone it would open the debugger.
process.on("SIGUSR1", () => process.exit(19));
for (const stream of [server.stdin, process.stdout, process.stdin]) stream.on("error", () => undefined);

/** What becomes of a chunk that begins `passed` bytes from the start. */
function damaged(chunk, passed) {
  const place = at - passed;
  if (kind === "none" || place < 0 || place >= chunk.length) return chunk;
  if (kind === "cut") return chunk.subarray(0, place);
  const copy = Buffer.from(chunk);
  copy[place] ^= 0x55;
  return copy;
}

function pump(from, to, fails) {
  let passed = 0;
  let isCut = false;
  if (fails) process.on("exit", () => writeFileSync(countFile, String(passed)));
  from.on("data", (chunk) => {
    if (isCut) return;
    const sent = fails ? damaged(chunk, passed) : chunk;
    passed += chunk.length;
    if (sent.length > 0 && !to.write(sent)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
    // The other side has time to do what it can do without the rest.
    if (fails && (isCut = sent.length < chunk.length)) setTimeout(() => hangUp(to), 250);
  });
  from.on("end", () => {
    if (!isCut && to !== process.stdout) to.end();
  });
}

function hangUp(to) {
  to.end();
  if (way === "push") return;
  server.kill("SIGKILL");
  process.exit(0);
}

pump(process.stdin, server.stdin, way === "push");
pump(server.stdout, process.stdout, way === "pull");
server.on("close", (code) => process.stdout.write("", () => process.exit(code ?? 1)));
