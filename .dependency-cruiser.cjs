// The import rules of docs/architecture.md; test/unit/architecture.test.ts runs them and checks that modules were seen.
const from = (path, allowed) => ({
  name: `${path}-imports-downward`,
  severity: 'error',
  from: { path: `^src/${path}/` },
  to: { path: '^src/', pathNot: [`^src/${path}/`, ...allowed.map((a) => `^src/${a}`)] },
});
const corePort = ['core/', 'engine/ports\\.ts$', 'observe/'];
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    from('core', []),
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^src/core/', pathNot: '^src/core/time/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'unknown'] },
    },
    {
      name: 'core-time-uses-the-zone-library-only',
      severity: 'error',
      from: { path: '^src/core/time/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'unknown'], pathNot: 'node_modules/temporal-polyfill' },
    },
    from('engine', ['core/']),
    ...['telephony', 'storage', 'audit-log', 'directory', 'documents', 'vault', 'webhooks', 'mail'].map((f) => from(f, corePort)),
    from('sip', ['observe/']),
    from('sipd', ['sip/', 'observe/', 'processes/']),
    // The sealed container has one definition (docs/adr): mediad writes it while it records, vault opens it.
    from('mediad', ['sip/', 'observe/', 'vault/', 'processes/']),
    from('processes', []),
    from('admin', ['core/', 'engine/', 'observe/']),
    from('observe', ['core/phi']),
    {
      name: 'config-reads-options-only',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: ['^src/config/', '/options\\.ts$'] },
    },
    { name: 'nobody-imports-cli', severity: 'error', from: { path: '^src/', pathNot: '^src/(cli/|main\\.ts)' }, to: { path: '^src/(cli/|main\\.ts)' } },
    {
      name: 'folders-publish-an-index',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/([^/]+)/',
        pathNot: ['^src/$1/', '/index\\.ts$', '/ports\\.ts$', '/options\\.ts$', '^src/core/never\\.ts$'],
      },
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' } },
};
