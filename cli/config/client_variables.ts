/** The prefix of our variables. */
export const PREFIX = "TASKCAST_";

/** Variables of commands that call a server. */
export const OF_CLIENTS: readonly string[] = ["TASKCAST_URL", "TASKCAST_TOKEN"];
