"""From preprocessed images to points on their strokes."""
