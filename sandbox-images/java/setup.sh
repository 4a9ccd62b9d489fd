#!/bin/sh
# The packages make Java's trusted certificates into a store that says when each was added. The same in
# the form that the JDK ships, PKCS #12 without a password, holds no dates.
set -eu
cd /etc/ssl/certs/java
log=$(mktemp)
keytool -J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE -J-Dkeystore.pkcs12.macAlgorithm=NONE \
    -importkeystore -srckeystore cacerts -srcstorepass changeit \
    -destkeystore new -deststoretype pkcs12 -deststorepass changeit -noprompt </dev/null >"$log" 2>&1 ||
    { cat "$log" >&2; exit 1; }
rm "$log"
chmod 644 new
mv new cacerts
