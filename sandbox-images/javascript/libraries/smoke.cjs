// Loads each name that stdin has behind its package, in a process of its own; says how that went.
const { spawnSync } = require('node:child_process');
const { readFileSync, writeSync } = require('node:fs');

// A package loads if `require` takes it, or else `import`. Its own output is no word of ours.
const load = `
const name = process.argv[1];
const say = (text) => require('node:fs').writeSync(3, text);
const tell = (error) => say(String((error && error.message) || error).split('\\n')[0].slice(0, 200) || 'it throws nothing');
process.on('uncaughtException', (error) => { tell(error); process.exit(0); });
(async () => {
  try {
    require(name);
  } catch (first) {
    try { await import(name); } catch (second) {
      const own = first.code === 'ERR_REQUIRE_ESM' || first.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
      tell(own ? second : first);
      process.exit(0);
    }
  }
  say('ok');
  process.exit(0);
})();
`;
for (const line of readFileSync(0, 'utf8').split('\n')) {
  const [name, ...imports] = line.split('\t');
  for (const each of imports) {
    const done = spawnSync(process.execPath, ['-e', load, each], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'], timeout: 60000, cwd: '/tmp',
    });
    const said = String(done.output[3] || '').replace(/[\t\n]/g, ' ');
    const end = done.signal ? `ended by ${done.signal}` : `exited with ${done.status}`;
    writeSync(1, `${name}\t${each}\t${said || end}\n`);
  }
}
