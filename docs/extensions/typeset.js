// Typesets mathematics for extensions/mathematics.py. Started as `node typeset.js FOLDER`, with the
// folder of MathJax; each line of standard input is a request and each line of standard output its
// reply, both in JSON. The first line of output is the style sheet.

const readline = require("node:readline");
const folder = process.argv[2];

globalThis.MathJax = {
  loader: {
    paths: { mathjax: folder },
    require,
    load: ["input/tex", "output/svg", "adaptors/liteDOM", "a11y/assistive-mml"],
  },
  tex: {
    // An unknown macro is an error here, not red text on a page.
    packages: { "[-]": ["noundefined"] },
    formatError: (_jax, error) => {
      throw error;
    },
  },
  svg: { fontCache: "global" },
  startup: { typeset: false },
};
require(`${folder}/startup.js`);

function reply(request) {
  const { startup, tex2svg } = MathJax;
  if (request.glyphs) {
    const cache = startup.document.outputJax.fontCache.getCache();
    const shapes = startup.adaptor.childNodes(cache).map((path) => [
      startup.adaptor.getAttribute(path, "id"),
      startup.adaptor.outerHTML(path),
    ]);
    return { glyphs: Object.fromEntries(shapes) };
  }
  try {
    const node = tex2svg(request.tex, { display: request.display });
    return { html: startup.adaptor.outerHTML(node) };
  } catch (error) {
    return { error: error.message };
  }
}

MathJax.startup.promise.then(async () => {
  const style = MathJax.startup.adaptor.textContent(MathJax.svgStylesheet());
  console.log(JSON.stringify({ style }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(reply(JSON.parse(line))));
  }
});
