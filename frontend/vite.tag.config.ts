import { defineConfig } from "vite";

// The tracking tag: one small script without modules, collector/tag.js, which the collector serves to others' sites.
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../src/hagukumi/collector",
    emptyOutDir: false,
    target: "es2020",
    modulePreload: false,
    rollupOptions: {
      input: "tag/tag.ts",
      output: { format: "iife", entryFileNames: "tag.js", banner: "/*! Hagukumi */" },
    },
  },
});
