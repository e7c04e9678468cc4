#!/usr/bin/env bash
# The compiled translations are committed, so that an installation needs no gettext. This compares
# each with what its source compiles to now; `make messages` renews them.
set -euo pipefail

fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
status=0
while IFS= read -r -d '' source; do
    msgfmt --check-format --output-file="$fresh" "$source"
    compiled=${source%.po}.mo
    if ! cmp --silent "$fresh" "$compiled"; then
        echo "$compiled is not what $source compiles to; run: make messages" >&2
        status=1
    fi
done < <(find locale apps platform -path '*/LC_MESSAGES/*.po' -print0 2>/dev/null)
exit "$status"
