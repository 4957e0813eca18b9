// The settings of fields, applied as Grafana does it: defaults, then overrides, through `applyFieldOverrides`.

import {
  applyFieldOverrides,
  dataFrameFromJSON,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  identityOverrideProcessor,
  numberOverrideProcessor,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  valueMappingsOverrideProcessor,
  type DataFrame,
  type GrafanaTheme2,
  type ScopedVars,
} from '@grafana/data';

import { type Answered, type Panel, type Preview } from './types';

const STANDARD: Record<string, FieldConfigPropertyItem['process']> = {
  unit: identityOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  decimals: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor,
  noValue: stringOverrideProcessor,
  color: identityOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  links: dataLinksOverrideProcessor,
};

/** What Grafana's own panels set where a dashboard says nothing (their `useFieldConfig`). */
const CUSTOM: Record<string, Record<string, unknown>> = {
  timeseries: {
    drawStyle: 'line',
    lineInterpolation: 'linear',
    lineWidth: 1,
    lineStyle: undefined,
    fillOpacity: 0,
    gradientMode: 'none',
    barAlignment: 0,
    barWidthFactor: 0.6,
    spanNulls: false,
    insertNulls: false,
    showPoints: 'auto',
    pointSize: 5,
    stacking: { mode: 'none', group: 'A' },
    axisPlacement: 'auto',
    axisLabel: '',
    axisColorMode: 'text',
    axisBorderShow: false,
    axisCenteredZero: false,
    axisSoftMin: undefined,
    axisSoftMax: undefined,
    scaleDistribution: { type: 'linear' },
    thresholdsStyle: { mode: 'off' },
    hideFrom: { legend: false, tooltip: false, viz: false },
  },
  'state-timeline': { spanNulls: false },
  table: {
    align: 'auto',
    width: undefined,
    minWidth: undefined,
    inspect: false,
    filterable: undefined,
    cellOptions: { type: 'auto' },
    hideFrom: { viz: false },
    hidden: undefined,
  },
};

function item(id: string, isCustom: boolean, process: FieldConfigPropertyItem['process']): FieldConfigPropertyItem {
  const path = isCustom ? id.replace('custom.', '') : id;
  const none = () => null;
  return { id, path, name: id, isCustom, process, shouldApply: () => true, override: none, editor: none };
}

function registry(shape: string): FieldConfigOptionsRegistry {
  const custom = [...Object.keys(CUSTOM[shape] ?? {}), 'hideFrom.viz'];
  return new FieldConfigOptionsRegistry(() => [
    ...Object.entries(STANDARD).map(([id, process]) => item(id, false, process)),
    ...custom.map((id) => item(`custom.${id}`, true, (value) => structuredClone(value))),
  ]);
}

/** JSON has no infinity: Grafana reads a missing first value so (`restoreInfinityValuesForThresholds`). */
function restoreInfinity({ defaults, overrides }: FieldConfigSource) {
  const inOverrides = overrides.flatMap(({ properties }) => properties.filter(({ id }) => id === 'thresholds'));
  for (const thresholds of [defaults.thresholds, ...inOverrides.map(({ value }) => value)]) {
    thresholds?.steps.forEach((step: { value: number | null }) => (step.value ??= -Infinity));
  }
}

function withDefaults(panel: Panel): FieldConfigSource {
  restoreInfinity(panel.fieldConfig);
  const { defaults, overrides } = panel.fieldConfig;
  return { defaults: { ...defaults, custom: { ...CUSTOM[panel.type], ...defaults.custom } }, overrides };
}

/** A panel's answer as frames that know their units, colours, words and links. */
export function framesOf(panel: Panel, answered: Answered, preview: Preview, theme: GrafanaTheme2): DataFrame[] {
  const frames = answered.frames.map((each) => dataFrameFromJSON(each));
  for (const frame of frames) {
    const time = frame.fields.find((field) => field.type === 'time');
    if (time && panel.type !== 'table') {
      time.config.interval = answered.interval_ms;
    }
  }
  return applyFieldOverrides({
    data: frames,
    fieldConfig: withDefaults(panel),
    fieldConfigRegistry: registry(panel.type),
    replaceVariables: replacing(preview),
    theme,
    timeZone: preview.timezone,
  });
}

/** Puts variables into links, and leads to the pages of this preview where Grafana's lead to dashboards. */
export function replacing(preview: Preview) {
  return (text: string | undefined, scoped?: ScopedVars): string => {
    const filled = (text ?? '').replace(/\$\{([^}:]+)(?::(\w+))?\}/g, (whole, name: string, form?: string) => {
      const value = valueOf(name, preview, scoped);
      if (value === undefined) {
        return whole;
      }
      return form === 'percentencode' ? encodeURIComponent(String(value)) : String(value);
    });
    const [address, chosen] = filled.split('?');
    const page = preview.pages[address.replace('/d/', '')];
    return page === undefined ? filled : `${page}?${chosen ?? ''}`;
  };
}

function valueOf(name: string, preview: Preview, scoped?: ScopedVars): string | string[] | undefined {
  const inRow = /^__data\.fields\.(.+)$/.exec(name);
  if (inRow) {
    const { frame, rowIndex } = scoped?.__dataContext?.value ?? {};
    const field = frame?.fields.find((each: { name: string }) => each.name === inRow[1]);
    return String(field?.values[rowIndex ?? 0] ?? '');
  }
  const fixed: Record<string, string> = { __from: `${preview.range.from_ms}`, __to: `${preview.range.to_ms}` };
  return fixed[name] ?? preview.variables.find((each) => each.name === name)?.value;
}
