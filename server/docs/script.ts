/**
 * The script of the documentation page. It is plain JavaScript in a string, so that no bundler can
 * change it: the page's policy allows exactly this text.
 *
 * Everything from the document is inserted as text, never as markup.
 */
export const PAGE_SCRIPT: string = String.raw`
"use strict";
const main = document.querySelector("main");
const credential = document.querySelector("#credential");

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) if (child !== undefined) made.append(child);
  return made;
}

/** Resolves a reference to a schema. */
function resolved(schema, all) {
  const name = schema.$ref && schema.$ref.split("/").pop();
  return name ? all[name] || {} : schema;
}

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.map(typeOf).join(" or ");
  if (schema.type === "array") return typeOf(schema.items || {}) + "[]";
  return [schema.type || "any"].flat().join(" | ");
}

/** Returns a sample value for a schema. */
function sample(schema, all, depth = 0) {
  const known = resolved(schema, all);
  if (known.example !== undefined) return known.example;
  if (known.default !== undefined) return known.default;
  if (known.enum) return known.enum[0];
  const choices = known.anyOf || known.oneOf;
  if (choices) return sample(choices[0], all, depth);
  switch ([known.type].flat()[0]) {
    case "object": {
      const required = known.required || [];
      const entries = Object.entries(known.properties || {})
        .filter(([key, value]) => required.includes(key) || (depth === 0 && value.example !== undefined));
      return Object.fromEntries(entries.map(([key, value]) => [key, sample(value, all, depth + 1)]));
    }
    case "array": return [];
    case "string": return "";
    case "number": case "integer": return 0;
    case "boolean": return true;
    default: return {};
  }
}

function fieldsOf(schema, all) {
  const known = resolved(schema, all);
  const choices = known.anyOf || known.oneOf;
  if (choices) return fieldsOf(choices[0], all);
  const rows = Object.entries(known.properties || {}).map(([name, field]) =>
    element("tr", {},
      element("td", {}, element("code", {}, name), (known.required || []).includes(name) ? " *" : ""),
      element("td", {}, typeOf(field)),
      element("td", {}, field.description || "")));
  return rows.length === 0 ? undefined : element("table", {}, rows);
}

/** Returns the headers for the credentials typed in: a token, or a service key as "key:...". */
function credentials() {
  const text = credential.value.trim();
  if (text === "") return {};
  if (text.startsWith("key:")) return { "x-taskcast-service-key": text.slice(4) };
  return { authorization: "Bearer " + text };
}

function quoted(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}

function curl(method, url, headers, body) {
  const parts = ["curl"];
  if (url.includes("/events") && method === "GET") parts.push("-N");
  if (method !== "GET") parts.push("-X", method);
  parts.push(quoted(url));
  for (const [name, value] of Object.entries(headers)) {
    const shown = name === "content-type" ? value : "…";
    parts.push("-H", quoted(name + ": " + shown));
  }
  if (body) parts.push("-d", quoted(body));
  return parts.join(" ");
}

function tryIt(method, path, operation, all) {
  const inputs = (operation.parameters || []).map((parameter) => ({
    parameter,
    input: element("input", {
      placeholder: parameter.in === "path" ? "required" : typeOf(parameter.schema),
      "aria-label": parameter.name,
    }),
  }));
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const body = content && element("textarea", { rows: 6, spellcheck: "false", "aria-label": "body" });
  if (body) body.value = JSON.stringify(sample(content.schema, all), null, 2);
  const command = element("pre", { class: "curl" });
  const status = element("p", { class: "status" });
  const output = element("pre", { class: "output", hidden: true });
  let running;

  async function send() {
    running = new AbortController();
    let target = path;
    const query = new URLSearchParams();
    for (const { parameter, input } of inputs) {
      if (input.value === "") continue;
      if (parameter.in === "path") {
        if (/^\.+$/.test(input.value)) {
          status.textContent = parameter.name + " must not consist of dots only";
          return;
        }
        target = target.replace("{" + parameter.name + "}", encodeURIComponent(input.value));
      } else query.set(parameter.name, input.value);
    }
    const search = query.toString();
    // Relative to this page, so that it works wherever the app is mounted.
    const url = new URL("." + target + (search ? "?" + search : ""), location.href).href;
    const headers = credentials();
    const text = body ? body.value : undefined;
    if (text) headers["content-type"] = "application/json";
    command.textContent = curl(method, url, headers, text);
    output.hidden = false;
    output.textContent = "";
    status.textContent = "…";
    try {
      const response = await fetch(url, { method, headers, body: text, signal: running.signal });
      status.textContent = response.status + " " + response.statusText;
      const reader = response.body && response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = reader ? await reader.read() : { done: true };
        if (done) break;
        output.textContent = (output.textContent + value).slice(-100000);
      }
      output.textContent = pretty(output.textContent);
    } catch (error) {
      status.textContent += running.signal.aborted ? " (stopped)" : " " + error.message;
    }
  }

  return element("div", { class: "try" },
    inputs.map(({ parameter, input }) =>
      element("label", {},
        element("code", {}, parameter.name), input,
        element("small", {}, parameter.description || ""))),
    body,
    element("p", {},
      element("button", { type: "button", onclick: () => { if (running) running.abort(); send(); } }, "Send"),
      element("button", { type: "button", onclick: () => running && running.abort() }, "Stop")),
    command, status, output);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function section(method, path, operation, all) {
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const fields = content && fieldsOf(content.schema, all);
  const details = element("details", { id: method + path },
    element("summary", {},
      element("span", { class: "method " + method.toLowerCase() }, method), " ",
      element("code", {}, path), " ", element("span", { class: "what" }, operation.summary || "")));
  // Built when first opened, since most are never opened.
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    details.append(
      ...(operation.description || "").split("\n\n").filter(Boolean)
        .map((text) => element("p", {}, text)),
      ...(fields ? [element("h4", {}, "Body"), fields] : []),
      element("h4", {}, "Answers"),
      element("table", {}, Object.entries(operation.responses).map(([status, response]) =>
        element("tr", {}, element("td", {}, status), element("td", {}, response.description)))),
      element("h4", {}, "Try it"),
      tryIt(method, path, operation, all));
  });
  return details;
}

async function start() {
  const response = await fetch(new URL("./openapi.json", location.href));
  const api = await response.json();
  document.querySelector("#version").textContent = api.info.version;
  const all = (api.components && api.components.schemas) || {};
  const tags = new Map();
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = (operation.tags || ["Other"])[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(section(method.toUpperCase(), path, operation, all));
    }
  }
  main.replaceChildren(...[...tags].map(([tag, sections]) =>
    element("section", {}, element("h2", {}, tag), sections)));
}

start().catch((error) => {
  main.textContent = "The API's description could not be loaded: " + error.message;
});
`;
