// Tells as JSON what a page's reader would run: `node snippets.mjs PAGE ...`, for the test that runs it.
// A page is a list of steps: a call in each language, and what its answer is to hold.

import { readFileSync } from "node:fs";
import { LANGUAGES, parseRequest } from "../src/remark/request.mjs";

const BLOCK = /^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm;

function steps(text) {
  const found = [];
  let expected = null;
  for (const [, language, meta, value] of text.matchAll(BLOCK)) {
    if (language === "http") {
      const request = parseRequest(value, meta);
      const code = Object.fromEntries(LANGUAGES.map(({ name, render }) => [name, render(request)]));
      expected = { code, kept: request.keep?.name ?? null, line: `${request.method} ${request.path}`, answer: null };
      found.push(expected);
    } else if (language === "json" && /\banswer\b/.test(meta)) {
      if (!expected) throw new Error("an answer without a call");
      expected.answer = JSON.parse(value);
    }
  }
  return found;
}

const pages = process.argv.slice(2).map((path) => [path, steps(readFileSync(path, "utf8"))]);
console.log(JSON.stringify(Object.fromEntries(pages)));
