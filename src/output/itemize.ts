/** The eleven characters of %i that tell what changes about an item. Upstream: log.c:log_formatted, case 'i'. */
import { ItemFlag } from "../protocol/constants.ts";
import { FileType, fileType } from "./mode.ts";

/** Settings of the run that the characters depend on. */
export interface ItemizeSettings {
  /** Both sides are this machine: nothing is "sent". */
  readonly local: boolean;
  readonly preserveMtimes: boolean;
  /** The receiver can set a symlink's time. */
  readonly receiverSymlinkTimes: boolean;
}

const TYPE_LETTERS: Readonly<Record<number, string>> = {
  [FileType.directory]: "d",
  [FileType.symlink]: "L",
  [FileType.fifo]: "S",
  [FileType.socket]: "S",
  [FileType.character]: "D",
  [FileType.block]: "D",
};

/** The string for an item; `sending` tells whether this side sends it. A deletion reads "*deleting  ". */
export function itemize(iflags: number, mode: number, sending: boolean, settings: ItemizeSettings): string {
  if ((iflags & ItemFlag.deleted) !== 0) return "*deleting  ";
  const update = updateLetter(iflags, sending && !settings.local);
  const head = update + (TYPE_LETTERS[fileType(mode)] ?? "f");
  if ((iflags & ItemFlag.isNew) !== 0) return head + "+++++++++";
  if ((iflags & ItemFlag.missingData) !== 0) return head + "?????????";
  const changes = changeLetters(iflags, mode, settings);
  return head + (changes === "........." && ".hc".includes(update) ? "         " : changes);
}

function updateLetter(iflags: number, upload: boolean): string {
  if ((iflags & ItemFlag.localChange) !== 0) return (iflags & ItemFlag.xnameFollows) !== 0 ? "h" : "c";
  if ((iflags & ItemFlag.transfer) === 0) return ".";
  return upload ? "<" : ">";
}

function changeLetters(iflags: number, mode: number, settings: ItemizeSettings): string {
  const letter = (flag: number, text: string): string => ((iflags & flag) !== 0 ? text : ".");
  const isLink = fileType(mode) === FileType.symlink;
  return letter(ItemFlag.reportChange, "c")
    + (isLink ? "." : letter(ItemFlag.reportSize, "s"))
    + letter(ItemFlag.reportTime, timeLetter(iflags, isLink, settings))
    + letter(ItemFlag.reportPerms, "p")
    + letter(ItemFlag.reportOwner, "o")
    + letter(ItemFlag.reportGroup, "g")
    + useLetter(iflags)
    + letter(ItemFlag.reportAcl, "a")
    + letter(ItemFlag.reportXattr, "x");
}

/** t: the time is set to the sender's; T: to the time of the transfer. */
function timeLetter(iflags: number, isLink: boolean, settings: ItemizeSettings): string {
  const fails = isLink && (!settings.receiverSymlinkTimes || (iflags & ItemFlag.reportTimeFail) !== 0);
  return settings.preserveMtimes && !fails ? "t" : "T";
}

function useLetter(iflags: number): string {
  const atime = (iflags & ItemFlag.reportAtime) !== 0;
  const crtime = (iflags & ItemFlag.reportCrtime) !== 0;
  if (atime) return crtime ? "b" : "u";
  return crtime ? "n" : ".";
}
