"""The playground's server: the page, one WebSocket a page, uploads and downloads."""
