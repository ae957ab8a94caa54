"""Feature extractors, one file each. One decode of a clip feeds all of them; metrics read their arrays."""
