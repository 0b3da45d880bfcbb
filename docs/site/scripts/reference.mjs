// Writes the pages of the API reference from the API's description: `node reference.mjs OPENAPI_JSON FOLDER`.
// One page a resource: its operations, each with an example in every language, and the objects that they answer with.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { METHODS, exampleOf } from "./examples.mjs";

const GROUPS = {
  Usage: ["events", "event_backfills", "billable_metrics", "customer_usage", "lifetime_usage", "alerts"],
  Pricing: ["plans", "add_ons", "coupons", "taxes", "features", "entitlements"],
  Customers: ["customers", "subscriptions", "wallets"],
  Invoices: ["invoices", "fees", "credit_notes", "payments", "payment_requests", "invoice_custom_sections", "journal"],
  Organization: ["organizations", "billing_entities", "webhook_endpoints", "test_clock", "analytics", "data exports"],
  Logs: ["activity_logs", "api_logs", "security_logs"],
  Operator: ["admin", "operations"],
};
const OF_THE_APP = "Web app and portal";

// What is said of fields that say nothing themselves.
const FIELDS = JSON.parse(readFileSync(new URL("../reference/fields.json", import.meta.url)));

const [source, folder] = process.argv.slice(2);
const description = JSON.parse(readFileSync(source, "utf8"));
const schemas = description.components.schemas;

const nameOf = (reference) => reference.split("/").at(-1);
const words = (text) => text.replace(/[_:]+/g, " ").replace(/\s+/g, " ").trim();
const sentence = (text) => {
  const small = words(text).toLowerCase().replace(/\bapi\b/g, "API").replace(/\burl\b/g, "URL");
  return small[0].toUpperCase() + small.slice(1);
};
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const titleOf = (schema) =>
  sentence(schema.split("__").at(-1).replace(/(Output|Response|Object)?_?$/, "").replace(/([a-z])([A-Z])/g, "$1 $2")) || "Object";

/** A text of the description as MDX has it: no markup but its code. */
const escaped = (text) =>
  (text ?? "")
    .split(/(`+[^`]*`+)/)
    .map((part, index) => (index % 2 ? part : part.replace(/[{<]/g, "\\$&")))
    .join("")
    .replace(/\s*\n\s*/g, " ");

/** What a value is, in words; `link` names the object of a schema, and is given where objects have a place. */
function typeOf(schema, link) {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    const target = schemas[name];
    if (target.enum) return `one of ${target.enum.map((value) => `\`${value}\``).join(", ")}`;
    if (target.type !== "object" && !target.properties) return typeOf(target, link);
    return link ? link(name) : "object";
  }
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return `one of ${schema.enum.map((value) => `\`${value}\``).join(", ")}`;
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return [...new Set(either.map((one) => typeOf(one, link)))].join(" or ");
  if (schema.allOf?.length === 1) return typeOf(schema.allOf[0], link);
  if (schema.type === "array") return `list of ${schema.items ? plural(typeOf(schema.items, link)) : "anything"}`;
  if (schema.type === "object") return "object";
  if (schema.type === "string") return { uuid: "uuid", date: "date", "date-time": "time" }[schema.format] ?? `string${length(schema)}`;
  if (schema.type === "integer" || schema.type === "number") return `${schema.type}${bounds(schema)}`;
  return schema.type === "null" ? "null" : schema.type === "boolean" ? "boolean" : "anything";
}

const plural = (type) => ({ object: "objects", string: "strings", integer: "integers", number: "numbers" })[type] ?? type;
const length = ({ maxLength }) => (maxLength ? `, up to ${maxLength} characters` : "");
function bounds(schema) {
  // Those of 64 bits hold everywhere, and say nothing here.
  const told = (...bounds) => bounds.find((bound) => Math.abs(bound) < Number.MAX_SAFE_INTEGER);
  const least = told(schema.ge, schema.minimum);
  const above = told(schema.gt, schema.exclusiveMinimum);
  const most = told(schema.le, schema.maximum);
  const parts = [];
  if (least !== undefined) parts.push(`from ${least}`);
  if (above !== undefined) parts.push(`above ${above}`);
  if (most !== undefined) parts.push(`up to ${most}`);
  return parts.length ? `, ${parts.join(", ")}` : "";
}

/** The schema of the object inside of a value: of a list's items, of what may be null. */
function objectIn(schema) {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return schemas[name].properties ? name : objectIn(schemas[name]);
  }
  for (const one of schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []) {
    const found = objectIn(one);
    if (found) return found;
  }
  return schema.items ? objectIn(schema.items) : undefined;
}

/** Lines of a list of fields; of inputs with what is inside of them, of outputs with links to it. */
function fields(name, { link, within = [], required = true }, depth = 0) {
  const schema = schemas[name];
  const lines = [];
  for (const [field, value] of Object.entries(schema.properties ?? {})) {
    const must = required && schema.required?.includes(field) ? " **required**" : "";
    const text = value.description ?? FIELDS[field];
    lines.push(`${"  ".repeat(depth)}- \`${field}\` _${escaped(typeOf(value, link))}_${must}${text ? ` ${escaped(text)}` : ""}`);
    const inner = link ? undefined : objectIn(value);
    if (inner && !within.includes(inner)) {
      lines.push(...fields(inner, { link, within: [...within, inner], required }, depth + 1));
    }
  }
  return lines;
}

const listed = (lines) => (lines.length ? `<div className="fields">\n\n${lines.join("\n")}\n\n</div>\n` : "");

const bodyOf = (operation) => operation.requestBody?.content?.["application/json"]?.schema;
const answerOf = (operation) => operation.responses?.["200"]?.content?.["application/json"]?.schema;

function parameters(operation, where) {
  return (operation.parameters ?? [])
    .filter((one) => one.in === where && one.name.toLowerCase() !== "authorization")
    .map((one) => {
      const must = one.required && where !== "path" ? " **required**" : "";
      return `- \`${one.name}\` _${escaped(typeOf(one.schema ?? {}))}_${must} ${escaped(one.description)}`.trimEnd();
    });
}

function answers(operation, objects) {
  const link = (name) => {
    objects.add(name);
    return `[${titleOf(name).toLowerCase()}](#${anchorOf(name)})`;
  };
  const schema = answerOf(operation);
  const codes = Object.keys(operation.responses ?? {}).filter((code) => code !== "200");
  const errors = codes.length ? ` [Errors](./errors.mdx): ${codes.map((code) => `\`${code}\``).join(" ")}.` : "";
  if (!schema) return `Answers \`200\`.${errors}`;
  const root = schema.$ref && schemas[nameOf(schema.$ref)];
  if (!root?.properties) return `Answers \`200\` with ${escaped(typeOf(schema, link))}.${errors}`;
  const parts = Object.entries(root.properties)
    .slice(0, 6)
    .map(([field, value]) => `\`${field}\` (${field === "meta" ? "[pages](./conventions.mdx#pages)" : escaped(typeOf(value, link))})`);
  return `Answers \`200\` with ${parts.join(", ")}.${errors}`;
}

const anchorOf = (name) => `the-object-${slug(name)}`;

function operationText(method, path, operation, objects) {
  const query = parameters(operation, "query");
  const headers = parameters(operation, "header");
  const inPath = parameters(operation, "path");
  const body = bodyOf(operation);
  const bodyName = body && objectIn(body);
  const example = exampleOf(method, path, operation, description);
  return [
    `## ${sentence(operation.summary)}\n`,
    `<div className="call ${method}"><b>${method.toUpperCase()}</b> ${escaped(path)}</div>\n`,
    `${escaped(operation.description)}\n`,
    inPath.length ? `**In the path**\n\n${listed(inPath)}` : "",
    query.length ? `**Query**\n\n${listed(query)}` : "",
    headers.length ? `**Headers**\n\n${listed(headers)}` : "",
    bodyName ? `**Body**\n\n${listed(fields(bodyName, { within: [bodyName] }))}` : "",
    `\`\`\`http\n${example}\n\`\`\`\n`,
    `${answers(operation, objects)}\n`,
  ]
    .filter(Boolean)
    .join("\n");
}

/** The objects of a page, with those that are inside of them. */
function objectsText(objects) {
  const done = [];
  const waiting = [...objects];
  const known = new Set(objects);
  while (waiting.length) {
    const name = waiting.shift();
    const link = (other) => {
      if (!known.has(other)) {
        known.add(other);
        waiting.push(other);
      }
      return `[${titleOf(other).toLowerCase()}](#${anchorOf(other)})`;
    };
    const lines = fields(name, { link, required: false });
    const text = schemas[name].description ? `${escaped(schemas[name].description)}\n` : "";
    done.push(`### ${titleOf(name)} {#${anchorOf(name)}}\n\n${text}\n${listed(lines) || "Any keys.\n"}`);
  }
  return done.length ? `## Objects\n\n${done.join("\n")}` : "";
}

function page(tag, operations) {
  const objects = new Set();
  const parts = operations.map(({ method, path, operation }) => operationText(method, path, operation, objects));
  const title = sentence(tag.replace(/^app: /, ""));
  const head = `---\ntitle: ${JSON.stringify(title)}\nid: ${idOf(tag)}\ncustom_edit_url: null\n---\n`;
  return `${head}\n${parts.join("\n")}\n${objectsText(objects)}`;
}

const idOf = (tag) => slug(tag);

const byTag = new Map();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const method of METHODS.filter((one) => methods[one])) {
    const operation = methods[method];
    const tag = operation.tags?.[0] ?? "other";
    byTag.set(tag, [...(byTag.get(tag) ?? []), { method, path, operation }]);
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [tag, operations] of byTag) writeFileSync(`${folder}/${idOf(tag)}.mdx`, page(tag, operations));
for (const name of ["index", "conventions", "errors"]) {
  writeFileSync(`${folder}/${name}.mdx`, readFileSync(new URL(`../reference/${name}.mdx`, import.meta.url)));
}

const placed = new Set(Object.values(GROUPS).flat());
const inGroup = (tags) => tags.filter((tag) => byTag.has(tag)).map(idOf);
const ofTheApp = [...byTag.keys()].filter((tag) => tag.startsWith("app:") || tag === "portal");
const others = [...byTag.keys()].filter((tag) => !placed.has(tag) && !ofTheApp.includes(tag));
const groups = { ...GROUPS, More: others, [OF_THE_APP]: ofTheApp };
const sidebar = [
  "index",
  "conventions",
  "errors",
  ...Object.entries(groups)
    .filter(([, tags]) => inGroup(tags).length)
    .map(([label, tags]) => ({ type: "category", label, collapsed: label === OF_THE_APP, items: inGroup(tags) })),
];
writeFileSync(`${folder}-sidebar.mjs`, `export default ${JSON.stringify({ reference: sidebar }, null, 2)};\n`);
