import { defineConfig } from "vite";

// Hashed files under dist/assets and dist/manifest.json; the template tag `{% asset %}` reads the manifest.
export default defineConfig({
  base: "/static/",
  publicDir: false,
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    target: "es2022",
    chunkSizeWarningLimit: 800,
    rollupOptions: { input: "src/main.ts" },
  },
});
