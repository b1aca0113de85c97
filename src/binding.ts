/** What the library's entries in runtimes/ bind to a runtime's kernels and host; index.ts has what needs neither. */
export { rsyncBlockLength } from "./delta/blocksize.ts";
export { TreeFiles } from "./library/files.ts";
export { propertyOf } from "./library/options.ts";
export { type Listen, runServe } from "./library/serve.ts";
export { runSync } from "./library/sync.ts";
export { runWatch } from "./library/watch.ts";
export { OPTION_ROWS } from "./options/table.ts";
export { Inode, S_IF } from "./posix/inode.ts";
export { type ContentStore, type FileContent, ReaderContent } from "./posix/content.ts";
