// An example of each operation: values that read like somebody's, taken by the names of fields.

import { readFileSync } from "node:fs";

const KNOWN = JSON.parse(readFileSync(new URL("../reference/examples.json", import.meta.url)));
const UUID = "01930f6e-9c1b-7d52-8a44-2f0f6f1f8c11";
const MOST_OPTIONAL = 3;

/** Of operations, in the order in which a page has them. */
export const METHODS = ["post", "get", "put", "patch", "delete"];

/** The block of `http` that calls an operation: as it is written in examples.json, else made of its schema. */
export function exampleOf(method, path, operation, description) {
  const verb = method.toUpperCase();
  const called = path.replace(/^\/api\/v1/, "").replace(/(\w+)?\/\{(\w+)\}/g, (_, of = "", name) => `${of}/${named(of, name)}`);
  const place = `${verb} ${path.replace(/^\/api\/v1/, "")}`;
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  const body = KNOWN.body[place] ?? (schema && bodyOf(schema, description));
  const asked = KNOWN.query[place] ? `?${KNOWN.query[place]}` : query(operation);
  return `${verb} ${called}${asked}${body === undefined ? "" : `\n${JSON.stringify(body, null, 2)}`}`;
}

/** What stands in a path for the name of one of those. */
const named = (of, name) => KNOWN.of[of]?.[name] ?? KNOWN.path[name] ?? valueOf(name, {});

function query(operation) {
  const must = (operation.parameters ?? []).filter((one) => one.in === "query" && one.required);
  return must.length ? `?${must.map((one) => `${one.name}=${encodeURIComponent(valueOf(one.name, one.schema ?? {}))}`).join("&")}` : "";
}

function bodyOf(schema, description, within = []) {
  const target = resolve(schema, description);
  if (target.type === "array") return [bodyOf(target.items ?? {}, description, within)];
  if (!target.properties) return valueOf("", target);
  const must = Object.keys(target.properties).filter((name) => target.required?.includes(name));
  const names = must.length ? must : Object.keys(target.properties).slice(0, MOST_OPTIONAL);
  return Object.fromEntries(
    names.map((name) => {
      const value = resolve(target.properties[name], description);
      const isInside = value.properties && !within.includes(value);
      if (isInside) return [name, bodyOf(value, description, [...within, value])];
      if (value.type === "array" && value.items) {
        const item = resolve(value.items, description);
        if (item.properties && !within.includes(item)) return [name, [bodyOf(item, description, [...within, item])]];
        return [name, [valueOf(name.replace(/s$/, ""), item)]];
      }
      return [name, valueOf(name, value)];
    }),
  );
}

function resolve(schema, description) {
  if (schema.$ref) return resolve(description.components.schemas[schema.$ref.split("/").at(-1)], description);
  const either = schema.anyOf ?? schema.oneOf ?? (schema.allOf?.length === 1 ? schema.allOf : undefined);
  if (either) return resolve(either.find((one) => one.type !== "null") ?? {}, description);
  return schema;
}

function valueOf(name, schema) {
  if (name in KNOWN.field) return KNOWN.field[name];
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.format === "uuid" || /(^|_)id$/.test(name)) return UUID;
  if (/_at$|_from$|_to$/.test(name)) return "2026-01-31T00:00:00Z";
  if (/_date$/.test(name)) return "2026-01-31";
  if (/_cents$/.test(name)) return 4900;
  if (schema.type === "boolean") return true;
  if (schema.type === "integer" || schema.type === "number") return 10;
  if (schema.type === "object") return {};
  return name ? name.replaceAll("_", "-") : "text";
}
