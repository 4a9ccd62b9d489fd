'use strict';
// Runs a program as it is and writes V8's block coverage counts of it: for each function its
// ranges with UTF-16 offsets and counts. It knows nothing of tracer.
//   node coverage.cjs OUT PROGRAM

const fs = require('fs');
const { pathToFileURL } = require('url');
const { Session } = require('inspector');

const [, , out, program] = process.argv;
process.argv.splice(1, 2);

const session = new Session();
session.connect();
const post = (method, parameters) => {
  let answer;
  session.post(method, parameters, (error, result) => {
    if (error) throw new Error(error.message);
    answer = result;
  });
  return answer;
};
post('Profiler.enable');
post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

process.on('exit', () => {
  const { result } = post('Profiler.takePreciseCoverage');
  const urls = [program, pathToFileURL(program).href];
  const script = result.find((entry) => urls.includes(entry.url));
  // The functions that give fields their values cover whole classes.
  const functions = (script?.functions ?? [])
    .filter(({ functionName }) => !functionName.startsWith('<'));
  fs.writeFileSync(out, JSON.stringify(functions));
});

require(program);
