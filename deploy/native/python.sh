#!/usr/bin/env bash
# Prints the Python to use, or says in one line what is missing. PYTHON in the environment wins.
set -euo pipefail

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
        if ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            echo "Python's venv is missing; please run: apt-get install python$version-venv" >&2
            exit 1
        fi
        echo "$candidate"
        exit 0
    fi
done
if [ -n "${PYTHON:-}" ]; then
    echo "PYTHON is set to $PYTHON, which is no Python 3.11 or newer" >&2
    exit 1
fi
echo "Python 3.11 or newer is missing; please run: apt-get install python3 python3-venv" >&2
exit 1
