import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server that `npm run dev` shows the pages of: one that runs already.
const server = process.env.TALLYMARK_URL ?? "http://127.0.0.1:8787";
const paths = ["/api", "/app/v1", "/portal/v1", "/files", "/openapi.json"];

export default defineConfig({
  plugins: [react()],
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
