import { app } from "../../taskcast.ts";

/** Handles all methods and paths below `/taskcast`. */
export const handler = ({ req }: { req: Request }): Response | Promise<Response> => app.fetch(req);
