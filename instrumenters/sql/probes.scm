; Nothing is inserted into a statement: an expression may be evaluated any number of times, or never.
; Statements come from the tokens of the script (see `script.rs`), since this grammar reads few
; scripts of this dialect as a whole. It gives the tables that a query names, at detail `full`.
(relation) @relation
