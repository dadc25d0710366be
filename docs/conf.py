"""The site: ``tox -e docs`` builds it into ``docs/_build``. It needs graphviz."""

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
CHECKOUT = DOCS.parent
sys.path[:0] = [str(CHECKOUT / folder) for folder in (".", "emulator")]

from azure.communication.identity import __version__  # noqa: E402 - of this checkout

project = "Azure Communication Services Identity for Python"
author = "The contributors"
project_copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.graphviz",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "_generated", "requirements.txt"]
html_theme = "furo"
html_title = "azure-communication-identity"
graphviz_output_format = "svg"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
copybutton_prompt_text = "$ "

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
autodoc_inherit_docstrings = True
python_use_unqualified_type_names = True

# Every reference must lead somewhere. Those to other libraries stay names: the build needs no
# network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"azure\.(core|identity)\..*"),
    (r"py:.*", r"azure\.communication\.identity\.(aio\.)?_.*"),
    (r"py:.*", r"acs_identity_emulator\..*"),
    (r"py:.*", r"(aiohttp|asyncio|collections|datetime|enum|logging|requests|ssl)\..*"),
    (r"py:.*", r"(typing|typing_extensions|urllib3)\..*"),
]

# Documents of the repository that are pages of the site, or parts of pages.
PAGES = {
    "README.md": "index",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "SECURITY.md": "security",
    "TROUBLESHOOTING.md": "errors",
    "design-decisions.md": "design-decisions",
    "api.md": "reference/client",
    "benchmarks/README.md": "performance",
    "emulator/README.md": "testing",
    "token_service/README.md": "token-service",
}
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?://|#)([^)#\s]+)(#[^)\s]*)?\)")


def _for_site(text: str, folder: str) -> str:
    """A document of a folder, whose links lead to pages of the site or are plain text."""

    def replacement(match: re.Match[str]) -> str:
        text, target, anchor = match.groups()
        path = posixpath.normpath(posixpath.join(folder, target))
        if path in PAGES:
            return f"[{text}](/{PAGES[path]}.md{anchor or ''})"
        if path.startswith("docs/"):
            return f"[{text}](/{path.removeprefix('docs/')}{anchor or ''})"
        return text if text.startswith("`") else f"`{path}`"

    return _LINK.sub(replacement, text)


def _read(_app: object, page: str, source: list[str]) -> None:
    # Links between documents work in the repository, too, where some pages are elsewhere.
    source[0] = _for_site(source[0], posixpath.dirname(f"docs/{page}"))


def _generate(_app: object) -> None:
    generated = DOCS / "_generated"
    generated.mkdir(exist_ok=True)
    for document in PAGES:
        text = (CHECKOUT / document).read_text(encoding="utf-8")
        target = generated / document.replace("/", "-")
        target.write_text(_for_site(text, posixpath.dirname(document)), encoding="utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", _generate)
    app.connect("source-read", _read)
