//! The hooks by the names of their captures, for this language and those that extend it.
//!
//! Each leaves alone what belongs to a statement the parser could not read.

use tracer_instrument::{Node, Rewriter};

use crate::{branches, calls, errors, functions, loops, statements, suspensions, syntax, writes};

pub use crate::statements::{finish, prologue_end};
pub use crate::syntax::{BLOCKS, close_statement, probe};
pub use crate::writes::initial_value;

macro_rules! sound {
    ($($name:ident: $hook:path, $what:literal;)*) => {$(
        #[doc = $what]
        pub fn $name<'a>(rewriter: &mut Rewriter<'a>, node: Node<'a>) {
            if !syntax::in_broken(rewriter, node) {
                $hook(rewriter, node);
            }
        }
    )*};
}

sound! {
    program: statements::program, "A file.";
    step: statements::step, "A statement.";
    function: functions::function, "A function of any kind.";
    class: functions::class, "A class.";
    leave: functions::leave, "`return`.";
    circle: loops::circle, "A loop.";
    choose: branches::choose, "`switch`.";
    condition: branches::condition, "What has a condition.";
    jump: suspensions::jump, "`break` and `continue`.";
    declarator: writes::declarator, "A declared variable.";
    assignment: writes::assignment, "`=`.";
    compound: writes::compound, "`+=` and the like.";
    update: writes::update, "`++` and `--`.";
    delete: writes::delete, "`delete`.";
    field: writes::field, "A class field.";
    shortcut: branches::shortcut, "`&&`, `||` and `??`.";
    throw: errors::throw, "`throw`.";
    catch: errors::catch, "`catch`.";
    finally: errors::finally, "`finally`.";
    suspension: suspensions::suspension, "`await` and `yield`.";
    change: writes::change, "A call that may change a container.";
    call: calls::call, "A call that may leave the file for a library.";
}
