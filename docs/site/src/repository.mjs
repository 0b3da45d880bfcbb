// Where the source is, for links to what is no page of the site.

import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
export const REPOSITORY = (process.env.REPOSITORY_URL || "https://github.com/tallymark/tallymark").replace(/\/$/, "");
