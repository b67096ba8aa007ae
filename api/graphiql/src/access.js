// Talking to the server, with the API key of this browser tab where one was entered.

const STORED = 'twinfall.key';
export const ENDPOINT = new URL('graphql', document.baseURI).href;

export const storedKey = () => sessionStorage.getItem(STORED) ?? '';

export function storeKey(key) {
  if (key) sessionStorage.setItem(STORED, key);
  else sessionStorage.removeItem(STORED);
}

/** `fetch` with the key added, unless the headers editor names another one. */
export function fetchWith(key, onStatus = () => {}) {
  return async (url, init = {}) => {
    const headers = new Headers(init.headers);
    if (key && !headers.has('authorization')) headers.set('authorization', `Bearer ${key}`);
    const answer = await fetch(url, { ...init, headers });
    onStatus(answer.status);
    return answer;
  };
}

/** The `data` of a query, or null when it could not be answered. */
export async function ask(query) {
  try {
    const answer = await fetchWith(storedKey())(ENDPOINT, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return (await answer.json()).data ?? null;
  } catch {
    return null;
  }
}
