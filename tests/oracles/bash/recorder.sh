#!/bin/bash
# Runs a program with xtrace on a descriptor of its own: `recorder.sh OUT PROGRAM`.
# Each line says process, file and line before the command. It knows nothing of tracer.

printf '%s\n' \
    'unset BASH_ENV' \
    "PS4='+\$BASHPID|\${BASH_SOURCE-}|\$LINENO|'" \
    "exec 900>${1@Q}" \
    'BASH_XTRACEFD=900' \
    'set -x' >"$1.env"
cd "${2%/*}" || exit
BASH_ENV=$1.env exec bash "${2##*/}" </dev/null
