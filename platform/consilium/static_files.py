"""Static files under names that carry their hash, so browsers keep them for good.

A reload of a call then asks the server for one page and no scripts, which is much of what makes
it quick. Imports between JavaScript modules are rewritten too.
"""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedFiles(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
