"""The verdict in words: terminal, Markdown, and explanations."""
