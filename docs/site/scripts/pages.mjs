// Takes in the pages of docs/ for those who run Tallymark: `node pages.mjs FOLDER`. They stay where they are written, and as they are.

import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DOCS = fileURLToPath(new URL("../..", import.meta.url));
const FOLDERS = ["hosting", "operations", "runbooks", "decisions", "rules"];

const [folder] = process.argv.slice(2);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(DOCS).filter((name) => name.endsWith(".md"))) cpSync(`${DOCS}/${name}`, `${folder}/${name}`);
for (const name of FOLDERS.filter((name) => existsSync(`${DOCS}/${name}`))) cpSync(`${DOCS}/${name}`, `${folder}/${name}`, { recursive: true });
// The changelog lies above them, and links to them from there.
const changelog = readFileSync(`${DOCS}/../CHANGELOG.md`, "utf8").replaceAll("](docs/", "](");
writeFileSync(`${folder}/changelog.md`, `---\nslug: /changelog\n---\n\n${changelog}`);
