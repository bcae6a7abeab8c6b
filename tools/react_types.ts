/**
 * Makes `deno check .` fetch React's types. Deno fetches the packages that modules import, and no
 * other module names the packages that have the types.
 */
// @ts-types="@types/react"
import type {} from "react";
// @ts-types="@types/react-dom"
import type {} from "react-dom";
