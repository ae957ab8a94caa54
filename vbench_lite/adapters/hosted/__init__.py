"""The adapter of hosted services: submit, poll, download, as a TOML file describes them."""
