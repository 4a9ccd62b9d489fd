; What reports. Each capture names a hook of `src/lib.rs`; the hooks look at the context.

; `defined?` looks at the form of what it is given, and runs nothing.
(unary operator: "defined?") @opaque

(program) @program

(program (_) @step)
(body_statement (_) @step)
(block_body (_) @step)
(then (_) @step)
(else (_) @step)
(do (_) @step)
(ensure (_) @step)
(begin (_) @step)
(begin_block (_) @step)
(end_block (_) @step)
(parenthesized_statements (_) @step)

[(method) (singleton_method)] @method
[(class) (module) (singleton_class)] @class
[(block) (do_block)] @block

[(return) (next) (break)] @leave

[(while) (until) (while_modifier) (until_modifier) (for)] @loop
[(if) (elsif) (unless) (if_modifier) (unless_modifier) (while) (until) (while_modifier)
 (until_modifier) (conditional)] @condition
(binary operator: ["&&" "||" "and" "or"]) @shortcut
[(case) (case_match)] @choice
(match_pattern) @match

(assignment) @assignment
(operator_assignment) @compound
(binary operator: "<<") @append
(call receiver: (_)) @change
(call receiver: [(constant) (scope_resolution)]) @library

(rescue) @rescue
(rescue_modifier) @rescue_modifier
(ensure) @ensure
