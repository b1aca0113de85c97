/**
 * "daemon chroot", "daemon gid" and "daemon uid": what a connection's process takes on before it hears its client.
 * Upstream clientserver.c:start_daemon.
 */
import { ExitCode, WsyncError } from "../errors.ts";
import { Confined } from "../files/confine.ts";
import { type Config } from "./config.ts";
import { type DaemonContext } from "./context.ts";
import { idOf } from "./identity.ts";

const JAIL = ["daemon chroot", "daemon gid", "daemon uid"] as const;

/** Does a connection need a process of its own from the start? */
export function isJailed({ globals }: Config): boolean {
  return JAIL.some((name) => globals.raw(name) !== "");
}

/** Takes root directory, group and user on; what the configuration names is then looked up in there. */
export function enterJail(context: DaemonContext, { globals }: Config): DaemonContext {
  const { system, platform, log } = context;
  const { fs } = platform;
  const [root, gidText, uidText] = JAIL.map((name) => globals.text(name));
  const gid = gidText === "" ? null : idOf(gidText, (name) => fs.groupId(name));
  const uid = uidText === "" ? null : idOf(uidText, (name) => fs.userId(name));
  if (gid !== null && gid < 0) throw new WsyncError(`Invalid daemon gid: ${gidText}`, ExitCode.unsupported);
  if (uid !== null && uid < 0) throw new WsyncError(`Invalid daemon uid: ${uidText}`, ExitCode.unsupported);
  const check = (what: string, result: number): void => {
    if (result >= 0) return;
    throw new WsyncError(`rsync: [Receiver] ${what}: ${fs.strerror(-result)} (${-result})`, ExitCode.unsupported);
  };
  const missing = -fs.constants.E.ENOSYS;
  if (root !== "") {
    log.settle();
    check(`daemon chroot("${root}") failed`, system?.chroot(root) ?? missing);
    check('daemon chdir("/") failed', fs.chdir(fs.cstr("/")));
  }
  if (gid !== null) check(`Unable to set group to daemon gid ${gid}`, system?.setgid(gid) ?? missing);
  if (uid !== null) check(`Unable to set user to daemon uid ${uid}`, system?.setuid(uid) ?? missing);
  const { operator } = context;
  const inside = root === "" ? operator : new Confined(fs, fs.constants.AT.FDCWD, "/", { links: "trusted" });
  return { ...context, operator: inside, jailed: true };
}
