import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The server that `npm run dev` shows the pages of: one that runs already.
const server = process.env.TALLYMARK_URL ?? "http://127.0.0.1:8787";
const paths = ["/api", "/app/v1", "/portal/v1", "/files", "/openapi.json"];

/** Has the font of every page come with its scripts: found in the styles it would come last, and move what is painted. */
const earlyFont: Plugin = {
  name: "early-font",
  transformIndexHtml: {
    order: "post",
    handler: (_page, { bundle }) =>
      Object.keys(bundle ?? {})
        .filter((name) => /inter-variable.*\.woff2$/.test(name))
        .map((name) => ({
          tag: "link",
          attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: true, href: `/${name}` },
          injectTo: "head" as const,
        })),
  },
};

export default defineConfig({
  plugins: [react(), earlyFont],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/tallymark/web/dist",
    emptyOutDir: true,
    target: "es2024",
    assetsInlineLimit: 0, // the content security policy takes no data: scripts, and fonts are cached for good
  },
  server: { proxy: Object.fromEntries(paths.map((path) => [path, { target: server, changeOrigin: false }])) },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
