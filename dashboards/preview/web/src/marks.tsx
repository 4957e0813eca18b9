// Annotations on trends: regions and marks in the colours of their queries, as Grafana draws them behind the lines.

import { dataFrameFromJSON, colorManipulator } from '@grafana/data';
import { type UPlotConfigBuilder, useTheme2 } from '@grafana/ui';
import { useLayoutEffect } from 'react';
import type uPlot from 'uplot';

import { type Preview } from './types';

interface Mark {
  from: number;
  to: number | null;
  color: string;
}

function marksOf(preview: Preview): Mark[] {
  return preview.marks.flatMap(({ color, frames }) =>
    frames.flatMap((json) => {
      const frame = dataFrameFromJSON(json);
      const column = (name: string) => frame.fields.find((field) => field.name.toLowerCase() === name)?.values ?? [];
      const [begins, ends] = [column('time'), column('timeend')];
      return Array.from(begins, (from, row) => ({ from: Number(from), to: ends[row] ?? null, color }));
    })
  );
}

function draw(plot: uPlot, marks: Mark[], colorOf: (name: string) => string) {
  const { ctx, bbox } = plot;
  const place = (ms: number) => Math.min(Math.max(plot.valToPos(ms, 'x', true), bbox.left), bbox.left + bbox.width);
  const line = (x: number) => {
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  };
  ctx.save();
  for (const mark of marks) {
    const color = colorOf(mark.color);
    const [begin, end] = [place(mark.from), place(mark.to ?? mark.from)];
    if (mark.to !== null && mark.to > mark.from) {
      ctx.fillStyle = colorManipulator.alpha(color, 0.06);
      ctx.fillRect(begin, bbox.top, end - begin, bbox.height);
      ctx.fillStyle = color;
      ctx.fillRect(begin, bbox.top + bbox.height, end - begin, 5 * devicePixelRatio);
    }
    ctx.strokeStyle = colorManipulator.alpha(color, 0.6);
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    line(begin);
  }
  ctx.restore();
}

export function Marks({ config, preview }: { config: UPlotConfigBuilder; preview: Preview }) {
  const theme = useTheme2();
  useLayoutEffect(() => {
    const marks = marksOf(preview);
    config.addHook('drawClear', (plot) => draw(plot, marks, (name) => theme.visualization.getColorByName(name)));
  }, [config, preview, theme]);
  return null;
}
