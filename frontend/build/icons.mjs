// Gathers the Tabler outline icons that templates and Python files name into one sprite, dist/assets/icons-<hash>.svg,
// and enters it in the manifest as "icons". Any quoted word that is the name of an icon counts as use: a few are taken
// in vain, none is missed.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const source = join(here, "../src/hagukumi");
const icons = join(here, "node_modules/@tabler/icons/icons/outline");
const quoted = /["']([a-z][a-z0-9]*(?:-[a-z0-9]+)*)["']/g;

const names = new Set();
for (const file of readdirSync(source, { recursive: true })) {
  if (!/\.(py|html)$/.test(file)) continue;
  for (const [, name] of readFileSync(join(source, file), "utf8").matchAll(quoted)) names.add(name);
}

const symbols = [...names].toSorted().flatMap((name) => {
  const path = join(icons, `${name}.svg`);
  if (!existsSync(path)) return [];
  const inner = readFileSync(path, "utf8").replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "").replace(/\s*\n\s*/g, "");
  return [`<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`];
});
const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
const file = `assets/icons-${createHash("sha256").update(sprite).digest("hex").slice(0, 8)}.svg`;
writeFileSync(join(here, "dist", file), sprite);

const manifest = join(here, "dist/manifest.json");
writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), icons: { file } }, null, 2));
console.log(`${symbols.length} icons in ${file}`);
