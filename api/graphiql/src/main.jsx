import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';

import { createRoot } from 'react-dom/client';

import { ask } from './access.js';
import { examplesFor } from './examples.js';
import { Page } from './page.jsx';

// Which examples make sense depends on the graph: the demo's city, or anything else.
const examples = await examplesFor(ask);
createRoot(document.getElementById('page')).render(<Page examples={examples} />);
