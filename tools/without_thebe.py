"""A Sphinx extension that leaves out the scripts of Thebe, which Jupyter Book always brings.

Named in `_config.yml`; `make book` loads it. Thebe would run cells in the page on a server, but
this book has no button for that. Its script stood on each page twice, and each page complained in
the browser's console that `THEBE_JS_URL` was declared already.
"""

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this when it loads the extension, after those of Jupyter Book."""
    app.setup_extension("sphinx_thebe")
    for listeners in app.events.listeners.values():
        listeners[:] = [
            each for each in listeners if not each.handler.__module__.startswith("sphinx_thebe")
        ]
    app.registry.css_files[:] = [
        (name, options) for name, options in app.registry.css_files if "thebe" not in str(name)
    ]
    return {"parallel_read_safe": True, "parallel_write_safe": True}
