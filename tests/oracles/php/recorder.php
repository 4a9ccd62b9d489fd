<?php
// Runs a program under Xdebug's function trace and writes what it says of calls, returns and
// assignments, one a line: `call name value…`, `return value`, `set line $name value`. A value that
// is no short scalar is `_`. Writes nothing where Xdebug is not installed.

[, $out, $program] = $argv;
$folder = dirname($out);
$found = array_filter([ini_get('extension_dir') . '/xdebug.so'], 'is_file');
if ($found === [] && !extension_loaded('xdebug')) {
    exit(1);
}
$command = [PHP_BINARY];
if (!extension_loaded('xdebug')) {
    array_push($command, '-d', 'zend_extension=xdebug');
}
foreach (['start_with_request=yes', 'trace_format=1', 'collect_assignments=1', 'collect_return=1',
    "output_dir=$folder", 'trace_output_name=trace', 'use_compression=0', 'mode=trace'] as $word) {
    array_push($command, '-d', "xdebug.$word");
}
$command[] = $program;
$env = ['XDEBUG_MODE' => 'trace'] + getenv();
$child = proc_open($command, [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'],
    ['file', '/dev/null', 'w']], $pipes, dirname($program), $env);
proc_close($child);
$trace = @file("$folder/trace.xt", FILE_IGNORE_NEW_LINES) ?: [];

function plain(string $text): string
{
    return match (true) {
        preg_match('/^-?\d+$/', $text) === 1 => $text,
        in_array($text, ['TRUE', 'FALSE', 'NULL'], true) => strtolower($text),
        preg_match('/^\'[\w ]{0,40}\'$/', $text) === 1 => strtr(substr($text, 1, -1), ' ', '.') . '"',
        default => '_',
    };
}

$lines = [];
$own = [];
foreach ($trace as $record) {
    $fields = explode("\t", $record);
    $kind = $fields[2] ?? '';
    if ($kind === '0' && ($fields[6] ?? '') === '1') {
        $name = preg_replace('/^.*(->|::|\\\\)(?!.*\})/', '', $fields[5]);
        if (str_contains($fields[5], '{closure')) {
            $name = '{closure}';
        }
        if (in_array($name, ['{main}', 'include', 'include_once', 'require', 'require_once', 'eval'])) {
            continue;
        }
        $own[$fields[1]] = true;
        $lines[] = rtrim("call $name " . implode(' ', array_map('plain', array_slice($fields, 11))));
    } elseif ($kind === 'R' && isset($own[$fields[1]])) {
        $lines[] = 'return ' . plain($fields[5] ?? '');
    } elseif ($kind === 'A' && preg_match('/^(\$\w+) = (.*)$/s', $fields[10] ?? '', $parts)) {
        $lines[] = "set $fields[9] $parts[1] " . plain($parts[2]);
    }
}
file_put_contents($out, implode("\n", $lines) . "\n");
