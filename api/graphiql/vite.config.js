import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { collect, write } from './licenses.js';

// GraphiQL's style sheet embeds Roboto and Fira Code, half of the page's weight; the reader's own
// fonts do. Monaco's icon font stays.
const withoutFonts = {
  name: 'without-fonts',
  enforce: 'pre',
  transform(code, id) {
    if (!/\.css(\?|$)/.test(id)) return null;
    return code.replace(/@font-face\s*\{[^}]*\}/g, (rule) => (/codicon/.test(rule) ? rule : ''));
  },
};

export default defineConfig({
  base: './',
  // The page stands at `/`, its files at `/static/`; relative, so that a proxy may add a prefix.
  experimental: {
    renderBuiltUrl: (file, { hostType }) =>
      hostType === 'html' ? `./static/${file}` : { relative: true },
  },
  plugins: [withoutFonts, react(), collect(), write()],
  worker: { format: 'es', plugins: () => [collect()] },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 4000,
    reportCompressedSize: false,
    rolldownOptions: {
      // "use no memo" speaks to a compiler that has already run.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
});
