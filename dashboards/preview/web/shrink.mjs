// `node shrink.mjs FILE…`: gives PNGs a palette of 256 colours, in their place.

import UPNG from 'upng-js';
import { readFileSync, writeFileSync } from 'node:fs';

for (const file of process.argv.slice(2)) {
  const picture = UPNG.decode(readFileSync(file));
  writeFileSync(file, Buffer.from(UPNG.encode(UPNG.toRGBA8(picture), picture.width, picture.height, 256)));
}
