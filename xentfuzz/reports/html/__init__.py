"""The report as one HTML file: `page.py` first, then the module of the section that you look for.

Each section is a module that turns the document into `Table` and `Figure` (see `elements.py`), and a template of the same name. Nothing of
what a document holds is trusted: templates escape it, and the page loads nothing from elsewhere.
"""
