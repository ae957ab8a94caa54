"""People judge clips on a local page without seeing which generator made them: questions, server, page, files."""
