/** Carrying bytes between a client's stream that only this process can use and the process that serves the client. */
import { type ByteStream, type Host } from "../host.ts";

/** How long a client may take to end its side once it has been told that there is no more, milliseconds. */
const LINGER_MS = 5000;

/** Carries both ways until both sides have ended; then, or when one of them fails, both are closed. */
export async function carry(host: Pick<Host, "sleep">, client: ByteStream, server: ByteStream): Promise<void> {
  const close = (): void => {
    client.destroy();
    server.destroy();
  };
  const arriving = pour(client, server).catch(close);
  await pour(server, client).catch(close);
  await Promise.race([arriving, host.sleep(LINGER_MS)]);
  close();
}

async function pour(from: ByteStream, to: ByteStream): Promise<void> {
  for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) await to.write(chunk);
  await to.end();
}

/** Ends a stream whose client has been answered, without cutting the answer short. */
export async function finish(host: Pick<Host, "sleep">, stream: ByteStream): Promise<void> {
  await stream.end();
  const drained = (async () => {
    while ((await stream.read()) !== null);
  })().catch(() => undefined);
  await Promise.race([drained, host.sleep(LINGER_MS)]);
}
