"""Check the built site: dead internal links, public names in the text that are not links, warnings of lessons.

    python docs/check_site.py docs/_build/html

`nox -s docs` runs it. Only Python's standard library and sigkit are needed.
"""

import importlib
import pkgutil
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import sigkit

ROOMS = [room.name for room in pkgutil.iter_modules(sigkit.__path__) if room.ispkg and not room.name.startswith("_")]
OUTPUT = re.compile(r'class="sphx-glr-script-out.*?</pre>', flags=re.DOTALL)
"""What a cell of a lesson prints, on both streams."""

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """Anchors and links of a page, warnings of its cells, and code that is not in a link, heading or listing."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.unlinked, self.open, self.titles = set(), [], [], [], []
        text = path.read_text(encoding="utf-8")
        printed = "\n".join(OUTPUT.findall(text)).split("\n")
        self.warnings = [re.sub(r"<[^>]*>|^class=[^>]*>", "", line).strip() for line in printed if "Warning:" in line]
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.update(filter(None, (attributes.get("id"), attributes.get("name"))))
        self.links += filter(None, (attributes.get("href"), attributes.get("src")))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "code" in self.open and not {"a", "pre", "dt", "h1", "h2", "h3", "script", "title"}.intersection(self.open):
            self.unlinked.append(data.strip())


def public_names():
    """Return the public names that are not ordinary words."""
    names = {name for room in ROOMS for name in importlib.import_module(f"sigkit.{room}").__all__}
    return {name for name in names if re.search(r"[A-Z_]", name) and len(name) > 4}


def check(site):
    """Return the faults of a site, as text."""
    site = site.resolve()
    pages = {path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    names, faults = public_names(), []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not aim.exists():
                faults.append(f"{path.relative_to(site)}: {link}: no such file")
            elif parts.fragment and aim in pages and unquote(parts.fragment) not in pages[aim].anchors:
                faults.append(f"{path.relative_to(site)}: {link}: no such anchor")
        faults += [f"{path.relative_to(site)}: {line}" for line in page.warnings]
        # A page does not link a name to itself, and the changelog has old names.
        others = set() if path.stem in ("changelog", "search") else names - {path.stem.rpartition(".")[2]}
        faults += [
            f"{path.relative_to(site)}: {text} is no link" for text in page.unlinked if text.strip("()") in others
        ]
    return len(pages), faults


if __name__ == "__main__":
    count, found = check(Path(sys.argv[1]))
    print("\n".join(found))
    print(f"{count} pages, {len(found)} faults")
    sys.exit(bool(found))
