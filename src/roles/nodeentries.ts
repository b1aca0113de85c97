/** Devices, fifos and sockets on the receiving side. Upstream generator.c:recv_generator, the FT_DEVICE part. */
import { fileKind, type FileKind } from "../files/basis.ts";
import { DelFlag } from "../files/remove.ts";
import { type LinkEntries } from "./linkentries.ts";
import { type Item, type Scene } from "./scene.ts";

export class NodeEntries {
  private readonly scene: Scene;
  private readonly links: LinkEntries;

  constructor(scene: Scene, links: LinkEntries) {
    this.scene = scene;
    this.links = links;
  }

  /** Are entries of this kind made at all? Devices take root. */
  wants(kind: FileKind): boolean {
    const { options, amRoot } = this.scene.session;
    if (options.dropDevices) return false;
    return kind === "device" ? amRoot !== 0 && options.preserveDevices : kind === "special" && options.preserveSpecials;
  }

  create(item: Item, kind: FileKind): void {
    const { scene } = this;
    const { stat } = scene;
    const path = scene.path(item);
    const sameKind = scene.exists && fileKind(stat.mode) === kind;
    if (sameKind && this.isCurrent(item, kind)) return this.links.unchanged(item, stat);
    const alternate = scene.exists || !this.links.basis ? null : this.links.basis.other(item, kind);
    if (alternate === "done") return;
    if (scene.session.log.debug("GENR", 1)) this.showMade(item, path);
    const delFor = kind === "device" ? DelFlag.forDevice : DelFlag.forSpecial;
    if (!this.links.create(path, scene.exists ? stat : null, delFor, (name) => this.make(item, name))) return;
    this.links.made(item, path, sameKind ? stat : null, alternate, `${path}\n`);
    this.links.finish(item, null);
    const { options, dryRun } = scene.session;
    if (options.removeSourceFiles === 1 && dryRun === 0) scene.receiving.succeeded(item.ndx);
  }

  /** A kind that the options leave out. */
  skip(item: Item): void {
    const { session, destination } = this.scene;
    if (!session.log.info("NONREG", 1)) return;
    const path = destination.soloName === null ? this.scene.path(item) : item.list.path(item.row);
    session.log.infoLine(`skipping non-regular file "${path}"\n`);
  }

  private isCurrent(item: Item, kind: FileKind): boolean {
    const { list, row } = item;
    const { stat } = this.scene;
    if (kind === "special") return ((list.mode[row] ^ stat.mode) & 0o170000) === 0;
    const { rdevMajor, rdevMinor } = list.extra;
    return stat.rdevMajor === (rdevMajor?.[row] ?? 0) && stat.rdevMinor === (rdevMinor?.[row] ?? 0);
  }

  private showMade(item: Item, path: string): void {
    const { major, minor } = deviceNumber(item);
    const mode = item.list.mode[item.row].toString(8);
    this.scene.session.log.infoLine(`mknod(${path}, 0${mode}, [${major},${minor}])\n`);
  }

  private make(item: Item, name: string): boolean {
    const { list, row } = item;
    const { destination } = this.scene;
    const { major, minor } = deviceNumber(item);
    const result = destination.root.mknod(name, list.mode[row], major, minor);
    if (result >= 0) return true;
    this.scene.failed(`mknod ${destination.fullName(name)} failed`, -result);
    return false;
  }
}

/** Zeros for what is no device. */
function deviceNumber({ list, row }: Item): { major: number; minor: number } {
  if (fileKind(list.mode[row]) !== "device") return { major: 0, minor: 0 };
  return { major: list.extra.rdevMajor?.[row] ?? 0, minor: list.extra.rdevMinor?.[row] ?? 0 };
}
