/** -d: the same program again, in a session of its own and without a terminal. */
import { ToolExit, type ToolIo } from "./io.ts";

/** Set for the program that was started in the background. */
const MARK = "WSYNC_INOTIFY_DETACHED";

/** setsid where there is one; else the shell's own way to survive its terminal. */
const SCRIPT = `exec </dev/null >/dev/null 2>&1
if command -v setsid; then setsid "$@" & else (trap "" HUP; exec "$@") & fi`;

/** Is this the program in the background? */
export function isDetached({ host }: ToolIo): boolean {
  return host.env(MARK) !== undefined;
}

/** Starts the program in the background; the exit code of the one in front. The output file must be there. */
export async function detach(io: ToolIo, outFile: string): Promise<number> {
  const { host, fs } = io;
  const found = fs.openat(fs.constants.AT.FDCWD, fs.cstr(outFile), fs.constants.O.PATH | fs.constants.O.CLOEXEC, 0);
  if (found < 0) {
    io.error(`${fs.strerror(-found)}: ${outFile}`);
    return ToolExit.failure;
  }
  fs.close(found);
  const child = host.spawn({
    argv: ["sh", "-c", SCRIPT, "sh", ...host.self, ...host.argv], env: { [MARK]: "1" }, stderr: "ignore",
  });
  return (await child.exited) === 0 ? ToolExit.success : ToolExit.failure;
}
