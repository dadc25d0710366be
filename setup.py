"""The distribution azure-communication-identity."""

import re
from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent
PACKAGE = "azure.communication.identity"


def version() -> str:
    # Read and not imported: what the package imports need not be installed when it is built.
    source = HERE.joinpath(*PACKAGE.split("."), "_version.py").read_text(encoding="utf-8")
    match = re.search(r'^VERSION = "([^"]+)"$', source, re.MULTILINE)
    if match is None:
        raise ValueError('_version.py has no line VERSION = "..."')
    return match[1]


def description() -> str:
    """The README, with the text of its relative links: on an index page they would lead nowhere."""
    readme = HERE.joinpath("README.md").read_text(encoding="utf-8")
    block_or_link = r"(^```.*?^```$)|\[([^]]+)\]\((?!https?:|#)[^)]+\)"
    return re.sub(block_or_link, r"\1\2", readme, flags=re.MULTILINE | re.DOTALL)


setup(
    name="azure-communication-identity",
    version=version(),
    description="Azure Communication Services Identity: users and their access tokens",
    long_description=description(),
    long_description_content_type="text/markdown",
    license_expression="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    # Not azure and azure.communication: they are namespaces, shared with other distributions.
    packages=find_namespace_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["py.typed"]},
    install_requires=[
        "azure-core>=1.35.1",
        "certifi>=2022.12.7",
        "msrest>=0.7.1",
        "typing-extensions>=4.12.0",
        "urllib3>=2.2.3",
    ],
    extras_require={"aio": ["aiohttp>=3.13.4"]},
    keywords=["azure", "communication", "identity", "access token"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: AsyncIO",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Communications",
        "Typing :: Typed",
    ],
)
