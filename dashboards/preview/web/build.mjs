// `node build.mjs OUT`: bundles src/page.tsx and its styles into OUT/preview.js and OUT/preview.css.

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: { preview: here('src/page.tsx') },
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  outdir: process.argv[2],
  nodePaths: [here('node_modules')],
  alias: { 'react-inlinesvg': here('src/icons.tsx') },
  loader: { '.svg': 'text', '.woff2': 'dataurl', '.woff': 'dataurl', '.ttf': 'dataurl' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  logLevel: 'warning',
  logOverride: { 'empty-import-meta': 'silent' },
});
