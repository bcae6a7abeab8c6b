import { app } from "../../taskcast.ts";

/** All methods of all paths below `/taskcast`. */
export const handler = ({ req }: { req: Request }): Response | Promise<Response> => app.fetch(req);
