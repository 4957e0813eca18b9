// A dashboard as Grafana lays it out: 24 columns, cells of 30 px with 8 px between them.

import { dateTimeFormat } from '@grafana/data';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { type ComponentType, type CSSProperties } from 'react';

import { framesOf } from './fields';
import { Places, Timeline } from './own';
import { type Drawn, isEmpty, Nothing, Stat, Table, Trend } from './panels';
import { type Panel, type Preview } from './types';

const COLUMNS = 24;
const CELL_PX = 30;
const GAP_PX = 8;

const SHAPES: Record<string, ComponentType<Drawn>> = {
  stat: Stat,
  table: Table,
  timeseries: Trend,
  'state-timeline': Timeline,
  geomap: Places,
};

function place({ x, y, w, h }: Panel['gridPos'], width: number) {
  const column = (width - (COLUMNS - 1) * GAP_PX) / COLUMNS;
  return {
    left: x * (column + GAP_PX),
    top: y * (CELL_PX + GAP_PX),
    width: w * column + (w - 1) * GAP_PX,
    height: h * CELL_PX + (h - 1) * GAP_PX,
  };
}

function One({ panel, preview, width }: { panel: Panel; preview: Preview; width: number }) {
  const theme = useTheme2();
  const at = place(panel.gridPos, width);
  const frames = framesOf(panel, preview.answers[panel.id], preview, theme);
  const Shape = isEmpty(frames) ? Nothing : SHAPES[panel.type];
  const isFlush = panel.type === 'table';
  return (
    <section style={{ position: 'absolute', ...at }} data-panel={panel.title} data-empty={isEmpty(frames)}>
      <PanelChrome title={panel.title} description={panel.description} width={at.width} height={at.height} padding={isFlush ? 'none' : 'md'}>
        {(inner, high) => <Shape panel={panel} frames={frames} preview={preview} width={inner} height={high} />}
      </PanelChrome>
    </section>
  );
}

function Head({ preview }: { preview: Preview }) {
  const { colors, typography, shape } = useTheme2();
  const { range, timezone, dashboard, variables } = preview;
  const clock = (ms: number) => dateTimeFormat(ms, { format: 'YYYY-MM-DD HH:mm', timeZone: timezone });
  const box: CSSProperties = { border: `1px solid ${colors.border.medium}`, borderRadius: shape.radius.default, background: colors.background.primary, padding: '0 10px', lineHeight: '30px', whiteSpace: 'nowrap' };
  return (
    <header style={{ display: 'flex', gap: 12, alignItems: 'center', height: 54, fontSize: 13 }}>
      <strong style={{ ...typography.h4, marginRight: 8 }}>{dashboard.title}</strong>
      {variables.filter(({ hidden }) => !hidden).map(({ name, label, text }) => (
        <span key={name} style={box}>
          <span style={{ color: colors.text.secondary, marginRight: 8 }}>{label}</span>
          {text}
        </span>
      ))}
      <span style={{ ...box, marginLeft: 'auto' }}>{`${clock(range.from_ms)} to ${clock(range.to_ms)} (${timezone})`}</span>
    </header>
  );
}

export function Board({ preview, width }: { preview: Preview; width: number }) {
  const { panels } = preview.dashboard;
  const rows = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  return (
    <>
      <Head preview={preview} />
      <main style={{ position: 'relative', height: rows * (CELL_PX + GAP_PX) - GAP_PX }}>
        {panels.map((panel) => (
          <One key={panel.id} panel={panel} preview={preview} width={width} />
        ))}
      </main>
    </>
  );
}
