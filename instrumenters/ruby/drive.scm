; What a file defines and whether it runs; `DriveSpec::query` says what the captures mean.

(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(singleton_method object: (self) @mark)
(class body: (body_statement (method name: (identifier) @name (#eq? @name "initialize")) @function @constructor))
(class name: (_) @name) @class
(module name: (_) @name) @class
(module "module" @mark)
(class superclass: (superclass (_) @mark))

(method parameters: (method_parameters (identifier) @parameter @name))
(method parameters: (method_parameters (optional_parameter name: (identifier) @name value: (_) @default) @parameter))
(method parameters: (method_parameters (splat_parameter) @parameter @name @rest))
(method parameters: (method_parameters (block_parameter) @parameter @name @default))
(method parameters: (method_parameters (keyword_parameter name: (identifier) @name @label) @parameter))
(method parameters: (method_parameters (keyword_parameter name: (identifier) @name @label value: (_) @default) @parameter))
(singleton_method parameters: (method_parameters (identifier) @parameter @name))
(singleton_method parameters: (method_parameters (optional_parameter name: (identifier) @name value: (_) @default) @parameter))
(singleton_method parameters: (method_parameters (splat_parameter) @parameter @name @rest))
(singleton_method parameters: (method_parameters (block_parameter) @parameter @name @default))
(singleton_method parameters: (method_parameters (keyword_parameter name: (identifier) @name @label) @parameter))
(singleton_method parameters: (method_parameters (keyword_parameter name: (identifier) @name @label value: (_) @default) @parameter))

(program [(while) (until) (for) (case) (unless) (if_modifier) (while_modifier)] @runs)
(program (call method: (_) @_method (#not-any-of? @_method "require" "require_relative" "attr_accessor" "private" "include" "extend" "using" "load" "freeze" "private_constant")) @runs)
(program (if condition: (_) @_condition) @runs)
(program (assignment) @calls)
