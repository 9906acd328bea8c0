#!/bin/sh
# Make the virtual environment $1 with the extras $2. Blender's module exists for Python 3.11 and 3.13 only.
set -eu
venv=$1
extras=$2

works() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 13)))' 2>/dev/null; }

if [ ! -x "$venv/bin/python" ]; then
    for python in ${PYTHON:-} python3.11 python3.13 python3 python "$HOME"/.pyenv/versions/3.11.*/bin/python \
        "$HOME"/.pyenv/versions/3.13.*/bin/python; do
        if works "$python" && "$python" -m venv "$venv" 2>/dev/null; then break; fi
        rm -rf "$venv"
    done
    if [ ! -x "$venv/bin/python" ] && command -v uv >/dev/null 2>&1; then
        uv venv --seed --python 3.11 "$venv"
    fi
    if [ ! -x "$venv/bin/python" ]; then
        echo "blendmill needs Python 3.11 or 3.13 with venv: install python3.11-venv, or uv, and run make again" >&2
        exit 1
    fi
fi
# Python compiles a module when it is first imported. To compile them all here would take three minutes of one core.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e ".[$extras]"
