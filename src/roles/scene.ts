/**
 * What the generator's parts share: the session, the destination, the attribute setter and what is known about the
 * directory being worked on.
 */
import { type Attributes } from "../files/attrs.ts";
import { type Place } from "../files/confine.ts";
import { type CopySettings } from "../files/copyfile.ts";
import { type DefaultPerms } from "../files/defaultperms.ts";
import { type FileReporter } from "../files/report.ts";
import { type FileList } from "../flist/filelist.ts";
import { type HardLinks } from "../flist/hardlink.ts";
import { newStat } from "../posix/filesystem.ts";
import { type NdxWriter } from "../protocol/ndx.ts";
import { type Session } from "../session/session.ts";
import { type BasisDirs } from "./basisdirs.ts";
import { type Deletion } from "./deletion.ts";
import { type DestinationAhead } from "./destahead.ts";
import { type Destination } from "./destination.ts";
import { type HiddenTest } from "./hidden.ts";
import { type FuzzyBasis } from "./fuzzybasis.ts";
import { type Itemizer } from "./itemize.ts";
import { type Receiving } from "./receiving.ts";

/** A directory whose contents are passed over or known to be missing. */
export interface Subtree {
  readonly depth: number;
  readonly path: string;
}

/** One row being handled. */
export interface Item {
  list: FileList;
  row: number;
  ndx: number;
}

export class Scene {
  readonly session: Session;
  readonly receiving: Receiving;
  readonly destination: Destination;
  readonly attributes: Attributes;
  readonly itemizer: Itemizer;
  readonly deletion: Deletion;
  readonly ndxWriter: NdxWriter;
  /** Null without --hard-links. */
  readonly hardLinks: HardLinks | null;
  readonly reporter: FileReporter;
  /** What a daemon does not let its clients write; null for nothing. */
  readonly hidden: HiddenTest | null;
  /** Null without --compare-dest and its kin. */
  readonly basisDirs: BasisDirs | null;
  /** Makes the item's file a copy of another one; false after a reported failure. */
  readonly copyIn: (from: Place, item: Item) => boolean;
  /** Null without --fuzzy. */
  readonly fuzzy: FuzzyBasis | null;
  /** Null where every row is looked at in its turn. */
  readonly ahead: DestinationAhead | null;
  /** State of the place of the row being handled; meaningful when `exists`. */
  readonly stat = newStat();
  exists = false;
  /** Errno of the failed stat when nothing is there. */
  statErrno = 0;
  /** Permissions that new files get without --perms, by directory; and those of the directory at hand. */
  readonly dirPerms: DefaultPerms;
  defaultPerms: number;
  /** How files are copied that --backup keeps. */
  readonly copying: CopySettings;
  /** Items are reported to the sender (or logged here, before protocol 29). */
  readonly itemizing: boolean;
  /** Names are printed by the generator itself, which only old protocols ask for. */
  readonly printsNames: boolean;
  /** AttrFlag.report when names of unchanged items are printed on this side. */
  readonly reportFlag: number;
  /** Contents of this directory are skipped: it could not be made, or must not be. */
  skipDir: Subtree | null = null;
  /** A directory that a dry run did not make. */
  dryMissingDir: Subtree | null = null;

  constructor(parts: {
    session: Session; receiving: Receiving; destination: Destination; attributes: Attributes; itemizer: Itemizer;
    deletion: Deletion; ndxWriter: NdxWriter; hardLinks: HardLinks | null; dirPerms: DefaultPerms; reportFlag: number;
    copying: CopySettings; reporter: FileReporter; hidden: HiddenTest | null; basisDirs: BasisDirs | null;
    copyIn: (from: Place, item: Item) => boolean; itemizing: boolean; printsNames: boolean; fuzzy: FuzzyBasis | null;
    ahead: DestinationAhead | null;
  }) {
    this.session = parts.session;
    this.receiving = parts.receiving;
    this.destination = parts.destination;
    this.attributes = parts.attributes;
    this.itemizer = parts.itemizer;
    this.deletion = parts.deletion;
    this.ndxWriter = parts.ndxWriter;
    this.hardLinks = parts.hardLinks;
    this.reporter = parts.reporter;
    this.hidden = parts.hidden;
    this.basisDirs = parts.basisDirs;
    this.copyIn = parts.copyIn;
    this.fuzzy = parts.fuzzy;
    this.ahead = parts.ahead;
    this.dirPerms = parts.dirPerms;
    this.defaultPerms = parts.dirPerms.plain;
    this.copying = parts.copying;
    this.reportFlag = parts.reportFlag;
    this.itemizing = parts.itemizing;
    this.printsNames = parts.printsNames;
  }

  /** The row's path below the destination. */
  path(item: Item): string {
    return this.destination.path(item.list, item.row);
  }

  /** Reports a failed call on a path, counting towards exit code 23. `errno` is positive. */
  failed(what: string, errno: number): void {
    this.reporter.failed("errorXfer", errno, what);
  }

  /** Prints an item's name on this side, for protocols that do not itemize. */
  printName(text: string): void {
    if (this.printsNames && this.session.log.info("NAME", 1)) this.session.log.infoLine(text);
  }
}
