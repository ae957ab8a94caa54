"""What a user writes and names: suites, generators, folders of clips, a new workspace."""
