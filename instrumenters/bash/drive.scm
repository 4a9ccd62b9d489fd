; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(function_definition name: (word) @name) @function
(simple_expansion (variable_name) @name (#match? @name "^[1-9]$")) @parameter
(expansion (variable_name) @name (#match? @name "^[1-9]$")) @parameter

(program [(for_statement) (c_style_for_statement) (while_statement) (case_statement) (pipeline) (list) (subshell)] @runs)
(program (command name: (command_name) @_name (#not-any-of? @_name "set" "shopt" "source" "." "umask" "alias" "trap" ":")) @runs)
(program (redirected_statement) @runs)
(program (if_statement) @runs)
