// A call of the API as the guide writes it down, and as it looks in each language.
//
// A block of `http` is the one source: a line with the method and the path, and the body as JSON. `{{name}}` stands
// for a value that an earlier call has kept; `keep="name = plan.lago_id"` beside the language keeps one.

const NAME = /\{\{(\w+)\}\}/g;
const WIDTH = 84;

/** What a block of `http` says: `{ method, path, body, keep }`; throws where it is no call. */
export function parseRequest(text, meta = "") {
  const [line, ...rest] = text.trim().split("\n");
  const found = /^(GET|POST|PUT|PATCH|DELETE) (\/\S+)$/.exec(line.trim());
  if (!found) throw new Error(`no call: ${line}`);
  const body = rest.join("\n").trim();
  const kept = /keep="(\w+) = ([\w.[\]]+)"/.exec(meta);
  return {
    method: found[1],
    path: found[2],
    body: body ? { text: body, value: JSON.parse(body) } : undefined,
    keep: kept ? { name: kept[1], path: kept[2].split(/[.[\]]/).filter(Boolean) } : undefined,
  };
}

/** The languages, in the order of their tabs. */
export const LANGUAGES = [
  { name: "curl", label: "curl", code: "bash", render: curl },
  { name: "python", label: "Python", code: "python", render: python },
  { name: "node", label: "Node.js", code: "js", render: node },
  { name: "go", label: "Go", code: "go", render: go },
  { name: "ruby", label: "Ruby", code: "ruby", render: ruby },
];

// Who calls, by where a path begins: as curl says it, and what does so in the other languages (guide/clients.mdx).
const CALLERS = {
  admin: { name: "admin", root: "", curl: ` -H "X-Admin-API-Key: $ADMIN_KEY"` },
  app: { name: "app", root: "", curl: ` -b "$COOKIE" -H "X-Lago-Organization: $ORGANIZATION"` },
  portal: { name: "portal", root: "", curl: ` -H "Authorization: Bearer $TOKEN"` },
  files: { name: "anybody", root: "", curl: "" },
  health: { name: "anybody", root: "", curl: "" },
  ready: { name: "anybody", root: "", curl: "" },
};
const ORGANIZATION = { name: "api", root: "/api/v1", curl: ` -H "Authorization: Bearer $KEY"` };
const callerOf = (path) => CALLERS[/^\/(\w+)/.exec(path)?.[1]] ?? ORGANIZATION;

function curl({ method, path, body, keep }) {
  const verb = method === (body ? "POST" : "GET") ? "" : `-X ${method} `;
  const caller = callerOf(path);
  const parts = [`curl -s ${verb}"$URL${caller.root}${path.replace(NAME, (_, name) => `$${name.toUpperCase()}`)}"${caller.curl}`];
  if (body) {
    const text = body.text.replaceAll("'", "'\\''").replace(NAME, (_, name) => `'"$${name.toUpperCase()}"'`);
    parts.push("-H 'Content-Type: application/json'", `-d '${text}'`);
  }
  const command = parts.join(" \\\n  ");
  if (!keep) return command;
  const jq = keep.path.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join("");
  return `${keep.name.toUpperCase()}=$(${command} | jq -r '${jq}')`;
}

function python({ method, path, body, keep }) {
  const parts = [quoteOrFormat(path, (text) => JSON.stringify(text), (text) => `f${JSON.stringify(text.replace(NAME, "{$1}"))}`)];
  // httpx sends no body with DELETE but by `request`.
  const isByRequest = method === "DELETE" && body;
  const call = `${callerOf(path).name}.${isByRequest ? "request" : method.toLowerCase()}`;
  if (isByRequest) parts.unshift('"DELETE"');
  if (body) parts.push(`json=${literal(body.value, PYTHON)}`);
  const asked = `${call}(${parts.join(", ")})`;
  if (!keep) return asked;
  return `${keep.name} = ${asked}.json()${steps(keep.path)}`;
}

function node({ method, path, body, keep }) {
  const parts = [`"${method}"`, quoteOrFormat(path, (text) => JSON.stringify(text), (text) => `\`${text.replace(NAME, "${$1}")}\``)];
  if (body) parts.push(literal(body.value, JAVASCRIPT));
  const asked = `await ${callerOf(path).name}(${parts.join(", ")})`;
  if (!keep) return `${asked};`;
  const path_ = keep.path.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join("");
  return `const ${keep.name} = (${asked})${path_};`;
}

function go({ method, path, body, keep }) {
  const names = [...path.matchAll(NAME)].map(([, name]) => name);
  const where = names.length
    ? `fmt.Sprintf(${JSON.stringify(path.replace(NAME, "%v"))}, ${names.join(", ")})`
    : JSON.stringify(path);
  const asked = `${callerOf(path).name}("${method}", ${where}, ${body ? literal(body.value, GO) : "nil"})`;
  if (!keep) return asked;
  const taken = keep.path.map((part, index) => {
    const type = /^\d+$/.test(keep.path[index + 1] ?? "") ? "[]any" : index + 1 < keep.path.length ? "M" : undefined;
    return `${/^\d+$/.test(part) ? `[${part}]` : `["${part}"]`}${type ? `.(${type})` : ""}`;
  });
  return `${keep.name} := ${asked}${taken.join("")}`;
}

function ruby({ method, path, body, keep }) {
  const parts = [`"${method}"`, JSON.stringify(path.replace(NAME, "#{$1}"))];
  if (body) parts.push(literal(body.value, RUBY));
  const asked = `${callerOf(path).name}(${parts.join(", ")})`;
  return keep ? `${keep.name} = ${asked}${steps(keep.path)}` : asked;
}

const steps = (path) => path.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `["${part}"]`)).join("");

const quoteOrFormat = (text, quote, format) => (text.includes("{{") ? format(text) : quote(text));

const word = /^[A-Za-z_]\w*$/;
const PYTHON = { list: ["[", "]"], map: ["{", "}"], key: (k) => `"${k}": `, none: "None", yes: "True", no: "False" };
const JAVASCRIPT = {
  list: ["[", "]"], map: ["{ ", " }"], key: (k) => `${word.test(k) ? k : JSON.stringify(k)}: `, none: "null", yes: "true", no: "false",
};
const GO = { list: ["[]any{", "}"], map: ["M{", "}"], key: (k) => `"${k}": `, none: "nil", yes: "true", no: "false", closes: true };
const RUBY = {
  list: ["[", "]"], map: ["{ ", " }"], key: (k) => `${word.test(k) ? k : JSON.stringify(k)}: `, none: "nil", yes: "true", no: "false",
};

/** A JSON value as a language writes it, on one line where it fits. */
function literal(value, way, depth = 0) {
  if (value === null) return way.none;
  if (value === true) return way.yes;
  if (value === false) return way.no;
  if (typeof value === "string") return /^\{\{\w+\}\}$/.test(value) ? value.slice(2, -2) : JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  const [open, close] = Array.isArray(value) ? way.list : way.map;
  const items = Array.isArray(value)
    ? value.map((item) => literal(item, way, depth + 1))
    : Object.entries(value).map(([key, item]) => way.key(key) + literal(item, way, depth + 1));
  if (items.length === 0) return open.trim() + close.trim();
  const line = open + items.join(", ") + close;
  if (!line.includes("\n") && line.length + 2 * depth <= WIDTH) return line;
  const tab = "  ".repeat(depth + 1);
  const comma = way.closes ? "," : "";
  return `${open.trim()}\n${items.map((item) => tab + item).join(",\n")}${comma}\n${"  ".repeat(depth)}${close.trim()}`;
}
