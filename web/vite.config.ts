import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// The addresses are relative, so that the page also works behind a proxy that adds a path.
export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'], // the first with light-dark() in style sheets
    outDir: '../src/bise/serve/page',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the page's policy takes no data: but pictures
    modulePreload: false, // there is one script
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:8000', '/tokenize': 'http://127.0.0.1:8000', '/render': 'http://127.0.0.1:8000' } },
})
