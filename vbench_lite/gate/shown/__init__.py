"""The verdict as text: terminal, Markdown, and explanations."""
