/** A point of a chart, with the text beside it; y grows downwards. */
export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface Label extends LabelledPoint {
  readonly anchor: 'start' | 'end';
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const LETTER = 7;
const HEIGHT = 15;
const GAP = 9;
const POINT = 5;
/** Lines up or down that a label may move from its point, the nearest first. */
const SHIFTS = [0, -1, 1, -2, 2, -3, 3, -4, 4];

/** Finds each label a place beside its point where it covers no other label and no point. */
export function placeLabels(points: readonly LabelledPoint[], width: number): Label[] {
  const taken: Box[] = points.map(({ x, y }) => around(x, y));
  return points.map((point) => {
    const places = SHIFTS.flatMap((shift) => [
      placeOf(point, shift, 'start'),
      placeOf(point, shift, 'end'),
    ]);
    const isFree = ({ box }: Place): boolean =>
      box.left >= 0 && box.right <= width && !taken.some((other) => overlap(box, other));
    const place = places.find(isFree) ?? (places[0] as Place);
    taken.push(place.box);
    return place.label;
  });
}

interface Place {
  readonly label: Label;
  readonly box: Box;
}

function placeOf(point: LabelledPoint, shift: number, anchor: 'start' | 'end'): Place {
  const away = anchor === 'start' ? 1 : -1;
  const x = point.x + away * GAP;
  const y = point.y + shift * HEIGHT;
  const end = x + away * LETTER * point.text.length;
  const box = {
    left: Math.min(x, end),
    right: Math.max(x, end),
    top: y - HEIGHT / 2,
    bottom: y + HEIGHT / 2,
  };
  return { label: { x, y, text: point.text, anchor }, box };
}

function around(x: number, y: number): Box {
  return { left: x - POINT, right: x + POINT, top: y - POINT, bottom: y + POINT };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
