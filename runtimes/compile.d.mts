/** What the program may do on Deno. */
export declare const DENO_PERMISSIONS: readonly string[];
/** And that it runs from the bundle alone. */
export declare const DENO_CONFINED: readonly string[];

/** Says what is missing where deno compile failed. */
export declare function denoTrouble(text: string): string;

/** Builds the whole program into one file. */
export declare function bundleWhole(entry: string, outfile: string): Promise<void>;

/** What became of one program. */
export interface Compiled {
  readonly program: string | null;
  readonly trouble: string;
  readonly mebibytes?: number;
}

/** Makes one program in build/bin. */
export declare function compile(runtime: "deno" | "bun" | "node"): Promise<Compiled>;
