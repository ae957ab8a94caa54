"""The adapter of hosted services: submits, polls and downloads as a TOML file describes."""
