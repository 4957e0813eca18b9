// The page of one dashboard: `window.preview` is there before this runs; `?theme=light` is the light one.

import '@fontsource/inter/latin-400.css';
import '@fontsource/inter/latin-500.css';

import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { createRoot } from 'react-dom/client';

import { Board } from './board';

const MARGIN_PX = 16;

const mode = new URLSearchParams(location.search).get('theme') === 'light' ? 'light' : 'dark';
const theme = createTheme({ colors: { mode } });
const width = document.documentElement.clientWidth - 2 * MARGIN_PX;

document.title = `${window.preview.dashboard.title} · Lamplighter`;
createRoot(document.getElementById('board')!).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <div style={{ padding: `0 ${MARGIN_PX}px ${MARGIN_PX}px`, background: theme.colors.background.canvas, minHeight: '100vh' }}>
      <Board preview={window.preview} width={width} />
    </div>
    <PortalContainer />
  </ThemeContext.Provider>
);
