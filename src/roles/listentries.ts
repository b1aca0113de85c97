/** --list-only: rows are printed instead of made. Upstream generator.c:list_file_entry. */
import { type FileKind } from "../files/basis.ts";
import { itemKind, type Observer } from "../output/events.ts";
import { listLine, missingLine } from "../output/listonly.ts";
import { Numbers } from "../output/numbers.ts";
import { FileFlag } from "../protocol/constants.ts";
import { LogCode } from "../session/log.ts";
import { type Session } from "../session/session.ts";
import { type Item } from "./scene.ts";

export class ListEntries {
  private readonly session: Session;
  private readonly observer: Observer | null;
  private readonly numbers: Numbers;

  constructor(session: Session) {
    this.session = session;
    this.observer = session.observer ?? session.localLink?.observer ?? null;
    this.numbers = new Numbers(session.options.humanReadable);
  }

  /** Prints a row. `isContents`: a directory whose own turn comes later. */
  print(item: Item, kind: FileKind, isContents: boolean): null {
    const { list, row } = item;
    const { options, log } = this.session;
    if (isContents) return null;
    if (kind === "directory" && !options.impliedDirs && list.flags[row] & FileFlag.impliedDir) return null;
    const entry = {
      name: list.path(row),
      mode: list.mode[row],
      size: list.size[row],
      mtime: list.mtime[row],
      atime: options.preserveAtimes ? (list.extra.atime?.[row] ?? 0) : null,
      crtime: options.preserveCrtimes ? (list.extra.crtime?.[row] ?? 0) : null,
      linkTarget: kind === "symlink" && options.preserveLinks ? list.linkTarget(row) : null,
    };
    const { name: path, mode, size, mtime, linkTarget: target } = entry;
    this.observer?.event({ type: "list", path, kind: itemKind(mode), size, mtime, mode, target });
    if (this.observer && this.observer.mutes !== "nothing") return null;
    const line = mode === 0 ? missingLine(entry, this.numbers) : listLine(entry, this.numbers);
    log.write(LogCode.info, line, true);
    return null;
  }
}
