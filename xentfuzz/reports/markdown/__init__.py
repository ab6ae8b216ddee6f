"""The results document as Markdown: report.md of a run, and the summary of a CI step."""
