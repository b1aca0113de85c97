export declare function runtimeWords(runtime: string): string[] | null;
