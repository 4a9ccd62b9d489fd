#!/bin/sh
# Debian configures PHP for servers: errors hidden, assertions compiled away. Programs are to behave as
# with the settings that PHP itself begins with, and to report an error once.
set -eu
cat >/etc/php/8.4/cli/conf.d/99-errors.ini <<'INI'
display_errors = On
error_reporting = E_ALL
log_errors = Off
zend.assertions = 1
INI
