/**
 * What a TLS connection to a daemon goes by, from the variables that rsync-ssl has: RSYNC_SSL_CA_CERT, RSYNC_SSL_CERT,
 * RSYNC_SSL_KEY, RSYNC_SSL_SKIP_HOSTNAME_CHECK. Upstream rsync-ssl(1).
 */
import { ExitCode, UsageError } from "../errors.ts";
import { type Host, type TlsConnectOptions } from "../host.ts";
import { nameOfText } from "../memory.ts";

type Settings = Pick<TlsConnectOptions, "serverName" | "authorities" | "identity" | "check">;

/** Where systems keep the authorities that they trust. */
const SYSTEM_AUTHORITIES = [
  "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
];

/** The settings for a host. Throws UsageError (4) without TLS, (1) for a file that cannot be read. */
export function tlsSettings(host: Host, serverName: string): Settings {
  if (host.tls === undefined) throw new UsageError(`${host.runtime} has no TLS`, ExitCode.unsupported);
  const authority = host.env("RSYNC_SSL_CA_CERT");
  const skipsName = host.env("RSYNC_SSL_SKIP_HOSTNAME_CHECK") === "1";
  const certificate = readNamed(host, "RSYNC_SSL_CERT");
  // One file may hold both.
  const key = readNamed(host, "RSYNC_SSL_KEY") ?? certificate;
  return {
    serverName,
    // As with rsync-ssl: set to nothing, it turns the checks off.
    check: authority === "" ? "nothing" : skipsName ? "authority" : "all",
    authorities: readNamed(host, "RSYNC_SSL_CA_CERT") ?? systemAuthorities(host),
    identity: certificate === null || key === null ? null : { certificate, key },
  };
}

function readNamed(host: Host, variable: string): Uint8Array | null {
  const path = host.env(variable) ?? "";
  if (path === "") return null;
  try {
    return host.files.readFile(nameOfText(path));
  } catch (error) {
    throw new UsageError(`cannot read ${variable} ${path}: ${(error as Error).message}`);
  }
}

function systemAuthorities(host: Host): Uint8Array | null {
  for (const path of SYSTEM_AUTHORITIES) {
    try {
      return host.files.readFile(path);
    } catch {
      // The next one may be this system's.
    }
  }
  return null;
}
