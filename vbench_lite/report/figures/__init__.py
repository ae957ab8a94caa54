"""The figures of a report, drawn as SVG."""
