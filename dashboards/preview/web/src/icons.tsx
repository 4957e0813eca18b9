// Stands in for react-inlinesvg, which fetches icons from a Grafana server: the few that our panels show are here.

import infoCircle from '../node_modules/@grafana/ui/dist/public/img/icons/unicons/info-circle.svg';
import angleDown from '../node_modules/@grafana/ui/dist/public/img/icons/unicons/angle-down.svg';
import arrowDown from '../node_modules/@grafana/ui/dist/public/img/icons/unicons/arrow-down.svg';
import arrowUp from '../node_modules/@grafana/ui/dist/public/img/icons/unicons/arrow-up.svg';
import { type CSSProperties } from 'react';

const ICONS: Record<string, string> = { 'info-circle': infoCircle, 'angle-down': angleDown, 'arrow-down': arrowDown, 'arrow-up': arrowUp };

interface Props {
  src: string;
  width: number;
  height: number;
  className?: string;
  style?: CSSProperties;
}

export default function InlineSvg({ src, width, height, className, style }: Props) {
  const name = src.split('/').pop()!.replace('.svg', '');
  const inner = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(ICONS[name] ?? '<svg></svg>')?.[1] ?? '';
  const shown = { width, height, className, style, viewBox: '0 0 24 24', dangerouslySetInnerHTML: { __html: inner } };
  return <svg {...shown} />;
}
