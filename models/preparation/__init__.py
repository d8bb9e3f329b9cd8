"""Training material made from footage: chroma key for screens, cut-outs of ordinary photos."""
