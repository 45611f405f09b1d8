import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The coordinator that a page in development talks to: `npx vite`, beside a demo.
const COORDINATOR = "http://127.0.0.1:8150";

export default defineConfig({
  plugins: [react()],
  base: "/dashboard/",
  build: {
    outDir: "../built",
    emptyOutDir: true,
    target: "es2022",
    // Nothing inline: the coordinator's policy lets a browser run this host's files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: COORDINATOR, ws: true } } },
});
