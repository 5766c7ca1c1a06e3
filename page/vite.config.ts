import { defineConfig, type Plugin } from "vite";

/** KaTeX's style sheet names each font in three formats; every browser that runs this page reads woff2. */
function onlyWoff2(): Plugin {
  return {
    name: "only-woff2",
    enforce: "pre",
    transform(code, id) {
      if (!id.split("?")[0]!.endsWith("katex.min.css")) return null;
      return code.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "");
    },
  };
}

export default defineConfig({
  // The page lies where the server says, and asks no other host.
  base: "./",
  plugins: [onlyWoff2()],
  build: {
    outDir: process.env["PAGE_OUT"] ?? "../src/chainrule/playground/page",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    assetsInlineLimit: 0, // the page's Content-Security-Policy has no data: and no inline script
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/ws": { target: process.env["PLAY"] ?? "http://127.0.0.1:8000", ws: true, changeOrigin: true },
      "/upload": { target: process.env["PLAY"] ?? "http://127.0.0.1:8000", changeOrigin: true },
      "/download": { target: process.env["PLAY"] ?? "http://127.0.0.1:8000", changeOrigin: true },
    },
  },
});
