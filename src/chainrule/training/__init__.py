"""One fit for every training: it takes a plan and tells events; everything else consumes them."""
