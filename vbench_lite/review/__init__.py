"""The review page, on which people judge clips without seeing the generator: questions, server, page, files."""
