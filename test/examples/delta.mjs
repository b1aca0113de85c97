/**
 * Send a file's changes and nothing else, without rsync at either end: whoever has the old version signs it, whoever
 * has the new one makes a delta of that, and the first patches. Files of any length, in little memory.
 * Usage: delta.mjs OLD NEW RESULT
 */
import { createReadStream, createWriteStream } from "node:fs";
import process from "node:process";
import { Writable } from "node:stream";
import { collect, delta, openFile, patch, signature } from "wsync";

const [oldPath, newPath, resultPath] = process.argv.slice(2);

// Where the old version is. With { format: "rdiff" } the rdiff program could go on from here.
const sums = await collect(signature(createReadStream(oldPath)));

// Where the new version is: `sums` has come over, and `change` goes back.
const change = await collect(delta(sums, createReadStream(newPath), {
  onStats: ({ literalBytes, matchedBytes }) => console.log(`${literalBytes} new bytes, ${matchedBytes} known ones`),
}));

// Where the old version is. The stream fails when the result is not the new version, byte for byte.
const basis = await openFile(oldPath);
await patch(basis, change).pipeTo(Writable.toWeb(createWriteStream(resultPath)));
await basis.close();
console.log(`${sums.length + change.length} bytes for ${basis.byteLength}`);
