"""Reads what a user writes or names: suites, generators, folders of clips, score tables; and writes new workspaces."""
