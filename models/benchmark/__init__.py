"""`cleanplate bench matting`: how fast frames become composites, side by side with plain torch."""
