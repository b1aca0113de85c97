/** Builds the page into build/page and returns that folder. */
export declare function buildPage(): Promise<string>;
