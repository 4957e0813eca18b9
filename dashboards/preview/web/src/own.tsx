// Panels that Grafana keeps to itself: state timeline and map. Drawn here from the same fields, and marked as ours.

import { type DataFrame, dateTimeFormat, type Field, FieldType, getFieldDisplayName } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';

import { type Drawn } from './panels';

const LEGEND_PX = 28;
const NAMES_PX = 148;

function Legend({ states }: { states: Array<{ text: string; color: string }> }) {
  const { colors } = useTheme2();
  const dot = (color: string) => ({ display: 'inline-block', width: 14, height: 4, borderRadius: 2, background: color, marginRight: 6, verticalAlign: 'middle' });
  return (
    <div style={{ height: LEGEND_PX, fontSize: 12, display: 'flex', gap: 16, alignItems: 'end', color: colors.text.primary }}>
      {states.map(({ text, color }) => (
        <span key={text}>
          <span style={dot(color)} />
          {text}
        </span>
      ))}
      <span style={{ marginLeft: 'auto', color: colors.text.disabled }}>drawn by the preview: Grafana keeps this panel to itself</span>
    </div>
  );
}

function statesOf(field: Field): Array<{ text: string; color: string }> {
  const words: any = field.config.mappings?.[0]?.options ?? {};
  return Object.keys(words).map((code) => {
    const { text, color } = field.display!(Number(code));
    return { text, color: color ?? 'gray' };
  });
}

/** A field's states as spans: a value holds until the next, but not beyond the gap that is joined. */
function spans(times: number[], field: Field, end: number) {
  const gap = Number(field.config.custom?.spanNulls ?? 0);
  const heard = times.map((at, row) => ({ at, value: field.values[row] })).filter(({ value }) => value !== null);
  const single = heard.map(({ at, value }, row) => ({ at, until: Math.min(heard[row + 1]?.at ?? end, at + gap), value }));
  return single.reduce<typeof single>((merged, next) => {
    const last = merged.at(-1);
    if (last && last.until === next.at && last.value === next.value) {
      last.until = next.until;
      return merged;
    }
    return [...merged, next];
  }, []);
}

export function Timeline({ frames, preview, width, height }: Drawn) {
  const { colors } = useTheme2();
  const { from_ms: from, to_ms: to } = preview.range;
  const lines = frames.flatMap((frame: DataFrame) => {
    const times: number[] = frame.fields.find(({ type }) => type === FieldType.time)?.values ?? [];
    return frame.fields
      .filter(({ type }) => type === FieldType.number)
      .map((field) => ({ name: getFieldDisplayName(field, frame, frames), field, times }));
  });
  const plot = { width: width - NAMES_PX, height: height - LEGEND_PX - 22 };
  const row = plot.height / lines.length;
  const x = (ms: number) => NAMES_PX + ((Math.max(ms, from) - from) / (to - from)) * plot.width;
  const hours = Array.from({ length: 7 }, (_, n) => from + ((to - from) * n) / 6);
  const said = { fontSize: 12, fill: colors.text.primary };
  return (
    <>
      <svg width={width} height={height - LEGEND_PX}>
        {lines.map(({ name, field, times }, n) => (
          <g key={name}>
            <text x={NAMES_PX - 8} y={(n + 0.5) * row + 4} textAnchor="end" {...said} fontSize={11}>
              {name.length > 20 ? `${name.slice(0, 19)}…` : name}
            </text>
            {spans(times, field, to).map(({ at, until, value }) => (
              <rect key={at} x={x(at)} width={Math.max(0, x(until) - x(at) + 0.4)} y={(n + 0.075) * row} height={row * 0.85} fill={field.display!(value).color} opacity={0.75} />
            ))}
          </g>
        ))}
        {hours.map((at) => (
          <text key={at} x={x(at)} y={height - LEGEND_PX - 6} textAnchor={at === to ? 'end' : 'middle'} {...said}>
            {dateTimeFormat(at, { format: 'HH:mm', timeZone: preview.timezone })}
          </text>
        ))}
      </svg>
      <Legend states={lines.length ? statesOf(lines[0].field) : []} />
    </>
  );
}

export function Places({ panel, frames, width, height }: Drawn) {
  const { colors } = useTheme2();
  const [frame] = frames;
  const named = (name: string) => frame.fields.find((field) => field.name === name);
  const [lats, lons] = [named('latitude')?.values ?? [], named('longitude')?.values ?? []].map((all) => all.map(Number));
  const state = named(panel.options.layers[0].config.style.color.field);
  const plot = { width: width - 24, height: height - LEGEND_PX - 24 };
  const [south, north, west, east] = [Math.min(...lats), Math.max(...lats), Math.min(...lons), Math.max(...lons)];
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = Math.min(plot.height / (north - south || 1), plot.width / ((east - west || 1) * shrink));
  const x = (lon: number) => width / 2 + (lon - (west + east) / 2) * shrink * scale;
  const y = (lat: number) => 12 + plot.height / 2 - (lat - (south + north) / 2) * scale;
  const order = lats.map((_, row) => row).sort((a, b) => state?.values[a] - state?.values[b]);
  return (
    <>
      <svg width={width} height={height - LEGEND_PX} style={{ background: colors.background.canvas }}>
        {order.map((row) => (
          <circle key={row} cx={x(lons[row])} cy={y(lats[row])} r={5} fill={state?.display!(state.values[row]).color} opacity={0.9}>
            <title>{named('Asset')?.values[row]}</title>
          </circle>
        ))}
      </svg>
      <Legend states={state ? statesOf(state) : []} />
    </>
  );
}
