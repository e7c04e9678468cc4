"""Static files under names that carry their hash, so browsers keep them for good.

A reload of a call then asks the server for one page and no scripts, which is much of what makes
it quick. Imports between JavaScript modules are rewritten too, and so are the names of workers:
modules of two versions never meet.
"""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedFiles(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    # A worker is named by where its file lies, which Django does not know for an import.
    patterns = (
        *ManifestStaticFilesStorage.patterns,
        (
            "*.js",
            (
                (
                    r"""(?P<matched>new URL\(["'](?P<url>[./].*?)["'], import\.meta\.url\))""",
                    """new URL("%(url)s", import.meta.url)""",
                ),
            ),
        ),
    )
