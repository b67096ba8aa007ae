// A Vite plugin: writes the licences of every npm package that ended up in the page.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const seen = new Set();

function packageOf(id) {
  const path = id.replace(/^\0/, '').split('?')[0];
  if (!path.includes('/node_modules/')) return null;
  let folder = dirname(path);
  while (folder !== dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest)).version) return folder;
    folder = dirname(folder);
  }
  return null;
}

function withoutFile({ author, contributors, homepage, repository }) {
  const people = [author, ...(contributors ?? [])].filter(Boolean).map((p) => p.name ?? p);
  const home = homepage ?? repository?.url ?? repository;
  return `The package carries no licence file. Authors: ${people.join(', ') || 'see there'}. Home: ${home}`;
}

function entry(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json')));
  const { name, version, license } = manifest;
  const file = readdirSync(folder).find((f) => /^(licen[cs]e|copying)(\.\w+)?$/i.test(f));
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : withoutFile(manifest);
  return { key: `${name} ${version}`, text: `${name} ${version} (${license})\n\n${text}\n` };
}

export function collect() {
  return {
    name: 'collect-packages',
    transform(_, id) {
      const folder = packageOf(id);
      if (folder) seen.add(folder);
      return null;
    },
  };
}

export function write() {
  return {
    name: 'write-licences',
    generateBundle() {
      const entries = [...seen].map(entry).sort((a, b) => (a.key < b.key ? -1 : 1));
      const unique = [...new Map(entries.map((e) => [e.key, e.text])).values()];
      const head = 'This page is built from these packages. Their licences follow.\n\n';
      const rule = `\n${'-'.repeat(80)}\n\n`;
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: head + unique.join(rule) });
    },
  };
}
