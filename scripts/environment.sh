# Makes .venv from a hashed lock. Sourced by the scripts beside it, from the top of the project:
#
#   environment run     what `mmsc` needs (scripts/lock-run.txt)
#   environment test    that, and what the tests need (scripts/lock-test.txt)
#
# PYTHON=python3.13 in the environment chooses the Python; a .venv of another version is made anew.
# Only Python 3.11 or later with its venv module is needed; uv is used when it is on PATH, because it is faster. A stamp
# in .venv says what is installed there, so the second start costs nothing; another, for which checkout it was made.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "$@"
    exit 1
}

find_python() { # prints the first Python that is new enough; with PYTHON, that one or none
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
        [ -z "${PYTHON:-}" ] || break
    done
    return 1
}

make_venv() {
    if [ -n "${PYTHON:-}" ] && ! find_python >/dev/null; then
        die "PYTHON=$PYTHON is no Python 3.11 or later."
    fi
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --clear --python "$(find_python || echo '>=3.11')" .venv || die "uv could not make .venv"
        return 0
    fi
    python=$(find_python) || die "Python 3.11 or later is needed, and not on PATH$(
        command -v python3 >/dev/null 2>&1 && printf ' (python3 is %s)' "$(python3 -V 2>&1)"
    )."
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || die \
        "$python has no venv module. On Debian and Ubuntu: apt-get install python3-venv. Or put uv on PATH."
    "$python" -m venv --clear .venv || die "$python could not make .venv"
}

# The system's certificates know the proxy of a company's network; uv's and pip's own do not.
trust_the_system() {
    export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"
    bundle=/etc/ssl/certs/ca-certificates.crt
    if ! command -v uv >/dev/null 2>&1 && [ -z "${PIP_CERT:-}" ] && [ -f "$bundle" ] &&
        ! .venv/bin/python -m pip config list 2>/dev/null | grep -q 'cert='; then
        export PIP_CERT="$bundle"
    fi
}

usable() { # whether .venv can be installed into: its Python runs, and has pip where uv is missing (uv leaves it out)
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || return 1
    command -v uv >/dev/null 2>&1 || .venv/bin/python -m pip --version >/dev/null 2>&1
}

install() { # install ARGUMENT... : as pip install takes them
    if command -v uv >/dev/null 2>&1; then
        VIRTUAL_ENV="$PWD/.venv" uv pip install $quiet "$@"
    else
        .venv/bin/python -m pip install $quiet --disable-pip-version-check --no-input "$@"
    fi
}

of_another_python() { # whether PYTHON asks for another version than .venv has
    [ -n "${PYTHON:-}" ] && [ "$(.venv/bin/python -V 2>/dev/null)" != "$("$PYTHON" -V 2>/dev/null)" ]
}

owner() { # prints the checkout that .venv was made for, as far as that can be told
    if [ -f .venv/checkout ]; then
        cat .venv/checkout
    elif [ -L .venv ] && [ -f .venv/../pyproject.toml ]; then # from before that was written down
        (cd -P ./.venv/.. && pwd -P)
    fi
}

# With the .venv of another checkout, linked or copied here, `mmsc` would be that one's code; and installing here would
# change that one's.
leave_others_alone() {
    made_for=$(owner)
    if [ -L .venv ] && [ ! -e .venv ]; then
        say ".venv is a link to nothing: it goes, and this checkout gets its own"
        rm .venv
    elif [ -z "$made_for" ] || [ "$made_for" = "$(pwd -P)" ]; then
        return 0
    elif [ -L .venv ]; then
        say ".venv is a link to that of $made_for, which is left as it is: this checkout gets its own"
        rm .venv
    else
        say ".venv was made for $made_for: it is made anew"
        rm -rf .venv
    fi
}

environment() {
    leave_others_alone
    lock=scripts/lock-$1.txt
    stamp=.venv/stamp-$1
    want=$(cat pyproject.toml "$lock" | cksum)
    if [ -x .venv/bin/python ] && ! of_another_python && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
        return 0
    fi
    quiet=--quiet
    [ -t 2 ] && quiet=
    say "making .venv from $lock (once; a minute or so) ..."
    { usable && ! of_another_python; } || make_venv
    rm -f .venv/stamp-*
    trust_the_system
    # The locked packages first, each file checked against its hash; then the project itself, built with what was
    # locked, so that nothing comes from an index unchecked.
    install --require-hashes -r "$lock" || die "the packages of $lock could not be installed"
    install --no-deps --no-build-isolation -e . || die "the project could not be installed into .venv"
    [ "$1" = test ] && cat pyproject.toml scripts/lock-run.txt | cksum >.venv/stamp-run
    pwd -P >.venv/checkout
    printf '%s\n' "$want" >"$stamp"
}
