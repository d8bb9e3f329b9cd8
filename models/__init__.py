"""Networks, weights and pixels: everything that needs torch, and nothing that needs a network.

Importing the package alone imports no torch; `models.errors`, `models.backdrop` and `models.report`
are plain data for callers that never touch a tensor.
"""
