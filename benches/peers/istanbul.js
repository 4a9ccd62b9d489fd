// Writes a program instrumented by istanbul: counts of statements, branches and functions.
// Arguments: the folder of istanbul-lib-instrument's node_modules, the program, where to write.
const fs = require('fs');
const path = require('path');

const [modules, program, out] = process.argv.slice(2);
const { createInstrumenter } = require(path.resolve(modules, 'istanbul-lib-instrument'));
const instrumenter = createInstrumenter({ compact: false, esModules: false });
fs.writeFileSync(out, instrumenter.instrumentSync(fs.readFileSync(program, 'utf8'), program));
