/** The trie of dirty paths against a plain model, and its bounds. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DirtyTrie, type Rename } from "../../../src/watch/dirtytrie.ts";

const names = (trie: DirtyTrie, since = 0, carried: ReadonlySet<Rename> = new Set()): string[] =>
  trie.collect(since, carried).map(({ path, tree }) => (tree ? `${path}/**` : path)).toSorted();

test("a dirty tree swallows what is below it until somebody has it", () => {
  const trie = new DirtyTrie();
  trie.touch("a/b", false);
  trie.touchTree("a");
  trie.touch("a/c", false);
  expect(names(trie)).toEqual(["a/**"]);
  expect(trie.size).toBe(2);
  trie.raiseHorizon(trie.seq);
  trie.touch("a/d", false);
  expect(names(trie)).toEqual(["a/**"]);
  expect(names(trie, trie.seq - 1)).toEqual(["a/d"]);
});

test("each target asks for what came after its own watermark", () => {
  const trie = new DirtyTrie();
  trie.touch("x", false);
  const first = trie.seq;
  trie.raiseHorizon(first);
  trie.touch("y", false);
  expect(names(trie)).toEqual(["x", "y"]);
  expect(names(trie, first)).toEqual(["y"]);
  expect([trie.covers("x", 0), trie.covers("x", first), trie.covers("y", first)]).toEqual([true, false, true]);
  trie.prune([first, trie.seq]);
  expect(names(trie, first)).toEqual(["y"]);
  trie.prune([trie.seq, trie.seq]);
  expect(trie.size).toBe(1);
});

test("a renamed directory takes along what is dirty in it", () => {
  const trie = new DirtyTrie();
  trie.touch("a/b/f", false);
  const rename = trie.rename("a", "c", true);
  trie.touch("c/g", false);
  expect(names(trie)).toEqual(["a", "c/**"]);
  expect(names(trie, 0, new Set([rename]))).toEqual(["a", "c", "c/b/f", "c/g"]);
});

test("a tree that was in doubt stays so under its new name", () => {
  const trie = new DirtyTrie();
  trie.touchTree("a");
  const rename = trie.rename("a", "b", true);
  expect(names(trie, 0, new Set([rename]))).toEqual(["a", "b/**"]);
});

test("what was told of under the new name before the rename is not forgotten", () => {
  const trie = new DirtyTrie();
  trie.touch("b/f", false);
  const rename = trie.rename("a", "b", true);
  expect(names(trie, 0, new Set([rename]))).toEqual(["a", "b/**"]);
});

test("a directory of ever new names is taken as a whole in the end", () => {
  const trie = new DirtyTrie();
  for (let i = 0; i < 25_000; i++) trie.touch(`tmp/${i}`, false);
  expect(trie.size).toBeLessThan(10_100);
  expect(names(trie)).toEqual(["tmp/**"]);
});

/** The model: every change in order, each naming a path and whether all below it is meant. */
interface Change {
  readonly path: string;
  readonly tree: boolean;
}

const segment = fc.constantFrom("a", "b", "c");
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("touch" as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("tree" as const), path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("sync" as const), target: fc.nat(2) }) },
);

test("no change is ever lost to a target, whatever the order", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const trie = new DirtyTrie();
    const changes: Change[] = [];
    const marks = [0, 0, 0];
    const seqs: number[] = [];
    const check = (since: number): void => {
      const dirty = trie.collect(since);
      changes.forEach(({ path: changed, tree }, i) => {
        if (seqs[i] <= since) return;
        const covered = dirty.some((one) => one.path === changed ? one.tree || !tree
          : one.tree && (one.path === "" || changed.startsWith(`${one.path}/`)));
        expect(covered, `${changed} ${tree} since ${since}`).toBe(true);
      });
      for (const one of dirty) {
        const known = changes.some((change, i) => seqs[i] > since && change.path === one.path);
        expect(known, `${one.path} is asked for without a reason`).toBe(true);
      }
    };
    for (const one of steps) {
      if (one.kind === "sync") {
        check(marks[one.target]);
        marks[one.target] = trie.seq;
        trie.raiseHorizon(trie.seq);
        trie.prune(marks);
        continue;
      }
      if (one.kind === "touch") trie.touch(one.path, false);
      else trie.touchTree(one.path);
      changes.push({ path: one.path, tree: one.kind === "tree" });
      seqs.push(trie.seq);
    }
    for (const mark of marks) check(mark);
  }));
});
