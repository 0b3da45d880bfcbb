// Takes in the pages of docs/ for those who run Tallymark: `node pages.mjs FOLDER`. They stay where they are written, and as they are;
// what they link to that is no page is linked to at the source. A link to nothing ends the build.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { REPOSITORY, ROOT } from "../src/repository.mjs";

const DOCS = `${ROOT}/docs`;
const FOLDERS = ["hosting", "operations", "runbooks", "decisions", "rules"];
const CHANGELOG = `${ROOT}/CHANGELOG.md`;
/** What GitHub wants at the root of the repository. */
const OF_THE_ROOT = { CONTRIBUTING: "contributing", SECURITY: "security" };
const LINK = /(!?\[[^\]]*\]\()([^)\s#:]+)(#[^)\s]*)?(\))/g;

const isPage = (name) => name.endsWith(".md");
const within = (folder) =>
  existsSync(`${DOCS}/${folder}`) ? readdirSync(`${DOCS}/${folder}`, { recursive: true }).map((name) => `${folder}/${name}`) : [];

const [folder] = process.argv.slice(2);
const pages = new Map([...readdirSync(DOCS), ...FOLDERS.flatMap(within)].filter(isPage).map((name) => [`${DOCS}/${name}`, name]));
pages.set(CHANGELOG, "changelog.md");
for (const [name, to] of Object.entries(OF_THE_ROOT)) pages.set(`${ROOT}/${name}.md`, `${to}.md`);

/** A page's text with its links as they are to be in its new place. */
function moved(file, to) {
  return readFileSync(file, "utf8").replaceAll(LINK, (whole, before, link, anchor = "", after) => {
    if (link.startsWith("/")) return `${before}pathname://${link}${anchor}${after}`; // a file of the server's that the site has, too
    const target = resolve(dirname(file), link);
    if (!existsSync(target)) throw new Error(`${relative(ROOT, file)} links to ${link}, which is not there`);
    if (pages.has(target)) return `${before}${relative(dirname(to), pages.get(target)).replace(/^(?!\.)/, "./")}${anchor}${after}`;
    if (before.startsWith("!")) {
      cpSync(target, resolve(folder, dirname(to), link));
      return whole;
    }
    const kind = statSync(target).isDirectory() ? "tree" : "blob";
    return `${before}${REPOSITORY}/${kind}/main/${relative(ROOT, target)}${anchor}${after}`;
  });
}

rmSync(folder, { recursive: true, force: true });
for (const [file, to] of pages) {
  mkdirSync(dirname(`${folder}/${to}`), { recursive: true });
  const head = file === CHANGELOG ? "---\nslug: /changelog\n---\n\n" : "";
  writeFileSync(`${folder}/${to}`, head + moved(file, to));
}
