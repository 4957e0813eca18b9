// The panels that Grafana's UI library draws itself: figures, tables, lines and bars over time.

import { type DataFrame, dateTime, FieldType, getFieldDisplayValues, getDisplayValueAlignmentFactors, VizOrientation, type FieldDisplay, type DisplayValueAlignmentFactors } from '@grafana/data';
import { BigValue, BigValueTextMode, TimeSeries, useTheme2, VizRepeater, type VizRepeaterRenderValueProps } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';

import { Marks } from './marks';
import { replacing } from './fields';
import { type Panel, type Preview } from './types';

export interface Drawn {
  panel: Panel;
  frames: DataFrame[];
  preview: Preview;
  width: number;
  height: number;
}

export function Nothing({ panel, height }: Pick<Drawn, 'panel' | 'height'>) {
  const { typography, colors } = useTheme2();
  const style = { height, display: 'grid', placeItems: 'center', color: colors.text.secondary, ...typography.body };
  return <div style={style}>{panel.fieldConfig.defaults.noValue ?? 'No data'}</div>;
}

export function isEmpty(frames: DataFrame[]): boolean {
  return frames.every((frame) => frame.length === 0 || frame.fields.length === 0);
}

export function Stat({ panel, frames, preview, width, height }: Drawn) {
  const theme = useTheme2();
  const { reduceOptions, colorMode, graphMode, justifyMode, textMode, wideLayout } = panel.options;
  const values = getFieldDisplayValues({
    data: frames,
    fieldConfig: panel.fieldConfig,
    reduceOptions,
    replaceVariables: replacing(preview),
    theme,
    timeZone: preview.timezone,
  });
  const one = ({ value, width, height, count, alignmentFactors }: VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>) => (
    <BigValue
      value={value.display}
      count={count}
      width={width}
      height={height}
      colorMode={colorMode}
      graphMode={graphMode}
      justifyMode={justifyMode}
      textMode={textMode ?? BigValueTextMode.Auto}
      alignmentFactors={alignmentFactors}
      disableWideLayout={wideLayout === false}
      theme={theme}
    />
  );
  return (
    <VizRepeater
      source={frames}
      getValues={() => values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={one}
      renderCounter={0}
      width={width}
      height={height}
      orientation={VizOrientation.Auto}
      autoGrid={true}
      itemSpacing={3}
    />
  );
}

export function Table({ panel, frames, preview, width, height }: Drawn) {
  const [frame] = frames;
  const range = { from: dateTime(preview.range.from_ms), to: dateTime(preview.range.to_ms) };
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={panel.options.showHeader === false}
      cellHeight={panel.options.cellHeight}
      structureRev={1}
      timeRange={{ ...range, raw: range }}
      fieldConfig={panel.fieldConfig}
      getActions={() => []}
    />
  );
}

export function Trend({ panel, frames, preview, width, height }: Drawn) {
  const range = { from: dateTime(preview.range.from_ms), to: dateTime(preview.range.to_ms) };
  const drawable = frames.filter((frame) => frame.fields.some((field) => field.type === FieldType.number));
  if (isEmpty(drawable)) {
    return <Nothing panel={panel} height={height} />;
  }
  return (
    <TimeSeries
      frames={drawable}
      structureRev={1}
      timeRange={{ ...range, raw: range }}
      timeZone={preview.timezone}
      width={width}
      height={height}
      legend={panel.options.legend}
      options={panel.options}
    >
      {(config) => <Marks config={config} preview={preview} />}
    </TimeSeries>
  );
}
