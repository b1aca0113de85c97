/** Continuous sync with receivers that know less than today's rsync, over a remote shell. */
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { missing, peer, quote, writeScript } from "../_programs.ts";
import { fakeShell } from "../_servers.ts";
import { drift, newPlace, Watching } from "./_watch.ts";

/** Stock rsync that takes none of the options which came with 3.1 and later. */
function oldReceiver(): string {
  return writeScript("old-receiver", [
    "#!/bin/sh",
    'case " $* " in',
    '  *" -@-1 "*) echo "rsync: -@-1: unknown option" >&2; exit 1 ;;',
    '  *" --delete-missing-args "*) echo "rsync: --delete-missing-args: unknown option" >&2; exit 1 ;;',
    "esac",
    `exec ${quote(peer!)} "$@"`,
    "",
  ].join("\n"));
}

describe.skipIf(peer === null || missing("node") !== "")("watching with old receivers", { timeout: 120_000 }, () => {
  for (const protocol of [29, 30, 31]) {
    test(`protocol ${protocol}`, async () => {
      const { source, target } = newPlace();
      for (const name of ["a/b", "keep", "gone/deep"]) mkdirSync(join(source, name), { recursive: true });
      for (const name of ["a/b/f", "keep/f", "gone/deep/f"]) writeFileSync(join(source, name), name);
      const program = protocol < 31 ? oldReceiver() : peer!;
      const url = `host:${target}/`;
      const words = [`--protocol=${protocol}`, `--rsh=${fakeShell()}`, `--rsync-path=${program}`];
      const watching = new Watching("node", [...words, `${source}/`, url]);
      await watching.settled(url, 0);
      const changes = [
        // Twice within a second and of one size: times that are compared by the second would miss it.
        () => writeFileSync(join(source, "a/b/f"), "first"), () => writeFileSync(join(source, "a/b/f"), "again"),
        () => rmSync(join(source, "a/b/f")), () => rmSync(join(source, "gone"), { recursive: true }),
        () => renameSync(join(source, "a"), join(source, "z")), () => appendFileSync(join(source, "keep/f"), "more"),
      ];
      for (const change of changes) {
        const from = watching.events.length;
        change();
        await watching.settled(url, from);
        // Before protocol 31 no parts of seconds travel.
        expect(await drift(source, target, protocol < 31 ? "s" : "ns")).toEqual([]);
      }
      expect(watching.events.filter(({ type, whole }) => type === "round" && whole === true).length).toBe(1);
      expect(await watching.stop()).toBe(0);
    });
  }
});
