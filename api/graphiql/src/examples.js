// Queries to begin with. The city's are the ones that `twinfall demo` prints.

const city = import.meta.glob('../../demo/queries/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const anyGraph = import.meta.glob('./queries/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const IS_CITY = '{ __type(name: "Pump") { fields { name } } }';

/** The first comment line is an example's title. */
const inOrder = (files) =>
  Object.keys(files)
    .sort()
    .map((path) => ({ title: files[path].split('\n', 1)[0].replace(/^#\s*/, ''), query: files[path] }));

export async function examplesFor(ask) {
  const fields = (await ask(IS_CITY))?.__type?.fields ?? [];
  const own = inOrder(anyGraph);
  return fields.some((field) => field.name === 'drivenBy')
    ? { first: inOrder(city), more: own }
    : { first: own.slice(0, 1), more: own.slice(1) };
}
