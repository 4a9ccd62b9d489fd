#!/bin/sh
# Removes what the packages make anew on each machine: a database cluster and a self-signed certificate.
# A cluster of one's own is made by `initdb` in a folder of the run.
set -eu
rm -rf /var/lib/postgresql/17 /etc/postgresql/17
for file in /etc/ssl/certs/*; do
    if [ "$(readlink "$file")" = ssl-cert-snakeoil.pem ]; then rm "$file"; fi
done
rm -f /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/ssl/private/ssl-cert-snakeoil.key
