<?php
// Extensions that the module has not.
echo mb_str_pad('äpfel', 8, '.'), ' ', bcpow('7', '40'), ' ', mb_strtoupper('straße'), "\n";
