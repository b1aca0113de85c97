/** --remove-source-files: a file that has arrived is removed, if it is still the one that was sent. Upstream
 * sender.c:successful_send. */
import { newStat } from "../posix/filesystem.ts";
import { type Session } from "../session/session.ts";
import { type SourceTree } from "./sourcetree.ts";

export class SourceRemoval {
  private readonly session: Session;
  private readonly tree: SourceTree;
  private readonly stat = newStat();

  constructor(session: Session, tree: SourceTree) {
    this.session = session;
    this.tree = tree;
  }

  /** Removes the file an ndx stands for. Failures are reported. */
  remove(ndx: number): void {
    const { session, tree, stat } = this;
    if (!session.options.removeSourceFiles || session.dryRun > 0) return;
    const list = tree.view.forNdx(ndx, "successful_send");
    const row = ndx - list.ndxStart;
    if (row < 0) return;
    const path = list.path(row);
    const { root, path: below } = tree.placeOf(list, row);
    const found = session.options.copyLinks ? root.stat(below, stat) : root.lstat(below, stat);
    if (found < 0) return this.failed("re-lstat", path, -found);
    const inode = `${stat.devHi}:${stat.devLo}:${stat.inoHi}:${stat.inoLo}`;
    const { localLink } = session;
    if (localLink && localLink.clientFiles === null && localLink.lastDevice === inode) {
      session.log.errorXfer(`ERROR: Skipping sender remove of destination file: ${path}\n`);
      return;
    }
    const changed = stat.size !== list.size[row] || stat.mtime !== list.mtime[row]
      || (list.mtimeNsec[row] !== 0 && stat.mtimeNsec !== list.mtimeNsec[row]);
    if (changed) {
      session.log.errorXfer(`ERROR: Skipping sender remove for changed file: ${path}\n`);
      return;
    }
    const gone = root.unlink(below);
    if (gone < 0) return this.failed("remove", path, -gone);
    if (session.log.info("REMOVE", 1)) session.log.infoLine(`sender removed ${path}\n`);
  }

  private failed(what: string, path: string, errno: number): void {
    const { log, fs } = this.session;
    if (errno === fs.constants.E.ENOENT) log.infoLine(`sender file already removed: ${path}\n`);
    else log.errorXfer(`rsync: [sender] sender failed to ${what} ${path}: ${fs.strerror(errno)} (${errno})\n`);
  }
}
