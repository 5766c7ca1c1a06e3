"""The film of a training, as frames for GIF and MP4, as a page, and as stills."""
