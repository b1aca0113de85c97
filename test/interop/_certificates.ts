/** Certificates for tests, made by openssl: an authority, a server for localhost, a client, and somebody else's. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratch, whereIs } from "../_programs.ts";

/** Why there can be none, or "". */
export const opensslMissing: string = whereIs("openssl") === null ? "no openssl (apt-get install openssl)" : "";

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Paths of PEM files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority and whom it vouches for. `elsewhere` is for the host elsewhere.test. */
export interface Certificates {
  readonly ca: string;
  readonly server: Pair;
  readonly elsewhere: Pair;
  readonly client: Pair;
}

function openssl(dir: string, words: readonly string[]): void {
  execFileSync("openssl", words, { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
}

/** Makes a set of them. */
export function makeCertificates(name: string): Certificates {
  const dir = join(scratch, `certificates-${name}`);
  mkdirSync(dir);
  openssl(dir, ["req", "-x509", ...CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-subj", `/CN=${name}`, "-days", "2"]);
  const pair = (who: string, names: string): Pair => {
    openssl(dir, ["req", ...CURVE, "-keyout", `${who}.key`, "-out", `${who}.csr`, "-subj", `/CN=${who}`]);
    writeFileSync(join(dir, `${who}.ext`), `subjectAltName=${names}\n`);
    openssl(dir, ["x509", "-req", "-in", `${who}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
      "-out", `${who}.pem`, "-days", "2", "-extfile", `${who}.ext`]);
    const key = join(dir, `${who}.key`);
    chmodSync(key, 0o600);
    return { cert: join(dir, `${who}.pem`), key };
  };
  return {
    ca: join(dir, "ca.pem"), server: pair("server", "DNS:localhost,IP:127.0.0.1"),
    elsewhere: pair("elsewhere", "DNS:elsewhere.test"), client: pair("client", "DNS:client.test"),
  };
}
