# Turns on the layer's extensions, as the packages' own scripts would. The argument is the folder that holds
# the layer's files.
set -eu
cd "$1"
for file in etc/php/*/mods-available/*.ini usr/share/php*/*/*.ini; do
    [ -f "$file" ] || continue
    name=$(basename "$file" .ini)
    case $file in etc/*) ;; *) mkdir -p etc/php/8.4/mods-available && cp "$file" etc/php/8.4/mods-available/ ;; esac
    order=$(sed -n 's/^; *priority=\([0-9]*\).*/\1/p' "$file" | head -n 1)
    mkdir -p etc/php/8.4/cli/conf.d
    ln -sf "/etc/php/8.4/mods-available/$name.ini" "etc/php/8.4/cli/conf.d/${order:-20}-$name.ini"
done
