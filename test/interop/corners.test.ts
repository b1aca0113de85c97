/**
 * Corners that the differential test led to, one small tree each: what stock rsync and wsync leave behind, print and
 * return must be equal. Most of them only an ordinary user gets into.
 */
import {
  chmodSync, chownSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing, peer, peerVersion, scratch, wsync } from "../_programs.ts";
import { putExtras } from "./_diffextras.ts";
import { masked, runAs, treeOf } from "./_diffrun.ts";

const top = join(scratch, "corners");
const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
const isReference = peer !== null && peerVersion.version.startsWith("3.5");
const reason = isReference ? missing("node") : "no stock rsync 3.5 (apt-get install rsync)";
const OLD = 1_000_000_000;

interface Corner {
  readonly words: string;
  /** Makes what is in src/ and dst/ and beside them. */
  readonly make: () => void;
  /** root: only root gets there; user: only others. */
  readonly who: "user" | "root" | "any";
}

/** A file, its directories made, with attributes by the letters of their values. */
function put(path: string, text: string, xattrs: Readonly<Record<string, string>> = {}): void {
  const full = join(top, path);
  mkdirSync(join(full, ".."), { recursive: true });
  writeFileSync(full, text);
  attribute(path, xattrs);
}

function attribute(path: string, xattrs: Readonly<Record<string, string>>): void {
  const extras = Object.entries(xattrs).map(([name, value]) => ({ name, value: Buffer.from(value, "latin1") }));
  putExtras(join(top, path), extras, OLD, OLD, 0);
}

const mode = (path: string, bits: number): void => chmodSync(join(top, path), bits);
/** In the kernel's form: the owner may all, user 1234 and the group may read and enter. */
const NAMED_ACL = Buffer.from(
  "0200000001000700ffffffff02000500d204000004000500ffffffff10000700ffffffff20000500ffffffff", "hex",
).toString("latin1");
const long = (letter: string): string => letter.repeat(3000);
const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `line ${from + at}\n`).join("");

const corners: Readonly<Record<string, Corner>> = {
  "a file that its owner may neither read nor write is updated in place": {
    words: "-ai --inplace", who: "user",
    make: () => {
      put("src/f", "new contents");
      put("dst/f", "old");
      mode("dst/f", 0);
    },
  },
  "a copy of what is updated in place has its xattrs": {
    words: "-aXi --inplace -b --no-W", who: "any",
    make: () => {
      put("src/f", numbers(0, 900));
      put("dst/f", numbers(0, 800), { "user.short": "s", "user.long": long("l") });
    },
  },
  "values of xattrs come from the sender when another file's piece is continued": {
    words: "-aXi --partial-dir=.p --no-W", who: "any",
    make: () => {
      put("src/f", numbers(0, 900), { "user.long": long("l") });
      put("dst/f", numbers(0, 800), { "user.long": long("l") });
      put("dst/.p/f", numbers(0, 700), { "user.long": long("m") });
    },
  },
  "directories that get xattrs are closed to their owner again": {
    words: "-aXi", who: "user",
    make: () => {
      // Files that are to be transferred would lock stock rsync out of these directories.
      for (const dir of ["a/b", "a", "c"]) {
        for (const tree of ["src", "dst"]) put(`${tree}/${dir}/f`, dir);
        attribute(`src/${dir}`, { "user.long": long("d") });
        mode(`src/${dir}`, 0o555);
      }
    },
  },
  "nothing is deleted after a directory could not be listed": {
    words: "-ri --delete", who: "root",
    make: () => {
      put("src/a/f", "a");
      put("dst/a/f", "a");
      put("dst/z", "a leftover");
      ownedByNobody();
      chownSync(join(top, "dst/a"), 1, 1);
      mode("dst/a", 0o700);
    },
  },
  "why a deleted file could not be kept": {
    words: "-ri --delete -b --backup-dir=../bak", who: "user",
    make: () => {
      put("src/a", "a");
      put("dst/d/gone", "a leftover");
      mkdirSync(join(top, "bak/d"), { recursive: true });
      mode("bak/d", 0o555);
    },
  },
  "a hard-linked symlink in a file's place": {
    words: "-aHi", who: "any",
    make: () => {
      put("src/x", "x");
      symlinkSync("x", join(top, "src/l1"));
      linkSync(join(top, "src/l1"), join(top, "src/l2"));
      put("dst/l2", "a file");
    },
  },
  "the ACL of a set-id file whose group changes": {
    words: "-aAi --groupmap=*:1", who: "any",
    make: () => {
      for (const tree of ["src", "dst"]) put(`${tree}/f`, "same");
      attribute("dst/f", { "system.posix_acl_access": NAMED_ACL });
      mode("dst/f", 0o2775);
      mode("src/f", 0o2755);
    },
  },
  "what a hard link's like in a basis directory lacks": {
    words: "-aAXHi --copy-dest=../alt", who: "any",
    make: () => {
      put("src/a", "linked");
      linkSync(join(top, "src/a"), join(top, "src/b"));
      put("alt/b", "linked", { "system.posix_acl_access": NAMED_ACL, "user.short": "s" });
      put("dst/a", "linked");
    },
  },
  "a file of a basis directory that may not be read": {
    words: "-aXi --copy-dest=../alt", who: "user",
    make: () => {
      put("src/f", "same size");
      put("alt/f", "size same", { "user.short": "s" });
      mode("alt/f", 0o200);
    },
  },
  "an unreadable file has no ACL under --fake-super": {
    words: "-aAi --fake-super --size-only", who: "user",
    make: () => {
      put("src/f", "same size");
      put("dst/f", "size same");
      mode("dst/f", 0);
    },
  },
};

function ownedByNobody(): void {
  for (const path of ["", ...(readdirSync(top, { recursive: true }) as string[])]) {
    if (isRoot) chownSync(join(top, path), NOBODY, NOBODY);
  }
}

async function result(program: string, { words, make, who }: Corner): Promise<string[]> {
  rmSync(top, { recursive: true, force: true });
  for (const dir of ["src", "dst"]) mkdirSync(join(top, dir), { recursive: true });
  make();
  if (who === "user") ownedByNobody();
  for (const dir of ["", "src", "dst"]) utimesSync(join(top, dir), OLD, OLD);
  const uid = isRoot && who !== "any" ? NOBODY : undefined;
  const outcome = await runAs([program, ...words.split(" "), "src/", "dst/"], top, uid);
  const tree = [...treeOf(top, false, true)].map(([path, line]) => `${path}: ${line}`);
  return [`exit ${outcome.code}`, ...masked(outcome.stdout, top), ...masked(outcome.stderr, top), ...tree];
}

describe.skipIf(reason !== "")(`corners${reason === "" ? "" : ` [${reason}]`}`, () => {
  for (const [title, corner] of Object.entries(corners)) {
    it.skipIf(corner.who === "root" && !isRoot)(title, async () => {
      const theirs = await result(peer!, corner);
      expect(await result(wsync("node")!, corner)).toEqual(theirs);
    });
  }
});
