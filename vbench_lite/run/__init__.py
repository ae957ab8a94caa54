"""A run as one typed record: its folder, manifest, plan, clip table, summary and view."""
