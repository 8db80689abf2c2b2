import { defineConfig } from "vitest/config";

// An island stands beside its noun, src/hagukumi/screens/<group>/<noun>/<name>.ts; its packages stand here.
const screens = new URL("../src/hagukumi/screens/", import.meta.url).pathname;
const here = new URL("./src/main.ts", import.meta.url).pathname;
const packages = {
  name: "packages-of-islands",
  resolveId(this: any, source: string, importer: string | undefined, options: object) {
    if (!importer?.startsWith(screens) || /^[./\0]/.test(source)) return null;
    return this.resolve(source, here, { ...options, skipSelf: true });
  },
};

// Hashed files under dist/assets and dist/manifest.json; the template tag `{% asset_script %}` reads the manifest.
export default defineConfig({
  base: "/static/",
  publicDir: false,
  plugins: [packages],
  server: { fs: { allow: [".", screens] } },
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    target: "es2022",
    chunkSizeWarningLimit: 800,
    rollupOptions: { input: "src/main.ts" },
  },
  test: {
    environment: "happy-dom",
    dir: "..",
    include: ["frontend/{src,tag}/**/*.test.ts", "src/hagukumi/screens/**/*.test.ts"],
  },
});
