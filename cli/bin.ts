#!/usr/bin/env node
/**
 * The command `taskcast` itself: importing it runs the command line of this process and ends the
 * process with its exit code.
 *
 * @module
 */
import process from "node:process";
import { main } from "./main.ts";

process.exit(await main(process.argv.slice(2)));
