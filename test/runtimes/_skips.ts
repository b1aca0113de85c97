/** Why a case cannot pass in a variant: skips are data, so that an unexpected pass or a new failure is seen. */

/** node:fs on any runtime. */
export const NODE_FS: Readonly<Record<string, string>> = {
  "files: times to the nanosecond": "node:fs sets times from floating-point seconds",
  "files: types in directory entries": "raw names come without types",
  "files: devices and fifos": "node:fs has no mknod",
  "files: openat2 stays beneath": "node:fs has no openat2",
  "files: descriptors survive a rename of their directory": "a directory descriptor is only a remembered path",
  "files: copyFileRange": "node:fs copies by path only",
  "files: fallocate reserves without growing": "node:fs has no fallocate",
};

/** Socket options need setsockopt and the descriptor. */
export const NO_SOCKET_OPTIONS: Readonly<Record<string, string>> = {
  "host: TCP socket options": "setsockopt cannot be called without FFI",
  "host: TCP buffer sizes": "setsockopt cannot be called without FFI",
};

/** Deno's node:fs, beyond what node:fs lacks anyway. */
export const DENO_NODE_FS: Readonly<Record<string, string>> = {
  "files: names that are not UTF-8": "Deno's node:fs takes paths as text",
  "files: readlink of bytes that are not UTF-8": "Deno's node:fs gives link targets as text",
  "files: times to the microsecond": "Deno's node:fs reads times in whole milliseconds",
  "files: times before 1970 and after 2038": "Deno refuses times before 1970",
};

/** Deno shows no descriptor of a TCP connection. */
export const DENO_SOCKETS: Readonly<Record<string, string>> = {
  "host: TCP buffer sizes": "Deno sets TCP_NODELAY and SO_KEEPALIVE only",
};
