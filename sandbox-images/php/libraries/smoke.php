<?php
// Loads what each package offers, in a process of its own; says how that went.
// stdin: a line for each package: its name and its files, with tabs between.

const SECONDS = 60;
const NAMES = 12;
const CLASSES = 6;
const ROOT = 'usr/share/php/';

/** Namespace and class of each declaration that a file begins with; the namespace may be empty. */
function declared(string $file): array
{
    $found = [];
    $space = '';
    $tokens = array_values(array_filter(
        @PhpToken::tokenize((string) @file_get_contents($file)),
        fn ($token) => !$token->isIgnorable()
    ));
    foreach ($tokens as $at => $token) {
        $next = $tokens[$at + 1] ?? null;
        $before = $tokens[$at - 1] ?? null;
        if ($next === null) {
            break;
        }
        if ($token->is(T_NAMESPACE) && $next->is([T_STRING, T_NAME_QUALIFIED])) {
            $space = $next->text;
        } elseif ($token->is([T_CLASS, T_INTERFACE, T_TRAIT, T_ENUM]) && $next->is(T_STRING)
            && !($before?->is([T_DOUBLE_COLON, T_NEW]) ?? false)) {
            $found[] = [$space, $next->text];
        }
    }
    return $found;
}

/** Runs it in a process of its own: what it says, in one line. */
function apart(callable $body): string
{
    [$reader, $writer] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    $child = pcntl_fork();
    if ($child === 0) {
        fclose($reader);
        pcntl_alarm(SECONDS);
        ob_start(fn () => '');
        register_shutdown_function(function () use ($writer) {
            $error = error_get_last();
            $fatal = $error !== null && ($error['type'] & (E_ERROR | E_PARSE | E_COMPILE_ERROR | E_CORE_ERROR));
            @fwrite($writer, $fatal ? strtok($error['message'], "\n") : 'it ends the program');
            posix_kill(getmypid(), SIGKILL);
        });
        try {
            $said = $body();
        } catch (Throwable $error) {
            $said = get_class($error) . ': ' . $error->getMessage();
        }
        fwrite($writer, $said);
        fclose($writer);
        posix_kill(getmypid(), SIGKILL);
    }
    fclose($writer);
    $said = stream_get_contents($reader);
    pcntl_waitpid($child, $status);
    $said = substr(str_replace(["\t", "\n"], ' ', $said), 0, 200);
    return $said === '' ? 'it ended without a word' : $said;
}

ini_set('display_errors', 'stderr');
$lines = explode("\n", trim(stream_get_contents(STDIN)));
foreach ($lines as $line) {
    $files = explode("\t", $line);
    $package = array_shift($files);
    foreach ($files as $file) {
        // An extension: PHP itself has loaded it, or not.
        if (preg_match('#^usr/lib/php/\d+/([a-z0-9_]+)\.so$#', $file, $part)) {
            $loaded = extension_loaded($part[1]) || $part[1] === 'opcache' && extension_loaded('Zend OPcache');
            echo "$package\t$part[1]\t", $loaded ? 'ok' : 'PHP does not load it', "\n";
        }
    }
    $files = array_values(array_filter(
        $files,
        fn ($file) => str_starts_with($file, ROOT) && str_ends_with($file, '.php')
    ));
    $doors = array_values(array_filter($files, fn ($file) => basename($file) === 'autoload.php'));
    $spaces = [];
    foreach ($files as $file) {
        if (preg_match('#/(tests?|examples?|docs?|resources|templates)/#i', $file)) {
            continue;
        }
        foreach (declared("/$file") as [$space, $name]) {
            $spaces[$space][] = [$name, $file];
        }
    }
    // Outer ones first: what is inside an offered one goes without saying.
    uksort($spaces, fn ($a, $b) => [substr_count($a, '\\'), $a] <=> [substr_count($b, '\\'), $b]);
    $offered = [];
    foreach ($spaces as $space => $classes) {
        $inside = array_filter($offered, fn ($other) => $other !== '' && str_starts_with("$space\\", "$other\\"));
        if ($inside || count($offered) === NAMES) {
            continue;
        }
        $said = 'nothing is declared';
        $worked = [];
        foreach (array_slice($classes, 0, CLASSES) as [$name, $file]) {
            $whole = $space === '' ? $name : "$space\\$name";
            $said = apart(function () use ($doors, $whole, $file) {
                foreach ($doors as $door) {
                    require_once "/$door";
                }
                $there = fn ($auto) => class_exists($whole, $auto) || interface_exists($whole, $auto)
                    || trait_exists($whole, $auto) || enum_exists($whole, $auto);
                if ($doors && $there(true)) {
                    return 'ok';
                }
                require_once substr($file, strlen(ROOT));
                return $there(false) ? 'ok' : "$whole is not there";
            });
            if ($said === 'ok') {
                $worked[] = [$name, $file];
                if ($space !== '') {
                    break;
                }
            }
        }
        if ($space !== '') {
            $offered[] = $space;
            echo "$package\t$space\t", $worked ? 'ok' : $said, "\n";
            continue;
        }
        // Classes without a namespace are known by their file in the include path.
        $offered[] = '';
        foreach ($worked ?: array_slice($classes, 0, 1) as [$name, $file]) {
            echo "$package\t", str_replace(' ', '%20', substr($file, strlen(ROOT))), "\t", $worked ? 'ok' : $said, "\n";
        }
    }
    foreach (array_slice($doors, 0, 2) as $door) {
        $name = substr($door, strlen(ROOT));
        echo "$package\t$name\t", apart(function () use ($name) {
            require_once $name;
            return 'ok';
        }), "\n";
    }
}
