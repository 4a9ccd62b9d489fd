<?php
// Ten million iterations of a loop in a function.
function main(): void
{
    $total = 0;
    for ($number = 0; $number < 10000000; $number++) {
        $total = ($total + $number) % 1000003;
    }
    echo $total, "\n";
}

main();
?>
