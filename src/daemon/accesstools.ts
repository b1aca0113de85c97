/** How access rules look names up on this machine. */
import { type AccessTools } from "./access.ts";
import { type DaemonContext } from "./context.ts";

/** The tools of a daemon process. */
export function accessTools({ log, system, platform }: DaemonContext): AccessTools {
  return {
    resolve: async (name) => {
      const found = await platform.host.lookup.forward(name);
      return "error" in found ? null : found.addresses;
    },
    inNetgroup: (group, name) => system?.inNetgroup(group, name) ?? false,
    log: (text) => log.info(text),
  };
}
