#!/bin/sh
set -eu
# Debian ships Swift as one package of 2.1 GB. Half of it serves editors and debuggers, or compiles for
# machines that no run has.
cd /usr/libexec/swift
rm -rf /usr/bin/sourcekit-lsp /usr/bin/swift-lldb bin/clangd bin/docc bin/lldb* bin/sourcekit-lsp \
    bin/swift-format lib/liblldb* lib/libsourcekitdInProc.so lib/swift/embedded share/docc
