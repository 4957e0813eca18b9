// What Python hands over: dashboards/preview/document.py writes it, as `window.preview`.

import { type DataFrameJSON, type FieldConfigSource } from '@grafana/data';

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  options: Record<string, any>;
  fieldConfig: FieldConfigSource;
}

export interface Answered {
  frames: DataFrameJSON[];
  interval_ms: number;
}

export interface Preview {
  dashboard: { uid: string; title: string; description: string; panels: Panel[] };
  /** The panels' answers by the panel's id. */
  answers: Record<string, Answered>;
  marks: Array<{ name: string; color: string; frames: DataFrameJSON[] }>;
  range: { from_ms: number; to_ms: number };
  timezone: string;
  variables: Array<{ name: string; label: string; text: string; value: string | string[]; hidden: boolean }>;
  /** The file of each dashboard by its uid. */
  pages: Record<string, string>;
}

declare global {
  interface Window {
    preview: Preview;
  }
}
