; Extensions that a script asks the database for; see `tracer_instrument::Imports`.

(create_extension (identifier) @import)
((create_extension (keyword_exists)) @optional)
