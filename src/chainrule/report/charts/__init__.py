"""Charts as SVG inside a page, in the page's own light or dark colours."""
