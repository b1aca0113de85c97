/**
 * A daemon inside a program: modules from memory and from the disk, for any rsync. Here the client is in the same
 * program, and its connection a pair of streams; with `port` it could be anywhere.
 * Usage: serve.mjs DIRECTORY
 */
import process from "node:process";
import { MemoryFiles, serve, sync } from "wsync";

const [directory] = process.argv.slice(2);
const inbox = new MemoryFiles();
const server = await serve({
  files: { path: directory, comment: "to be read" },
  inbox: { path: { files: inbox }, readOnly: false, users: { ann: "sesame" } },
}, { port: 0, onEvent: (event) => event.type === "log" && console.log(event.text) });

// What a client does: over a socket ...
const copy = new MemoryFiles();
await sync(`rsync://localhost:${server.port}/files/`, { files: copy }, { archive: true });

// ... or over any connection that the program makes.
const connect = () => {
  const [up, down] = [new TransformStream(), new TransformStream()];
  void server.accept({ readable: up.readable, writable: down.writable });
  return { readable: down.readable, writable: up.writable };
};
await sync({ files: copy }, "rsync://ann@anywhere/inbox/", { archive: true, password: "sesame", connect });

for (const { path, byteLength } of inbox.list()) console.log(path, byteLength);
await server.close();
