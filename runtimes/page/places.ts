/** Directories of this browser: the page's private storage, and a folder that the user chooses. */
import { exact, size } from "./format.ts";
import { type Listed } from "./messages.ts";

/** A directory, as it is called on the page. */
export interface Place {
  readonly handle: FileSystemDirectoryHandle;
  readonly name: string;
  readonly isPrivate: boolean;
}

type Picker = (options: { mode: "readwrite"; id: string }) => Promise<FileSystemDirectoryHandle>;

/** The browser's own dialogue for folders; undefined where it has none. */
function picker(): Picker | undefined {
  return (window as unknown as { showDirectoryPicker?: Picker }).showDirectoryPicker;
}

export function canChooseFolder(): boolean {
  return picker() !== undefined;
}

/** Asks the user for a folder. Rejects when there is none. */
export async function chooseFolder(): Promise<Place> {
  const handle = await picker()!.call(window, { mode: "readwrite", id: "wsync" });
  return { handle, name: `the folder ${handle.name}`, isPrivate: false };
}

/** The directory of the private storage that belongs to a path of a daemon. */
export async function privatePlace(url: string, path: string): Promise<Place> {
  let handle = await navigator.storage.getDirectory();
  // One directory a daemon and path, none within another.
  const names = ["wsync", new URL(url).host.replace(":", "_"), path.replaceAll("%", "%25").replaceAll("/", "%2F")];
  for (const name of names) handle = await handle.getDirectoryHandle(name, { create: true });
  return { handle, name: "this browser’s private storage", isPrivate: true };
}

/** Puts files into a directory, in place of what has their names. */
export async function addFiles({ handle }: Place, files: readonly File[]): Promise<void> {
  for (const file of files) {
    const out = await (await handle.getFileHandle(file.name, { create: true })).createWritable();
    await out.write(file);
    await out.close();
  }
}

async function parentOf({ handle }: Place, path: string): Promise<{ dir: FileSystemDirectoryHandle; name: string }> {
  const parts = path.split("/");
  const name = parts.pop()!;
  let dir = handle;
  for (const part of parts) dir = await dir.getDirectoryHandle(part);
  return { dir, name };
}

/** A file's contents, to be saved elsewhere. */
export async function fileAt(place: Place, path: string): Promise<File> {
  const { dir, name } = await parentOf(place, path);
  return (await dir.getFileHandle(name)).getFile();
}

/** Removes an entry with all that is in it. */
export async function removeAt(place: Place, path: string): Promise<void> {
  const { dir, name } = await parentOf(place, path);
  await dir.removeEntry(name, { recursive: true });
}

/** "12 files, 3.4 MB". */
export function sumOf(listed: readonly Listed[]): string {
  const files = listed.filter((one) => one.kind === "file");
  if (listed.length === 0) return "Nothing yet";
  const bytes = files.reduce((sum, one) => sum + one.size, 0);
  return `${exact(files.length)} ${files.length === 1 ? "file" : "files"}, ${size(bytes)}`;
}
