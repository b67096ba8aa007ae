import { GraphiQL } from 'graphiql';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { useMemo, useRef, useState } from 'react';

import icon from './twinfall.svg';
import { ENDPOINT, fetchWith, storedKey, storeKey } from './access.js';

const UNAUTHENTICATED = 401;

export function Page({ examples }) {
  const [key, setKey] = useState(storedKey);
  const [denied, setDenied] = useState(false);
  // A new fetcher makes GraphiQL read the schema again.
  const fetcher = useMemo(() => {
    const onStatus = (status) => setDenied(status === UNAUTHENTICATED);
    return createGraphiQLFetcher({ url: ENDPOINT, fetch: fetchWith(key, onStatus) });
  }, [key]);
  const save = (value) => {
    storeKey(value);
    setKey(value);
  };
  const tabs = examples.first.map(({ query }) => ({ query }));
  return (
    <GraphiQL fetcher={fetcher} defaultTabs={tabs} defaultQuery={tabs[0].query}>
      <GraphiQL.Logo>
        <Examples of={[...examples.first, ...examples.more]} />
        <Key value={key} denied={denied} onSave={save} />
        <span className="wordmark">
          <img src={icon} alt="" width="22" height="22" /> Twinfall
        </span>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

/** A menu; choosing one opens it in a new tab. */
function Examples({ of }) {
  const { addTab } = useGraphiQLActions();
  const editor = useGraphiQL((state) => state.queryEditor);
  const menu = useRef(null);
  const open = (query) => {
    addTab();
    editor?.setValue(query);
    menu.current.open = false;
  };
  return (
    <details className="examples" ref={menu}>
      <summary>Examples</summary>
      <ul>
        {of.map(({ title, query }) => (
          <li key={title}>
            <button type="button" onClick={() => open(query)}>
              {title}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The API key lives in this browser tab only and goes with every request. */
function Key({ value, denied, onSave }) {
  const [typed, setTyped] = useState(value);
  const submit = (event) => {
    event.preventDefault();
    onSave(typed.trim());
  };
  return (
    <form className={denied ? 'key denied' : 'key'} onSubmit={submit}>
      <input
        type="password"
        autoComplete="off"
        aria-label="API key"
        placeholder={denied ? 'API key needed' : 'API key'}
        title="Kept in this browser tab only. Needed where the server has keys: twinfall key create"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={submit}
      />
    </form>
  );
}
