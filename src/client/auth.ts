/**
 * Who we are to a daemon, and where the password comes from: --password-file, RSYNC_PASSWORD, or the terminal. Upstream
 * authenticate.c:getpassf, auth_client.
 */
import { UsageError } from "../errors.ts";
import { type Host } from "../host.ts";
import { latin1 } from "../memory.ts";
import { newStat } from "../posix/filesystem.ts";
import { type Confined } from "../files/confine.ts";
import { refusalHint } from "../files/operator.ts";

/** Bytes of a password file that are looked at. */
const PASSWORD_BYTES = 511;

/** The name to log in with: the one in the address, else USER or LOGNAME, else "nobody". */
export function daemonUser(host: Host, given: string | null): string {
  const user = given ?? host.env("USER") ?? host.env("LOGNAME") ?? "";
  return user === "" ? "nobody" : user;
}

/**
 * The password. `passwordFile` is --password-file ("-" is standard input) or null; `operator` resolves it. Throws
 * UsageError (1) when the file cannot be read or others could read it.
 */
export async function daemonPassword(host: Host, passwordFile: string | null, operator: Confined): Promise<string> {
  if (passwordFile === "-") return firstWord(await readStandardInput(host), passwordFile);
  if (passwordFile !== null) return firstWord(readPasswordFile(operator, passwordFile), passwordFile);
  return host.env("RSYNC_PASSWORD") ?? (await host.readPassword("Password: ")) ?? "";
}

/** The first line that has anything in it. */
function firstWord(text: string, fileName: string): string {
  const line = /[^\r\n]+/.exec(text);
  if (line === null) throw new UsageError(`ERROR: failed to read a password from ${fileName}`);
  return line[0];
}

function readPasswordFile(operator: Confined, path: string): string {
  const { fs } = operator;
  const fd = operator.openFollowing(path, fs.constants.O.RDONLY, 0);
  if (fd < 0) {
    const error = new UsageError(`could not open password file ${path}: ${fs.strerror(-fd)} (${-fd})`);
    throw error.advise(refusalHint(operator));
  }
  try {
    const stat = newStat();
    const looked = fs.fstat(fd, stat);
    if (looked < 0) throw new UsageError(`fstat(${path}): ${fs.strerror(-looked)} (${-looked})`);
    if (stat.mode & 0o006) throw new UsageError("ERROR: password file must not be other-accessible");
    if (fs.euid === 0 && stat.uid !== 0) {
      throw new UsageError("ERROR: password file must be owned by root when running as root");
    }
    return readSome(operator, fd);
  } finally {
    fs.close(fd);
  }
}

function readSome(operator: Confined, fd: number): string {
  const { fs } = operator;
  const ptr = fs.memory.alloc(PASSWORD_BYTES);
  const count = fs.read(fd, ptr, PASSWORD_BYTES);
  const text = count > 0 ? fs.memory.readLatin1(ptr, count) : "";
  fs.memory.u8.fill(0, ptr, ptr + PASSWORD_BYTES);
  fs.memory.release(ptr);
  return text;
}

async function readStandardInput(host: Host): Promise<string> {
  const stream = host.stdio();
  let text = "";
  while (!text.includes("\n") && text.length < PASSWORD_BYTES) {
    const chunk = await stream.read();
    if (chunk === null) break;
    text += latin1(chunk, 0, chunk.length);
  }
  return text.slice(0, PASSWORD_BYTES);
}
