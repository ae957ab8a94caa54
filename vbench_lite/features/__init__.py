"""What one decode of a clip leaves for the metrics: one file per feature extractor."""
