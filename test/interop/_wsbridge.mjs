/**
 * Standard input and output joined to a WebSocket of the runtime's own (Deno or Bun), to be a stock rsync's
 * RSYNC_CONNECT_PROG. Usage: _wsbridge.mjs URL
 */
const socket = new WebSocket(process.argv[2], "rsync");
socket.binaryType = "arraybuffer";
const opened = new Promise((resolve) => socket.addEventListener("open", resolve));
let written = Promise.resolve();
socket.addEventListener("message", ({ data }) => {
  written = written.then(() => new Promise((resolve) => process.stdout.write(new Uint8Array(data), resolve)));
});
socket.addEventListener("close", () => void written.then(() => process.exit(0)));
socket.addEventListener("error", ({ message }) => {
  console.error(message);
  process.exit(1);
});
process.stdout.on("error", () => process.exit(0));
await opened;
for await (const chunk of process.stdin) socket.send(chunk);
socket.close(1000);
