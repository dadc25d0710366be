"""The site: ``tox -e docs`` builds it into ``docs/_build``."""

import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT))

from azure.communication.identity import __version__  # noqa: E402 - from this checkout

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
exclude_patterns = ["_build", "requirements.txt"]
html_theme = "furo"
html_title = "azure-communication-identity"
html_static_path = ["_static"]
graphviz_output_format = "svg"

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
copybutton_prompt_text = "$ "

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "inherited-members": False, "show-inheritance": True}
python_use_unqualified_type_names = True

# Every reference must lead somewhere. Those to other libraries are names only: the build needs no
# network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"azure\.(core|identity|mgmt)\..*"),
    (r"py:.*", r"(aiohttp|asyncio|collections|datetime|enum|requests|ssl|typing|urllib3)\..*"),
]
