// Parses each diagram, given as one JSON list on stdin; says what is wrong with the first that is.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

globalThis.window = new JSDOM("").window;
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");

for (const diagram of JSON.parse(readFileSync(0, "utf8"))) await mermaid.parse(diagram);
