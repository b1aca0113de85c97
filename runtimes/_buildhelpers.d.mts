export function buildHelpers(): Promise<Record<string, string>>;
