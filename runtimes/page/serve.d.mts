import { type Server } from "node:http";

/** A server for one folder's files. */
export declare function pageServer(folder: string): Server;
