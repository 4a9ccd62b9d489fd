#!/bin/sh
# Compiles the standard library once, into GOROOT, where builds take it from (GODEBUG in image.toml): a
# build cache would have to be writable, is written through at every use, and forgets what is five days
# old. Without this, the first build of a run takes 8 s.
set -eu
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
HOME=$cache GOCACHE=$cache/go GODEBUG=installgoroot=all GOENV=off GOPROXY=off GOTOOLCHAIN=local \
    go install std </dev/null
