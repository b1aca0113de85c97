/**
 * A sender that lists names nobody asked for. What a client accepts depends on its arguments and filters; everything
 * else ends the run with exit code 4, and nothing is written or deleted. Stock rsync in wsync's place
 * (WSYNC_UNDER_TEST) passes too.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing, wsync } from "../_programs.ts";
import { type Entry, fileData, senderScript } from "./_script.ts";
import { type Aftermath, clientAgainst, type ClientRun } from "./_victim.ts";

const reason = missing("node");
const program = wsync("node") ?? "";

/** Entries of a list from names; a closing slash makes a directory. The last file is the one that is sent. */
function listed(names: readonly string[]): Entry[] {
  return names.map((name) => name.endsWith("/") ? { name: name.slice(0, -1), mode: 0o40755 }
    : { name, mode: 0o100644, size: fileData.length });
}

async function pull(names: readonly string[], run: Partial<ClientRun>): Promise<Aftermath> {
  const list = listed(names);
  // The receiver sorts its list: here all lists are given in order, directories last.
  const script = senderScript({ list, ndx: list.findLastIndex(({ mode }) => mode === 0o100644) }, true);
  return clientAgainst(program, script, { hangUp: false, ...run });
}

type Case = readonly [title: string, options: string, sources: string, names: string];

/** Lists that an honest sender might send. */
const honest: readonly Case[] = [
  ["a file by name", "", "dir/f", "f"],
  ["the contents of a directory", "", "dir/", "./ f"],
  ["a directory by name", "", "dir", "dir/ dir/f"],
  ["what a wildcard may stand for", "", "*.c", "x.c"],
  ["brackets that matched nothing", "", "a[b]", "a[b]"],
  ["a relative path with its parents", "-R", "a/b/f", "a/ a/b/ a/b/f"],
  ["a relative path behind a mark", "-R", "a/./b/f", "b/ b/f"],
  ["two sources", "", "f dir", "f dir/"],
  ["what an include lets through", "--include=*.c --exclude=*", "", "./ x.c"],
  ["an excluded name under a merge file's rule", "--filter=:_.rules --exclude=f", "", "./ f"],
  ["an excluded name from a trusted sender", "--trust-sender --exclude=f", "", "./ f"],
  ["an unrequested name from a trusted sender", "--trust-sender", "g", "f"],
  ["any name with --old-args", "--old-args", "g", "f"],
];

/** Lists of a liar, with the first name that is refused. */
const lies: readonly (readonly [...Case, refused: string, why: "unrequested" | "excluded"])[] = [
  ["another file", "", "dir/g", "f", "f", "unrequested"],
  ["a file beside the one asked for", "", "f", "f z", "z", "unrequested"],
  ["a file beside the directory asked for", "", "dir", "dir/ f", "f", "unrequested"],
  ["a directory that begins like the one asked for", "", "dir", "dirt/", "dirt", "unrequested"],
  ["what no wildcard stands for", "", "*.c", "x.h", "x.h", "unrequested"],
  ["a brother of a relative path", "-R", "a/b/f", "a/ a/g", "a/g", "unrequested"],
  ["a file in place of a parent", "-R", "a/b/f", "a", "a", "unrequested"],
  ["below the one level of --dirs", "--no-r -d", "dir/", "./ d/f", "d/f", "unrequested"],
  ["an excluded file", "--exclude=f", "", "./ f", "f", "excluded"],
  ["below an excluded pattern", "--exclude=*.o", "", "./ d/ d/x.o", "d/x.o", "excluded"],
  ["an excluded file that was asked for by name", "--exclude=f", "f", "f", "f", "excluded"],
  ["a dot file in the home directory", "", "data", ".bashrc", ".bashrc", "unrequested"],
];

function runOf([, options, sources]: readonly [string, string, string, ...string[]]): Partial<ClientRun> {
  return { options: options.split(" ").filter(Boolean), sources: sources.split(" ") };
}

describe.skipIf(reason !== "").concurrent(`names from a sender${reason === "" ? "" : ` [${reason}]`}`, () => {
  it.each(honest)("%s", async (...one) => {
    const after = await pull(one[3].split(" "), runOf(one));
    expect({ code: after.code, stderr: after.stderr }).toEqual({ code: 0, stderr: "" });
    expect(readdirSync(after.dest).length).toBeGreaterThan(0);
  });
  it.each(lies)("refused: %s", async (...one) => {
    const after = await pull(one[3].split(" "), { ...runOf(one), hangUp: true });
    expect(after.stderr).toContain(`ERROR: rejecting ${one[5]} file-list name: ${one[4]}\n`);
    expect({ code: after.code, outside: after.outside }).toEqual({ code: 4, outside: [] });
    expect(readdirSync(after.dest)).toEqual([]);
  });
  it.each([["a/f", 0], ["a/g", 4]] as const)("of a --files-from list: %s, exit code %i", async (name, code) => {
    const prepare = (dest: string): void => writeFileSync(join(dest, "..", "list"), "a/f\nb\n");
    const after = await pull(["a/", name], { options: ["--files-from=inner/list"], prepare, hangUp: code !== 0 });
    expect({ code: after.code, there: existsSync(join(after.dest, name)) }).toEqual({ code, there: code === 0 });
  });
  it("contents of a mere parent are not deleted", async () => {
    const prepare = (dest: string): void => {
      mkdirSync(join(dest, "a/b"), { recursive: true });
      for (const name of ["keep", "a/keep", "a/b/gone"]) writeFileSync(join(dest, name), "old");
    };
    // A liar marks the parents as directories with contents; only a/b was asked for.
    const list: Entry[] = [{ name: ".", mode: 0o40755 }, ...listed(["a/", "a/b/", "a/b/f"])];
    const script = senderScript({ list, ndx: 3 }, true);
    const after = await clientAgainst(program, script, {
      hangUp: false, options: ["-R", "--delete"], sources: ["./a/b"], prepare,
    });
    expect({ code: after.code, stderr: after.stderr }).toEqual({ code: 0, stderr: "" });
    const left = ["keep", "a/keep", "a/b/gone", "a/b/f"].filter((name) => existsSync(join(after.dest, name)));
    expect(left).toEqual(["keep", "a/keep", "a/b/f"]);
  });
});
