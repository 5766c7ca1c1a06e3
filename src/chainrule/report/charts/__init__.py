"""Charts as SVG inside a page: their colours are the page's, light or dark."""
