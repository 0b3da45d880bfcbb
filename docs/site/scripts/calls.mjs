// Tells as JSON each example of the API reference in every language: `node calls.mjs OPENAPI_JSON`, for the test that makes them.

import { readFileSync } from "node:fs";
import { LANGUAGES, parseRequest } from "../src/remark/request.mjs";
import { METHODS, exampleOf } from "./examples.mjs";

const description = JSON.parse(readFileSync(process.argv[2], "utf8"));
const calls = Object.entries(description.paths).flatMap(([path, on]) =>
  METHODS.filter((method) => on[method]).map((method) => {
    const request = parseRequest(exampleOf(method, path, on[method], description));
    const code = Object.fromEntries(LANGUAGES.map(({ name, render }) => [name, render(request)]));
    return { operation: `${method.toUpperCase()} ${path}`, called: request.path, body: request.body?.value ?? null, code };
  }),
);
console.log(JSON.stringify(calls));
